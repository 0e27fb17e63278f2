"""A volume that pods on all real nodes share, as a file server would offer it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.control_plane import ControlPlane

NAME = "shared"


def claim(control_plane: ControlPlane, namespace: str, folder: Path) -> str:
    """Make `folder` a volume; return the name of the claim for it in `namespace`.

    The folder must be one that real nodes see: not below /run, /var/lib or /var/log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    size = {"storage": "1Gi"}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{NAME}-{namespace}"},
        "spec": {
            **common,
            "capacity": size,
            "claimRef": {"namespace": namespace, "name": NAME},
            "hostPath": {"path": str(folder)},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {
            **common,
            "resources": {"requests": size},
            "volumeName": f"{NAME}-{namespace}",
        },
    }
    both = {"apiVersion": "v1", "kind": "List", "items": [volume, claim]}
    control_plane.kubectl("create", "-f", "-", stdin=json.dumps(both))
    return NAME
