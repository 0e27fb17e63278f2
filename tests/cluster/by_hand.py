"""A test cluster in the background: brought up by one command, down by another.

A process of its own holds the cluster, and all that it started dies with it. Its
number and when it started stand in the folder, so that nothing else is ever ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from tests.cluster import bed, parts

_RECORD = "holder.json"
_READY = "ready"
_LOG = "holder.log"
_GRACE_SECONDS = 60
_PATIENCE_SECONDS = 900
"""The first time parts may have to be built; that is told in the log."""


class ByHandError(Exception):
    """It cannot be brought up or down; the message says why and what to do."""


def default_folder() -> Path:
    """Return where the cluster is when nobody says otherwise."""
    return parts.cache().parent / "test-cluster"


def up(folder: Path, *, real: bool = False) -> Path:
    """Start a cluster unless one runs there; return its kubeconfig once it is ready."""
    folder = folder.absolute()
    if not _is_held(folder):
        _refuse_strangers_folder(folder)
        _start_holder(folder, real=real)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (folder / _READY).exists():
        if not _is_held(folder):
            raise ByHandError(f"it did not come up:\n{_end_of_log(folder)}")
        if time.monotonic() > deadline:
            raise ByHandError(f"it is not ready yet: see {folder / _LOG}")
        time.sleep(0.1)
    return folder / "kubeconfig"


def down(folder: Path) -> None:
    """End the cluster that runs in `folder`, and remove the folder."""
    folder = folder.absolute()
    if not (folder / _RECORD).exists():
        return
    with contextlib.suppress(ProcessLookupError):
        _end(folder)
    if json.loads((folder / _RECORD).read_text())["real"]:
        from tests.cluster import real_node

        # A holder that was killed has left its network.
        real_node.clean(folder)
    shutil.rmtree(folder)


def hold(folder: Path, *, real: bool = False) -> None:
    """Run a cluster in this process until it is asked to end."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    with bed.running(folder, real=real):
        (folder / _READY).touch()
        asked.wait()


def _start_holder(folder: Path, *, real: bool) -> None:
    if folder.exists():
        down(folder)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.cluster", "hold", "--folder", str(folder)]
    with (folder / _LOG).open("ab") as log:
        process = subprocess.Popen(
            [*command, "--node"] if real else command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = psutil.Process(process.pid).create_time()
    record = {"pid": process.pid, "started": started, "real": real}
    (folder / _RECORD).write_text(json.dumps(record))


def _refuse_strangers_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _RECORD).exists():
        raise ByHandError(f"{folder} holds something else: name a new folder")


def _holder(folder: Path) -> psutil.Process:
    """Return the process that holds the cluster; ProcessLookupError without one."""
    try:
        record = json.loads((folder / _RECORD).read_text())
        process = psutil.Process(record["pid"])
        same = process.create_time() == record["started"]
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    except (FileNotFoundError, psutil.NoSuchProcess):
        pass
    raise ProcessLookupError(f"no process holds {folder}")


def _is_held(folder: Path) -> bool:
    try:
        _holder(folder)
    except ProcessLookupError:
        return False
    return True


def _end(folder: Path) -> None:
    """End the holder and wait: it ends what it started."""
    number = _holder(folder).pid
    handle = os.pidfd_open(number)
    try:
        # The handle is of the process that was recorded, or the next line says so.
        _holder(folder)
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not select.select([handle], [], [], _GRACE_SECONDS)[0]:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], _GRACE_SECONDS)
    finally:
        os.close(handle)


def _end_of_log(folder: Path) -> str:
    lines = (folder / _LOG).read_text(errors="replace").splitlines()
    return "\n".join(lines[-20:])
