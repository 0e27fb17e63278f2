"""What can be asked of what runs, wherever it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ray_gke.events import Emit, LogLine, Note
from ray_gke.targets.explanation import Explanation
from ray_gke.targets.runs import Opened, Run


class Target(Protocol):
    """A place where runs are: this machine, or a namespace of a cluster.

    Everything that takes a name raises UsageError when nothing has it.
    """

    def names(self) -> list[str]:
        """Return the names of what is up."""

    def runs(self) -> list[Run]:
        """Return all runs that are known."""

    def run(self, name: str) -> Run:
        """Return one run, as it is now."""

    def down(self, name: str, emit: Emit) -> None:
        """End a run and remove all of it, and nothing else."""

    def logs(
        self, name: str, *, group: str | None, previous: bool, follow: bool
    ) -> Iterator[LogLine | Note]:
        """Return what a workload has written, each line once.

        Of its pods in `group`, or of their containers before the last restart.
        """

    def opened(self, name: str) -> AbstractContextManager[Opened]:
        """Return where dashboard and service answer on this machine, while it is open.

        `Opened.lasting` tells that they go on answering afterwards.
        """

    def submit(
        self,
        name: str,
        entrypoint: str,
        emit: Emit,
        *,
        working_dir: Path | None,
        detach: bool,
    ) -> None:
        """Run a command as a job on what is up."""

    def explain(self, name: str) -> Explanation:
        """Return why something of a run is pending or failing."""
