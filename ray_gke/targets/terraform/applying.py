"""An apply while it goes on: what is done, what is not, and how long it may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ray_gke.events import Emit, Progress
from ray_gke.targets.terraform import durations
from ray_gke.targets.terraform.changes import ResourceChange
from ray_gke.targets.terraform.messages import Message, Work

_DONE = {"create": "created", "update": "changed", "delete": "deleted"}


@dataclass
class Applying:
    """The changes of one apply; `hears` is told what Terraform says."""

    title: str
    step: str
    todo: Sequence[ResourceChange]
    emit: Emit
    _pending: dict[str, tuple[str, float]] = field(init=False)
    _doing: dict[str, None] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What is replaced is deleted first, and then one to create.
        self._pending = {one.address: (one.action, 0.0) for one in self.todo}

    def hears(self, message: Message) -> None:
        """Take in a message, and tell how far it has come."""
        if not isinstance(message, Work) or message.action not in _DONE:
            return
        finished = ""
        match message.state:
            case "started":
                self._doing[message.address] = None
            case "working":
                self._pending[message.address] = (message.action, message.seconds)
            case "done":
                finished = self._finished(message)
            case _:
                self._doing.pop(message.address, None)
        self.emit(
            Progress(
                self.title,
                self.step,
                len(self.todo) - len(self._pending),
                len(self.todo),
                tuple(self._doing),
                finished,
                durations.seconds_left(self._pending),
            )
        )

    def summary(self) -> str:
        """Return in a few words what was done: `3 created, 1 changed`."""
        done = [f"{n} {word}" for word, n in self._counts.items()]
        return ", ".join(done) or "outputs changed"

    def _finished(self, work: Work) -> str:
        self._doing.pop(work.address, None)
        planned, _ = self._pending.get(work.address, ("", 0.0))
        if planned == "replace" and work.action == "delete":
            self._pending[work.address] = ("create", 0.0)
        else:
            self._pending.pop(work.address, None)
        word = _DONE[work.action]
        self._counts[word] = self._counts.get(word, 0) + 1
        return f"{word} {work.address}"
