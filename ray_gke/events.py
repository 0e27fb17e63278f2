"""What happens while a target works, as values; `reporting` tells them to people.

A target never prints: it calls the `Emit` it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StepStarted:
    """A step of a run begins; `step` is its short name, `title` what a person reads.

    `then` is the title of the step that comes next, if one does.
    """

    name: str
    step: str
    title: str
    then: str = ""


@dataclass(frozen=True)
class StepFinished:
    """The step succeeded after `seconds`; `detail` is what came of it."""

    name: str
    step: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a step has come that works on `total` things.

    `doing` are those that are worked on now, `finished` tells which was just done, and
    how; `seconds_left` is an estimate.
    """

    name: str
    step: str
    done: int
    total: int
    doing: tuple[str, ...] = ()
    finished: str = ""
    seconds_left: float | None = None


@dataclass(frozen=True)
class Note:
    """Something a person should know; `warning` when they may want to act on it."""

    name: str
    text: str
    warning: bool = False


@dataclass(frozen=True)
class LogLine:
    """A line that the workload itself wrote."""

    name: str
    source: str
    text: str


@dataclass(frozen=True)
class Ready:
    """A cluster or service can be used now; `urls` by what they are for."""

    name: str
    kind: str
    urls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """A run ended, or it is not waited for any more.

    `status` is in Ray's words: SUCCEEDED, FAILED, STOPPED, RUNNING; or it is DOWN, or
    APPLIED when it is in the cluster and nobody has seen it ready yet.
    """

    name: str
    status: str
    seconds: float
    message: str = ""


Event = StepStarted | StepFinished | Progress | Note | LogLine | Ready | Finished
Emit = Callable[[Event], None]
