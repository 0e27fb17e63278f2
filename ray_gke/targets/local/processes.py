"""Processes of a run: start them, find them again, end them and nothing else.

Every process that belongs to a run carries its folder in an environment variable,
which its children inherit. So they are found also when the record of the run is lost,
and a look-alike is never taken for one of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

MARKER = "RAY_GKE_RUN_FOLDER"
_POLL_SECONDS = 0.02
# A Popen complains when it is forgotten while its process lives, as a service's does.
_children: list[subprocess.Popen[bytes]] = []


def output(argv: Sequence[str], timeout: float = 10) -> str:
    """Return what `argv` prints, or nothing when it cannot run."""
    try:
        done = subprocess.run(  # noqa: S603
            argv, capture_output=True, text=True, timeout=timeout, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def start(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start `argv` as leader of a session of its own, which Ctrl-C does not reach."""
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603
            argv,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _remembered(process)


def start_fed(
    argv: Sequence[str], *, feed: bytes, log: Path
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own and give it `feed` on its input."""
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603
            argv,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert process.stdin
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(feed)
    return _remembered(process)


def _remembered(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    _children.append(process)
    return process


def _forget_ended_children() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until a child has ended, and kill it when that takes longer."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def started_at(pid: int) -> float | None:
    """Return when the process `pid` started, which tells it from a later namesake."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def is_alive(pid: int, started: float | None = None) -> bool:
    """Whether `pid` runs, is not a zombie, and is the one that started then."""
    import psutil

    try:
        process = psutil.Process(pid)
        same = started is None or abs(process.create_time() - started) < 0.05  # noqa: PLR2004
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def of_run(folder: Path) -> list[psutil.Process]:
    """Return the living processes of the run in `folder`, without the one that asks.

    These are all of this user that carry the marker, and whatever descends from them
    or shares a session that one of them leads.
    """
    import psutil

    mine = os.getuid()
    others = [p for p in psutil.process_iter() if p.pid != os.getpid()]
    own = [p for p in others if _uid(p) == mine]
    marked = {p.pid: p for p in own if _marker(p) == str(folder)}
    sessions = {pid for pid in marked if _session(pid) == pid}
    related = {p.pid: p for p in own if _session(p.pid) in sessions}
    for process in list(marked.values()):
        with contextlib.suppress(psutil.Error):
            related |= {p.pid: p for p in process.children(recursive=True)}
    related.pop(os.getpid(), None)
    return [p for p in {**related, **marked}.values() if _runs(p)]


def _uid(process: psutil.Process) -> int | None:
    import psutil

    try:
        return int(process.uids().real)
    except psutil.Error:
        return None


def _marker(process: psutil.Process) -> str | None:
    import psutil

    try:
        return process.environ().get(MARKER)
    except (psutil.Error, OSError):
        return None


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _runs(process: psutil.Process) -> bool:
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def end(processes: Iterable[psutil.Process], *, grace: float) -> None:
    """Ask `processes` to end and wait for it at most `grace` seconds.

    psutil refuses to signal a process whose number was taken over by another.
    """
    waiting = list(processes)
    _signal(waiting, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while waiting and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        waiting = [p for p in waiting if _runs(p)]
    _signal(waiting, signal.SIGKILL)
    _forget_ended_children()


def kill(processes: Iterable[psutil.Process], *, patience: float = 5) -> None:
    """Kill `processes` and wait until they are gone, at most `patience` seconds."""
    waiting = list(processes)
    _signal(waiting, signal.SIGKILL)
    deadline = time.monotonic() + patience
    while any(_runs(p) for p in waiting) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _forget_ended_children()


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def arguments(process: psutil.Process) -> list[str]:
    """Return the argument list of `process`, empty when it is gone."""
    import psutil

    try:
        return list(process.cmdline())
    except (psutil.Error, OSError):
        return []
