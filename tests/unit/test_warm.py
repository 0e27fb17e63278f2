from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from ray_gke.errors import InvalidError, Place
from ray_gke.planning.capacity import Capacity
from ray_gke.planning.pools import capacity
from ray_gke.planning.runs import Run
from tests.pool_plans import SITE, SLICE, group, plan


def planned(*runs: Run) -> Capacity:
    return capacity(runs, SITE)


def sliced(name: str, least: int, most: int, warm: int) -> Run:
    need = replace(SLICE, min_replicas=least, max_replicas=most)
    workers = group("gpu", need, warm_replicas=warm)
    place = Place(f"{name}.yaml", 7, 3, "warm_replicas")
    return Run(plan(name, workers), warm_places={"gpu": place})


def test_balloons_are_worker_slots_on_the_same_node() -> None:
    found = planned(sliced("demo", 1, 7, 6))
    pool = next(p for p in found.pools if p.partition)
    assert [(on.pods, on.balloons) for on in pool.minimum[0].pods] == [
        (1, False),
        (6, True),
    ]
    assert {on.pod for on in pool.minimum[0].pods} == {pool.maximum[0].pods[0].pod}
    assert (pool.nodes_at_minimum, pool.nodes_at_maximum) == (1, 1)
    # The node is there for the worker anyway.
    assert found.cost.warm == 0


def test_warm_replicas_cost_the_nodes_that_are_there_for_them_alone() -> None:
    found = planned(sliced("demo", 0, 14, 8))
    item = next(i for i in found.cost.items if i.what.startswith("a2-highgpu-1g"))
    # 8 balloons of 7 slots are 2 nodes of 3.70, which stand empty otherwise.
    assert (item.warm, item.minimum, item.idle) == (
        Decimal("7.4"),
        Decimal("7.4"),
        Decimal(0),
    )


def test_more_balloons_than_the_pool_holds_are_refused_at_their_place() -> None:
    with pytest.raises(InvalidError) as caught:
        planned(sliced("demo", 3, 7, 7))
    (problem,) = caught.value.problems
    assert problem.place == Place("demo.yaml", 7, 3, "warm_replicas")
    assert "1 node" in problem.message
    assert problem.hint == "set warm_replicas to at most 4, or raise max_replicas"


def test_following_the_advice_of_every_problem_is_enough() -> None:
    with pytest.raises(InvalidError) as caught:
        planned(sliced("a", 2, 4, 4), sliced("b", 2, 3, 3))
    hints = {p.place.file: p.hint for p in caught.value.problems if p.place}
    # Four workers leave three of the seven slots: a is served first.
    assert hints == {
        "a.yaml": "set warm_replicas to at most 3, or raise max_replicas",
        "b.yaml": "set warm_replicas to at most 0, or raise max_replicas",
    }
    assert planned(sliced("a", 2, 4, 3), sliced("b", 2, 3, 0)).groups
