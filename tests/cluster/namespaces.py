"""Namespaces of a real node: its processes, mounts and network end with one process."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import select
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.cluster.processes import Program, eventually

_STATE = {"lib": "/var/lib", "log": "/var/log", "run": "/run"}
"""Folders that the programs of a node write to, and ours for each."""
_INIT = Path(__file__).with_name("node_init.py")
_PATIENCE_SECONDS = 30


class Namespaces:
    """Network, mounts and processes of the node whose state is in `folder`."""

    def __init__(self, folder: Path, *, seen: Mapping[str, Path]) -> None:
        """Prepare; inside, `seen` files and folders are in place of the machine's."""
        self.folder = folder
        self._seen = dict(seen)
        self._ready = folder / "namespaces.ready"
        self._pid: int | None = None
        self.cgroup = _cgroup_name(folder)
        """The cgroup of all pods, below the root of each hierarchy."""
        self.program = Program(
            "namespaces",
            [
                *(
                    "/usr/bin/unshare",
                    "--net",
                    "--mount",
                    "--pid",
                    "--fork",
                    "--kill-child",
                ),
                *("--mount-proc", sys.executable, "-I", "-S", _INIT, self._ready),
                *(part for mount in self._mounts() for part in mount),
            ],
            log=folder / "logs" / "namespaces.log",
            ready=self._ready.exists,
        )

    @property
    def state(self) -> Path:
        """The folder that is `/var/lib` inside."""
        return self.folder / "lib"

    @property
    def pid(self) -> int:
        """The first process inside, as this machine numbers it."""
        assert self._pid is not None, "the namespaces were not started"
        return self._pid

    def start(self) -> None:
        """Make the namespaces, with nothing in them but their first process."""
        self._ready.unlink(missing_ok=True)
        for name in _STATE:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for hierarchy in _hierarchies():
            (hierarchy / self.cgroup).mkdir(exist_ok=True)
        self.program.start()
        # Its child is the first in the new namespace of processes.
        task = Path(f"/proc/{self.program.pid}/task/{self.program.pid}/children")
        self._pid = int(task.read_text())

    def stop(self) -> None:
        """End all that is inside; its files stay."""
        if self._pid is not None:
            with _handle(self._pid) as ended:
                self.program.kill()
                select.select(ended, [], [], _PATIENCE_SECONDS)
            self._pid = None
        clean(self.folder)

    def inside(self, *command: str | Path) -> list[str | Path]:
        """Return the command that runs `command` inside."""
        target = (
            "/usr/bin/nsenter",
            f"--target={self.pid}",
            "--net",
            "--mount",
            "--pid",
        )
        return [*target, "--", *command]

    def _mounts(self) -> Iterator[tuple[str | Path, str]]:
        for target, source in self._seen.items():
            yield source, target
        for name, target in _STATE.items():
            yield self.folder / name, target


def clean(folder: Path) -> None:
    """Remove the cgroups of a node that has ended, also of one that was killed."""
    for hierarchy in _hierarchies():
        cgroup = hierarchy / _cgroup_name(folder)
        eventually(f"{cgroup} to be empty", functools.partial(_is_removed, cgroup))


def _is_removed(cgroup: Path) -> bool:
    with contextlib.suppress(OSError):
        for folder, _, _ in os.walk(cgroup, topdown=False):
            Path(folder).rmdir()
    return not cgroup.exists()


def _cgroup_name(folder: Path) -> str:
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()
    return f"ray-gke-{digest[:12]}"


def _hierarchies() -> list[Path]:
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return [Path(where) for _, where, kind, *_ in mounts if kind.startswith("cgroup")]


@contextlib.contextmanager
def _handle(pid: int) -> Iterator[list[int]]:
    """Yield what can be waited for, for as long as the process lives."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield []
        return
    try:
        yield [handle]
    finally:
        os.close(handle)
