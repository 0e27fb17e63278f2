"""The folder of a containerd that has our images: made once, then shared by nodes.

To import them takes half a minute, and each test run starts a node.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import ray_image
from tests.cluster.containerd import Containerd
from tests.cluster.namespaces import Namespaces

_PLACE = Path("/var/lib/containerd")
_LAYERS = "io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs"
_BLOBS = "blobs"


def share(target: Path) -> Mapping[str, Path]:
    """Fill the folder `target` of a containerd that is to have the images.

    Return the layers, which are to be seen in their places: a copy of all their files
    would take longer than all else that a node does before it is ready.
    """
    store = _built()
    shutil.copytree(store, target, ignore=_files_of_layers, copy_function=_copy)
    layers = sorted(store.glob(_LAYERS))
    return {str(_PLACE / layer.relative_to(store)): layer for layer in layers}


def _files_of_layers(folder: str, names: list[str]) -> list[str]:
    return names if Path(folder).name == "fs" else []


def _copy(source: str, target: str) -> None:
    """Copy a file; blobs are large, and never changed in place."""
    if _BLOBS in Path(source).parts:
        Path(target).symlink_to(source)
    else:
        shutil.copy2(source, target)


def _built() -> Path:
    archive = ray_image.archive()
    store = archive.with_suffix(".containerd")
    if not store.exists():
        with (archive.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not store.exists():
                _build(store, archive)
    return store


def _build(store: Path, archive: Path) -> None:
    """Let a containerd import the images; no pod ever runs there."""
    folder = store.with_suffix(".importing")
    shutil.rmtree(folder, ignore_errors=True)
    namespaces = Namespaces(folder)
    containerd = Containerd(namespaces, pods="10.0.0.0/24", registry="127.0.0.1:1")
    try:
        namespaces.start(seen={})
        containerd.start()
        containerd.ctr("images", "import", archive)
    finally:
        namespaces.stop()
        containerd.stop()
    (namespaces.state / "containerd").rename(store)
    shutil.rmtree(folder)
