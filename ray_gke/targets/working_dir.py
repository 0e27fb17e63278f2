"""A folder as Ray takes it for a job: a package that the cluster knows by content."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from ray_gke.errors import FailedError, RefusedError, UsageError
from ray_gke.targets.ray_api import Dashboard, DashboardError

if TYPE_CHECKING:
    from _hashlib import HASH

MOST_BYTES = 500 * 2**20
"""Source: Ray's documentation of runtime environments, working_dir."""

_LEFT_OUT = frozenset({".git", "__pycache__", ".venv"})
_CHUNK = 2**20
_PART_SECONDS = 120
_EPOCH = (1980, 1, 1, 0, 0, 0)


def upload(dashboard: Dashboard, folder: Path) -> str:
    """Upload a copy of `folder`, unless the cluster has it; return its address there.

    Raises UsageError when there is no such folder, RefusedError when it is too large.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="--working-dir names it")
    with tempfile.TemporaryDirectory(prefix="ray-gke-") as place:
        package = Path(place) / "working_dir.zip"
        name = f"_ray_pkg_{_pack(folder, package)}.zip"
        path = f"/api/packages/gcs/{name}"
        if not _is_there(dashboard, path):
            _put(dashboard, path, package)
    return f"gcs://{name}"


def _is_there(dashboard: Dashboard, path: str) -> bool:
    try:
        dashboard.get(path)
    except DashboardError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise _refused(error) from None
        return False
    return True


def _put(dashboard: Dashboard, path: str, package: Path) -> None:
    try:
        dashboard.put_file(path, package, timeout=_PART_SECONDS)
    except DashboardError as error:
        raise _refused(error) from None


def _refused(error: DashboardError) -> FailedError:
    lines = str(error).splitlines() or ["no reason given"]
    return FailedError(f"Ray did not take the working directory: {lines[-1]}")


def _pack(folder: Path, package: Path) -> str:
    """Write the package, and return a word that follows from what is in it."""
    total = hashlib.sha256()
    try:
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in _files(folder):
                _add(archive, path, path.relative_to(folder).as_posix(), total)
                if package.stat().st_size > MOST_BYTES:
                    raise _too_large(folder)
    except OSError as error:
        raise RefusedError(
            f"{error.filename or folder}: {error.strerror}",
            hint="the working directory is copied; each file must be readable",
        ) from None
    if package.stat().st_size > MOST_BYTES:
        raise _too_large(folder)
    return total.hexdigest()[:16]


def _add(archive: zipfile.ZipFile, path: Path, name: str, total: HASH) -> None:
    # Its date must not matter, or the same content would be uploaded again.
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = stat.S_IMODE(path.stat().st_mode) << 16
    content = hashlib.sha256()
    with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as into:
        while chunk := source.read(_CHUNK):
            content.update(chunk)
            into.write(chunk)
    total.update(f"{name}\0{entry.external_attr}\0{content.hexdigest()}\0".encode())


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        for name in sorted(names):
            path = Path(place) / name
            # Sockets and pipes cannot be copied, and a broken link leads nowhere.
            if path.is_file():
                yield path


def _too_large(folder: Path) -> RefusedError:
    return RefusedError(
        f"{folder} is larger than the {MOST_BYTES // 2**20} MiB that Ray takes",
        hint="leave data out of it: jobs read that from storage",
    )
