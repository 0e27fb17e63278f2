"""The files of a blueprint's folder, as a ConfigMap that every Ray container mounts.

The Serve config is not among them: it travels in the RayService itself. Else an edit
of it would change the pods, and KubeRay would bring up a whole new cluster for it.
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Mapping

from ray_gke.planning.plan import Plan
from ray_gke.rendering.templates import Manifest

MOUNT = "/home/ray/blueprint"
MOUNTED = {"name": "blueprint", "mountPath": MOUNT, "readOnly": True}

_READ_AND_EXECUTE = 0o555
_LONGEST_KEY = 253


def name(plan: Plan) -> str:
    """Return the plain name of the ConfigMap; `content_names` adds to it."""
    return f"{plan.name}-files"


def shipped(plan: Plan) -> Mapping[str, bytes]:
    """Return the files that the ConfigMap holds, by their path in the folder."""
    if plan.kind != "service":
        return plan.files
    left_out = posixpath.normpath(plan.workload.serve_config)
    return {path: file for path, file in plan.files.items() if path != left_out}


def volume(plan: Plan) -> Manifest | None:
    """Return the pod's volume, or None when the blueprint has no files."""
    if not shipped(plan):
        return None
    items = [{"key": key, "path": path} for path, key in keys(plan).items()]
    source = {"name": name(plan), "defaultMode": _READ_AND_EXECUTE, "items": items}
    return {"name": MOUNTED["name"], "configMap": source}


def texts(plan: Plan) -> dict[str, str] | None:
    """Return the files that are UTF-8, by key."""
    files = shipped(plan)
    found = {key: _text(files[path]) for path, key in keys(plan).items()}
    return {key: text for key, text in found.items() if text is not None} or None


def binaries(plan: Plan) -> dict[str, str] | None:
    """Return the other files in Base64, by key."""
    files = shipped(plan)
    return {
        key: base64.b64encode(files[path]).decode()
        for path, key in keys(plan).items()
        if _text(files[path]) is None
    } or None


def keys(plan: Plan) -> dict[str, str]:
    """Return the key of every file: its path, as far as a ConfigMap allows it."""
    chosen: dict[str, str] = {}
    taken: set[str] = set()
    for path in sorted(shipped(plan)):
        word = re.sub(r"[^-._a-zA-Z0-9]", "-", path.replace("/", "."))
        key = word.strip(".")[-_LONGEST_KEY + 10 :] or "file"
        number = 1
        while key in taken:
            number += 1
            key = f"{number}-{key}"
        taken.add(key)
        chosen[path] = key
    return chosen


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
