"""A detached `up`: the same `up` in a process of its own, which outlives ours.

`python -m ray_gke.targets.local.background` takes the plan on its input, which only
we can write to, and tells its events as lines of JSON in the run's folder.
"""

from __future__ import annotations

import json
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Any

from ray_gke import errors, events
from ray_gke.errors import Problem, RayGkeError, RefusedError
from ray_gke.events import Emit, Event, Finished, StepFinished
from ray_gke.planning.plan import Plan
from ray_gke.targets.local import processes, state
from ray_gke.targets.local.log_lines import GrowingFile
from ray_gke.targets.local.state import RunFolder

_MODULE = "ray_gke.targets.local.background"
_POLL_SECONDS = 0.1
_ERROR = "error"


def start(plan: Plan, emit: Emit) -> Finished:
    """Start `up` in the background, and tell what it does until the job is submitted."""
    run = state.make(plan.name)
    with state.locked(run), state.writing(run.path):
        if processes.of_run(run.path):
            raise state.already_runs(run.name)
        run.events.unlink(missing_ok=True)
    begun = time.monotonic()
    process = processes.start_fed(
        [sys.executable, "-m", _MODULE],
        feed=pickle.dumps(plan),
        log=run.path / "background.log",
    )
    file = GrowingFile(run.events)
    try:
        while True:
            alive = process.poll() is None
            for line in file.lines() if alive else file.last():
                event = read(line)
                emit(event)
                if isinstance(event, StepFinished) and event.step == "submit":
                    return Finished(
                        run.name, "RUNNING", time.monotonic() - begun, event.detail
                    )
            ...
    except KeyboardInterrupt:
        process.terminate()
        raise
