"""Tell how long the steps of a run take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ray_gke.events import Emit, StepFinished, StepStarted
from ray_gke.planning.plan import WorkloadKind

TITLES = {
    "head": "start the head",
    "workers": "start the workers",
    "submit": "submit the job",
    "job": "run the job",
    "deploy": "deploy the service",
    "drain": "drain the cluster",
    "doctor": "look at the project",
    "plan": "plan the cloud",
    "platform": "make cluster and pools",
    "addons": "install the add-ons",
    "check": "look at the cluster",
    "apply": "apply the objects",
    "ready": "wait until it is ready",
    "begin": "see that it begins",
    "prune": "remove what is gone",
    "down": "remove the objects",
    "rest": "remove disks and more",
    "remove addons": "remove the add-ons",
    "remove platform": "remove the cluster",
    "left": "look for what is left",
    "sweep": "remove what is left",
}


def order(kind: WorkloadKind, *, workers: bool) -> tuple[str, ...]:
    """Return the steps of an `up`, in their order; services and clusters stay."""
    last = {"job": ("submit", "job", "drain"), "service": ("deploy",), "cluster": ()}
    return ("head", *(("workers",) if workers else ()), *last[kind])


@dataclass
class Outcome:
    """What came of a step; whoever does it fills in `detail`."""

    detail: str = ""


@contextmanager
def step(
    emit: Emit, name: str, short: str, steps: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Tell that a step begins and, when it succeeds, that it has ended.

    `steps` are all that are planned, so that people hear what comes next.
    """
    begun = time.monotonic()
    outcome = Outcome()
    following = steps[steps.index(short) + 1 :] if short in steps else ()
    then = TITLES[following[0]] if following else ""
    emit(StepStarted(name, short, TITLES[short], then))
    yield outcome
    emit(StepFinished(name, short, time.monotonic() - begun, outcome.detail))
