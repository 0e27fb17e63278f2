"""The target `local`, as commands see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray_gke.errors import UsageError
from ray_gke.events import Emit, LogLine
from ray_gke.targets.explanation import Cause, Explanation
from ray_gke.targets.local.down import down
from ray_gke.targets.local.logs import logs
from ray_gke.targets.local.status import dashboard, names_of_running, run, runs
from ray_gke.targets.local.submit import submit
from ray_gke.targets.runs import Opened, Run


class ThisMachine:
    """The runs of this user on this machine; see `target.Target`."""

    def names(self) -> list[str]:
        """Return the names of the runs of which any process lives."""
        return names_of_running()

    def runs(self) -> list[Run]:
        """Return all runs that are remembered."""
        return runs()

    def run(self, name: str) -> Run:
        """Return one run."""
        return run(name)

    def down(self, name: str, emit: Emit) -> None:
        """End every process of a run."""
        down(name, emit)

    def logs(
        self, name: str, *, group: str | None, previous: bool, follow: bool
    ) -> Iterator[LogLine]:
        """Return what a workload has written; here are no pods to choose from."""
        if group or previous:
            raise UsageError(
                "--group and --previous are about pods, and here are none",
                hint="leave them out, or say --on kubernetes",
            )
        return logs(name, follow=follow)

    @contextmanager
    def opened(self, name: str) -> Iterator[Opened]:
        """Return where Ray's dashboard answers; it does so while the run is up."""
        yield dashboard(name)

    def submit(
        self,
        name: str,
        entrypoint: str,
        emit: Emit,
        *,
        working_dir: Path | None,
        detach: bool,
    ) -> None:
        """Run a command as a job on a run."""
        submit(
            name,
            entrypoint,
            working_dir=working_dir,
            runtime_env={},
            detach=detach,
            emit=emit,
        )

    def explain(self, name: str) -> Explanation:
        """Return what is remembered of how a run ended."""
        found = run(name)
        fix = f"ray-gke logs {name} shows more"
        causes = (Cause(found.message, fix=fix),) if found.message else ()
        return Explanation(name, "", found.kind, f"{name} is {found.status}", causes)
