"""Bring a plan up on this machine."""

from __future__ import annotations

import time

from ray_gke.events import Emit, Finished, Note, Ready
from ray_gke.planning.machine import LocalPlan, fit
from ray_gke.planning.plan import Plan
from ray_gke.targets import ray_jobs
from ray_gke.targets.local import (
    background,
    processes,
    requirements,
    state,
)
from ray_gke.targets.local.attempt import Attempt
from ray_gke.targets.local.machine_facts import this_machine
from ray_gke.targets.local.run_folder import RunFolder


def up(plan: Plan, emit: Emit, *, detach: bool = False) -> Finished | Ready:
    """Bring `plan` up, and a job also down again when it has ended.

    With `detach` a job goes on in the background once it is submitted; clusters and
    services stay up anyway. Nothing is left running when it raises.
    """
    if detach and plan.kind == "job":
        detached = background.start(plan, emit)
        emit(detached)
        return detached
    notes = requirements.check(plan.ray_version)
    local = fit(plan, this_machine())
    run = state.make(plan.name)
    with state.locked(run):
        if processes.of_run(run.path):
            raise state.already_runs(run.name)
        for note in (*notes, *local.notes):
            emit(Note(plan.name, note))
        done = (
            _job(local, run, emit)
            if plan.kind == "job"
            else Attempt(local, run, emit).bring_up()
        )
    emit(done)
    return done


def _job(local: LocalPlan, run: RunFolder, emit: Emit) -> Finished:
    """Run the job, again on a new cluster as often as its backoff_limit says."""
    begun = time.monotonic()
    retries = local.plan.workload.backoff_limit
    result = Attempt(local, run, emit).run_job()
    for retry in range(1, retries + 1):
        if result.status != "FAILED":
            break
        emit(Note(run.name, f"the job failed; retry {retry} of {retries}", True))
        result = Attempt(local, run, emit).run_job()
    seconds = time.monotonic() - begun
    done = Finished(run.name, result.status, seconds, result.message)
    if result.status == "SUCCEEDED":
        return done
    emit(done)
    raise ray_jobs.failure(run.name, result)
