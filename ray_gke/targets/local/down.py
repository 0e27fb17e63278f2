"""Bring a run down, whatever state it is in."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from ray_gke.catalog.nearest import nearest
from ray_gke.errors import RefusedError, UsageError
from ray_gke.events import Emit, Note
from ray_gke.targets.local import processes, state
from ray_gke.targets.local.record import Record
from ray_gke.targets.local.run_folder import RunFolder
from ray_gke.targets.local.teardown import bring_down

_UP_SECONDS = 15


def down(name: str, emit: Emit) -> None:
    """End exactly the processes of the run `name`; its record and logs stay.

    Needs neither a whole record nor the `up` that started it. A run that has ended
    already is no error.
    """
    run = find(name)
    record = run.record()
    if not processes.of_run(run.path):
        run.remove_temp()
        _remember(run, record)
        emit(Note(name, f"{name} is not running"))
        return
    bring_down(run, emit)
    if record:
        _wait_for_up(record)
    _remember(run, record)


def find(name: str) -> RunFolder:
    """Return the run `name`, or raise UsageError with the nearest name there is."""
    runs = {run.name: run for run in state.all_runs()}
    if name in runs:
        return runs[name]
    near = nearest(name, runs)
    raise UsageError(
        f"there is no run {name!r} on this machine",
        hint=f"did you mean {near}?" if near else "ray-gke status lists all runs",
    )


def _remember(run: RunFolder, record: Record | None) -> None:
    if record and record.phase != "ended":
        with suppress(RefusedError):  # a full disk must not keep a cluster up
            run.write(
                replace(record, phase="ended", status="STOPPED", ended_at=time.time())
            )


def _wait_for_up(record: Record) -> None:
    """Give an `up` that still follows the run the time to see that it has ended."""
    deadline = time.monotonic() + _UP_SECONDS
    while record.phase != "ended" and time.monotonic() < deadline:
        if not _follows(record):
            return
        time.sleep(0.1)


def _follows(record: Record) -> bool:
    return record.kind == "job" and processes.is_alive(record.up_pid, record.up_started)
