"""`up` and `down` on days on which the API server, or the way to it, is bad."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.cluster.fault_proxy import EVEN, FaultProxy
from tests.kubernetes import lives
from tests.kubernetes.desk import Desk
from tests.kubernetes.holdings import Holdings
from tests.kubernetes.lives import in_parallel, new_life

pytestmark = pytest.mark.cluster

RATE = 0.25
RUNS = {"stays": 60, "serves": 20, "works": 20}


def test_a_hundred_runs_come_up_and_go_whatever_the_api_does(desk: Desk) -> None:
    lives.write(desk)
    wanted = {name: lives.undisturbed(desk, name, "--detach") for name in RUNS}
    names = [name for name, number in RUNS.items() for _ in range(number)]
    met: Counter[str] = Counter()

    def live(seed: int) -> int:
        return _lives(desk, names[seed], seed, wanted[names[seed]], met)

    faults = in_parallel(live, range(len(names)))
    assert min(faults) > 0
    assert sum(faults) > 5 * len(names)
    assert met.keys() == EVEN.keys()


def _lives(
    desk: Desk, name: str, seed: int, wanted: Holdings, met: Counter[str]
) -> int:
    """Bring a run up and down; return how many faults it met."""
    life = new_life(desk, name, f"faulty-{seed}")
    with FaultProxy(
        desk.cluster, desk.folder / life.namespace, seed=seed, rate=RATE
    ) as proxy:
        life.kubeconfig = proxy.kubeconfig
        try:
            life.done("up", "--detach")
            life.comes_to(wanted)
            life.done("down")
            life.leaves_nothing()
        except AssertionError as error:
            error.add_note(f"seed {seed}, {name}, faults: {dict(proxy.done)}")
            raise
        met.update(proxy.done)
        return proxy.done.total()
