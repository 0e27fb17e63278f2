"""Wait for runs together, and tell of each what came of it once that is certain.

All that are not ready yet are asked about in few requests. What they wait for needs
some for each, so of many only a few are looked at so closely at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ray_gke.errors import RayGkeError
from ray_gke.events import Emit, Note
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.apply import Application
from ray_gke.targets.kubernetes.parallel import THREADS
from ray_gke.targets.kubernetes.waiting import Waiting, ready_now

LAST_SECONDS = 5.0
"""Who is out of time still hears what it waited for."""

# A small part of the time that it has taken so far.
_POLL_SHARE, _POLL_SECONDS, _LONGEST_POLL_SECONDS = 1 / 60, 0.3, 2.0
# So long several that have begun together are most likely on their way.
_TOGETHER_SECONDS, _TOGETHER_POLL_SECONDS = 15.0, 0.5


@dataclass
class Readiness:
    """The wait for runs, which are `name` together.

    It has gone on since `began`, and ends at `deadline`, both on the monotonic clock.
    `failed` hears of each run that will not become ready, and the others go on unless
    it raises. Who is not ready at the deadline has failed too; with `detach` it is
    among those that are `left`.
    """

    api: Api
    emit: Emit
    name: str
    began: float
    deadline: float
    failed: Callable[[RayGkeError], None]
    detach: bool = False
    left: list[Waiting] = field(default_factory=list)
    _every: list[Waiting] = field(default_factory=list)
    _ready: list[Waiting] = field(default_factory=list)
    _told: int = 0
    _together_until: float = 0.0

    def of(self, runs: Sequence[Application]) -> list[Application]:
        """Return those that are ready, and rid of what their blueprints lack by now."""
        self._together_until = time.monotonic() + _TOGETHER_SECONDS
        self._every = [Waiting(one, self.began) for one in runs]
        self.left = list(self._every)
        last = False
        while self.left and not last:
            last = time.monotonic() > self.deadline
            self._look(last=last)
            if self.left and not last:
                self._tell()
                time.sleep(self._pause())
        self.left = [one for one in self._every if one in self.left]
        return [one.run for one in self._every if one in self._ready]

    def _look(self, *, last: bool) -> None:
        """Find out who is ready, and remove what is gone from those."""
        ready: list[Waiting] = []
        if self._several or not self._every[0].run.run.writes:
            ready = ready_now(self._soon(), self.left)
            self._leave(ready)
        some = self.left if last else self._next()
        closely = self._each(lambda one: self._is_ready(one, last=last), some)
        self._leave(closely)
        self._ready += self._each(self._prune, [*ready, *closely])

    @property
    def _several(self) -> bool:
        return bool(self._every[1:])

    def _next(self) -> list[Waiting]:
        """Return whom to look at closely now: some, in turns."""
        begin = any(one.run.run.writes for one in self.left)
        together = time.monotonic() < self._together_until
        if self._several and begin and together:
            return []
        some = self.left[:THREADS]
        self.left = [*self.left[THREADS:], *some]
        return some

    def _is_ready(self, one: Waiting, *, last: bool) -> bool:
        one.run.check()
        return one.look(self._soon(), last=last and not self.detach)

    def _prune(self, one: Waiting) -> bool:
        one.run.api = self._soon().guarded(one.run.check)
        one.run.prune()
        return True

    def _each(
        self, do: Callable[[Waiting], bool], some: Iterable[Waiting]
    ) -> list[Waiting]:
        """Return for whom it is true, asked at once; whoever raises has failed."""

        def outcome(one: Waiting) -> bool | RayGkeError:
            try:
                return do(one)
            except RayGkeError as error:
                return error

        several = list(some)
        done = []
        for one, result in zip(
            several, self.api.in_parallel(outcome, several), strict=True
        ):
            if isinstance(result, RayGkeError):
                self._leave([one])
                self.failed(result)
            elif result:
                done.append(one)
        return done

    def _leave(self, some: Iterable[Waiting]) -> None:
        gone = list(some)
        self.left = [one for one in self.left if one not in gone]

    def _soon(self) -> Api:
        """Return the cluster, asked until the deadline; after it still for a while.

        What fails for one run ends nothing of the others.
        """
        left = self.deadline - time.monotonic()
        return self.api.to_the_end(max(left, 0.0) + LAST_SECONDS)

    def _tell(self) -> None:
        for one in self.left:
            one.tell(self.emit)
        if len(self._ready) > self._told:
            self._told = len(self._ready)
            text = f"{self._told} of {len(self._every)} are ready"
            self.emit(Note(self.name, text))

    def _pause(self) -> float:
        share = (time.monotonic() - self.began) * _POLL_SHARE
        least = _TOGETHER_POLL_SECONDS if self._several else _POLL_SECONDS
        return min(max(share, least), _LONGEST_POLL_SECONDS)
