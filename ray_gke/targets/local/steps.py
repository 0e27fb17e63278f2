"""Tell how long the steps of a run take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ray_gke.events import Emit, StepFinished, StepStarted


@dataclass
class Outcome:
    """What came of a step; whoever does it fills in `detail`."""

    detail: str = ""


@contextmanager
def step(emit: Emit, name: str, short: str, title: str) -> Iterator[Outcome]:
    """Tell that a step begins and, when it succeeds, that it has ended."""
    begun = time.monotonic()
    outcome = Outcome()
    emit(StepStarted(name, short, title))
    yield outcome
    emit(StepFinished(name, short, time.monotonic() - begun, outcome.detail))
