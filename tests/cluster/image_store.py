"""The folder of a containerd that has our images: made once, then copied as links.

To import them takes half a minute, and each test run starts a node.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from tests.cluster import ray_image
from tests.cluster.containerd import Containerd
from tests.cluster.namespaces import Namespaces

# Files and layers of images are never changed in place; databases are.
_DATABASES = "*.db"


def copy(target: Path) -> None:
    """Copy the folder, which is built first where the cache has none, to `target`."""
    store = _built()
    link = ["cp", "--recursive", "--preserve=all", "--no-target-directory"]
    done = subprocess.run(
        [*link, "--link", store, target], capture_output=True, text=True, check=False
    )
    if done.returncode:
        # There are no links from one file system to another.
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run([*link, store, target], check=True)
    for database in store.rglob(_DATABASES):
        own = target / database.relative_to(store)
        own.unlink()
        shutil.copy2(database, own)


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
    namespaces = Namespaces(folder, seen={})
    containerd = Containerd(namespaces, pods="10.0.0.0/24", registry="127.0.0.1:1")
    try:
        namespaces.start()
        containerd.start()
        containerd.ctr("images", "import", archive)
    finally:
        namespaces.stop()
        containerd.stop()
    (namespaces.state / "containerd").rename(store)
    shutil.rmtree(folder)
