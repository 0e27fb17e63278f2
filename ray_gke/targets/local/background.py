"""A detached `up`: the same `up` in a process of its own, which outlives ours.

`python -m ray_gke.targets.local.background` takes the plan on its input, to which only
its parent can write, and tells its events as lines of JSON in the run's folder.
"""

from __future__ import annotations

import json
import pickle
import signal
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from ray_gke import errors, events
from ray_gke.errors import FailedError, Place, Problem, RayGkeError
from ray_gke.events import Emit, Event, Finished, StepFinished
from ray_gke.planning.plan import Plan
from ray_gke.targets.local import processes, state
from ray_gke.targets.local.log_lines import GrowingFile, tail
from ray_gke.targets.local.run_folder import writing

if TYPE_CHECKING:
    from subprocess import Popen

    from ray_gke.targets.local.run_folder import RunFolder

_MODULE = "ray_gke.targets.local.background"
_POLL_SECONDS = 0.1


def start(plan: Plan, emit: Emit) -> Finished:
    """Start `up` in the background, and tell what it does until the job is submitted.

    Ctrl-C until then ends it as it ends `up` itself.
    """
    run = state.make(plan.name)
    with state.locked(run), writing(run.path):
        if processes.of_run(run.path):
            raise state.already_runs(run.name)
        run.events.write_bytes(b"")
        run.background_log.write_bytes(b"")
        for file in (run.events, run.background_log):
            file.chmod(0o600)
    begun = time.monotonic()
    process = processes.start_fed(
        [sys.executable, "-m", _MODULE],
        feed=pickle.dumps(plan),
        log=run.background_log,
    )
    with GrowingFile(run.events) as told:
        job_id = _Follower(run, process, emit, told).until_submitted()
    return Finished(run.name, "RUNNING", time.monotonic() - begun, job_id)


class _Follower:
    """Passes on what the background tells."""

    def __init__(
        self, run: RunFolder, process: Popen[bytes], emit: Emit, file: GrowingFile
    ) -> None:
        self._run = run
        self._process = process
        self._emit = emit
        self._file = file

    def until_submitted(self) -> str:
        """Return the id of the submitted job, or raise what the background raised."""
        while True:
            try:
                ended = self._process.poll() is not None
                for line in self._file.last() if ended else self._file.lines():
                    event = _parse(line)
                    self._emit(event)
                    if isinstance(event, StepFinished) and event.step == "submit":
                        return event.detail
                if ended:
                    self._give_up()
                time.sleep(_POLL_SECONDS)
            except KeyboardInterrupt:
                self._process.terminate()

    def _give_up(self) -> NoReturn:
        lines = "\n".join(tail(self._run.background_log, 5))
        raise FailedError(
            f"the background process of {self._run.name} ended with exit code "
            f"{self._process.returncode}:\n{lines}"
        )


def _line(event: Event) -> str:
    return json.dumps({"event": type(event).__name__, **asdict(event)})


def _error_line(error: RayGkeError) -> str:
    problems = [asdict(problem) for problem in error.problems]
    return json.dumps({"error": type(error).__name__, "problems": problems})


def _parse(line: str) -> Event:
    """Return the event of a line; raises the error of a line that carries one."""
    data: dict[str, Any] = json.loads(line)
    if "error" in data:
        raise _error(data["error"], data["problems"])
    event: Event = getattr(events, data.pop("event"))(**data)
    return event


def _error(kind: str, problems: list[dict[str, Any]]) -> RayGkeError:
    error: RayGkeError = getattr(errors, kind)("")
    error.problems = tuple(
        Problem(p["message"], Place(**p["place"]) if p["place"] else None, p["hint"])
        for p in problems
    )
    error.args = (error.problems[0].message,)
    return error


def main() -> None:
    """Run `up` of the plan on our input; SIGTERM is Ctrl-C."""
    from ray_gke.targets.local.up import up

    signal.signal(signal.SIGTERM, _interrupt)
    plan: Plan = pickle.load(sys.stdin.buffer)  # noqa: S301  our parent wrote it
    with state.folder(plan.name).events.open("a", encoding="utf-8") as file:
        try:
            up(plan, lambda event: _tell(file, _line(event)))
        except RayGkeError as error:
            _tell(file, _error_line(error))
            sys.exit(error.exit_code)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _tell(file: TextIO, line: str) -> None:
    print(line, file=file, flush=True)


if __name__ == "__main__":
    main()
