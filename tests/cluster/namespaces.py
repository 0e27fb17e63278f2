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

    def __init__(self, folder: Path) -> None:
        """Prepare; `folder` must not be below one that the node has for itself."""
        if any(folder.resolve().is_relative_to(place) for place in _STATE.values()):
            raise ValueError(f"{folder}: a node sees its own {list(_STATE.values())}")
        self.folder = folder
        self._program: Program | None = None
        self._pid: int | None = None
        self.cgroup = _cgroup_name(folder)
        """The cgroup of all pods, below the root of each hierarchy."""

    @property
    def state(self) -> Path:
        """The folder that is `/var/lib` inside."""
        return self.folder / "lib"

    @property
    def pid(self) -> int:
        """The first process inside, as this machine numbers it."""
        assert self._pid is not None, "the namespaces were not started"
        return self._pid

    def start(self, seen: Mapping[str, Path]) -> None:
        """Make the namespaces, with nothing in them but their first process.

        Inside, `seen` files and folders are in place of what is there.
        """
        for name in _STATE:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for hierarchy in _hierarchies():
            (hierarchy / self.cgroup).mkdir(exist_ok=True)
        self._program = self._init({**self._own_state(), **seen})
        self._program.start()
        # Its child is the first in the new namespace of processes.
        outer = self._program.pid
        self._pid = int(Path(f"/proc/{outer}/task/{outer}/children").read_text())

    def stop(self) -> None:
        """End all that is inside; its files stay."""
        if self._program and self._pid is not None:
            with _handle(self._pid) as ended:
                self._program.kill()
                select.select(ended, [], [], _PATIENCE_SECONDS)
        elif self._program:
            self._program.kill()
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

    def _own_state(self) -> dict[str, Path]:
        return {place: self.folder / name for name, place in _STATE.items()}

    def _init(self, mounts: Mapping[str, Path]) -> Program:
        ready = self.folder / "namespaces.ready"
        ready.unlink(missing_ok=True)
        kinds = ("--net", "--mount", "--pid", "--mount-proc")
        sources_and_targets = [
            p for target, source in mounts.items() for p in (source, target)
        ]
        return Program(
            "namespaces",
            [
                *("/usr/bin/unshare", *kinds, "--fork", "--kill-child"),
                *(sys.executable, "-I", "-S", _INIT, ready, *sources_and_targets),
            ],
            log=self.folder / "logs" / "namespaces.log",
            ready=ready.exists,
        )


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
