"""The commands that put KubeRay into a cluster, as hints have them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ray_gke.versions import KUBERAY_VERSION

_CHART = "https://ray-project.github.io/kuberay-helm/"
_DEFINITIONS = "github.com/ray-project/kuberay/ray-operator/config/crd"


def install(version: str = KUBERAY_VERSION) -> str:
    """Return the command that installs KubeRay, or brings back what is missing."""
    return f"{_add()} && {_upgrade(version, 'kuberay-system')} --create-namespace"


def upgrade(namespace: str, version: str = KUBERAY_VERSION) -> str:
    """Return the command for a newer KubeRay; Helm leaves the definitions as they are.

    The definitions come first, so that the operator finds the fields that it writes.
    """
    definitions = (
        "kubectl apply --server-side --force-conflicts "
        f"-k '{_DEFINITIONS}?ref=v{version}'"
    )
    return f"{definitions} && {_add()} && {_upgrade(version, namespace)}"


def open_gates(namespace: str, version: str, gates: Mapping[str, bool]) -> str:
    """Return the command that makes these all of the operator's feature gates."""
    given = [{"name": gate, "enabled": on} for gate, on in gates.items()]
    values = f"--reuse-values --set-json 'featureGates={json.dumps(given)}'"
    return f"{_add()} && {_upgrade(version, namespace)} {values}"


def _add() -> str:
    return f"helm repo add kuberay {_CHART}"


def _upgrade(version: str, namespace: str) -> str:
    return (
        "helm upgrade --install kuberay-operator kuberay/kuberay-operator "
        f"--version {version} --namespace {namespace}"
    )
