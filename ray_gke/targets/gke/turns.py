"""Of several commands on a platform's folder, one is at work.

Each writes variables, plans and states there, and would write over those of another.
"""

from __future__ import annotations

import fcntl
import functools
import os
from pathlib import Path

from ray_gke.errors import FailedError, RefusedError


@functools.cache
def take(folder: Path) -> int:
    """Keep other processes out of a folder until this one has ended, however it ends.

    Raises RefusedError while another one is at work there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FailedError(
            f"cannot write to {str(folder)!r}: {error.strerror}",
            hint="make room, or let this user write beside the platform file",
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, 20, 0).decode()
        os.close(lock)
        raise RefusedError(
            f"another ray-gke is at work in {str(folder)!r}: process {pid}",
            hint="wait for it to end, then try again",
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock
