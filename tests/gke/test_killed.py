"""`kill -9` at any moment of `up` and of `down`: the next one goes on from there.

What is killed is ray-gke alone, whose Terraform lives on, or everything at once.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cluster.bed import Bed
from tests.gke import small_platform
from tests.gke.small_platform import There
from tests.gke.world import World

pytestmark = pytest.mark.cluster

KILLS = {"up": 50, "down": 50}
CHAINS = 5
_LONG, _SHORT = 5, 2
_PATIENCE_SECONDS = 120
_USAGE = 2
_NOTHING_IS_UP = f"nothing of the platform {small_platform.NAME} is up"


@dataclass
class Undisturbed:
    """How long commands take that nothing disturbs, and what `up` comes to."""

    seconds: dict[str, float] = field(default_factory=dict)
    there: There | None = None


@dataclass
class Chain:
    """Commands of one platform, one after the other; some of them are killed."""

    gke: World
    undisturbed: Undisturbed
    seed: int
    chance: random.Random = field(init=False)
    kills: Counter[str] = field(default_factory=Counter)
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        small_platform.write(self.gke)
        # The first ones of all are those that the others are compared with.
        if "up" not in self.undisturbed.seconds:
            self.undisturbed.seconds["up"] = self.run("up")
            wait_until_rayclusters_go(self.gke.bed)
            self.undisturbed.seconds["down"] = self.run("down")

    def go_on(self, *, long: bool) -> None:
        """Kill `up` after `up` until all is there, then `down` after `down`.

        Where it is not to be long, what killed ones have made is taken away.
        """
        ups = self.kills["up"]
        ended = self._kill_often("up", _LONG if long else _SHORT)
        if not ended and (long or self.kills["up"] == ups):
            self.run("up")
        if not self._kill_often("down", _LONG):
            self.run("down")

    def _kill_often(self, word: str, most: int) -> bool:
        """Kill commands, each going on after the one before; tell whether one ended.

        Their moments are in order: each is that of a command with less to do.
        """
        times = min(most, KILLS[word] // CHAINS - self.kills[word])
        whole = self.undisturbed.seconds[word]
        moments = sorted(self.chance.uniform(0, whole) for _ in range(times))
        return not all(self.kill(word, moment) for moment in moments)

    def kill(self, word: str, moment: float) -> bool:
        """Start a command and kill it; tell whether it lived so long."""
        begun = time.monotonic()
        started = self.gke.start(word)
        alone = self.kills[word] % 2 == 0
        try:
            said = started.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            if alone:
                started.kill()
            else:
                self.gke.end_processes()
            started.communicate()
            self.kills[word] += 1
            what = "ray-gke" if alone else "everything"
            self.history.append(f"{word}: {what} was killed after {moment:.2f} s")
            return True
        self._ended(word, started.returncode, said, begun)
        return False

    def run(self, word: str) -> float:
        """Run a command to its end: there is what an undisturbed one leaves."""
        begun = time.monotonic()
        started = self.gke.start(word)
        said = started.communicate(timeout=_PATIENCE_SECONDS)
        return self._ended(word, started.returncode, said, begun)

    def _ended(
        self, word: str, code: int, said: tuple[str, str], begun: float
    ) -> float:
        seconds = time.monotonic() - begun
        self.history.append(f"{word}: ended with {code} after {seconds:.2f} s")
        # The one that was killed may have done all.
        did_all = word == "down" and _NOTHING_IS_UP in said[1]
        assert code == (_USAGE if did_all else 0), "\n".join([str(self), *said])
        if self.undisturbed.there is None:
            self.undisturbed.there = There.of(self.gke)
        try:
            if word == "up":
                small_platform.comes_to(self.gke, self.undisturbed.there)
                small_platform.nothing_came_twice(self.gke)
            else:
                small_platform.leaves_nothing(self.gke)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), str(self), *said])) from error
        return seconds

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}", *self.history])


@pytest.fixture(scope="module")
def undisturbed() -> Undisturbed:
    return Undisturbed()


@pytest.mark.parametrize("seed", range(CHAINS))
def test_the_next_one_goes_on_wherever_it_was_killed(
    gke: World, undisturbed: Undisturbed, seed: int
) -> None:
    chain = Chain(gke, undisturbed, seed)
    each = {word: number // CHAINS for word, number in KILLS.items()}
    for number in itertools.count():
        if chain.kills == each:
            break
        chain.go_on(long=number % 2 == 0)
    small_platform.leaves_nothing(gke)


def wait_until_rayclusters_go(bed: Bed) -> None:
    """Wait until Kubernetes takes them away soon after they are deleted.

    Its garbage collector looks for new kinds every half a minute.
    """
    head: dict[str, Any] = {
        "rayStartParams": {},
        "template": {"spec": {"containers": []}},
    }
    probe = {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "probe"},
        "spec": {"suspend": True, "headGroupSpec": head},
    }
    bed.control_plane.apply(json.dumps(probe), namespace="default")
    bed.kubectl(
        "delete", "raycluster", "probe", "-n", "default", "--cascade=foreground"
    )
