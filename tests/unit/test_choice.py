"""The choice is the best of all there is: against a search that tries everything."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from ray_gke.catalog import prices
from ray_gke.catalog.gpu import Gpu
from ray_gke.gke.prices import Price, Prices
from ray_gke.gke.resources import Resources
from ray_gke.planning.choice import Candidate, NoMachine, choose, share
from ray_gke.planning.need import Need
from ray_gke.planning.site import Site
from tests.choice_search import GB, GIB, GPUS, KINDS, Answer, Request, nodes, searched

REQUESTS = 1000


def _need(request: Request) -> Need:
    gpu: dict[str, Any] = {"count": request.count}
    if request.memory:
        gpu["memory"] = str(request.memory)
        gpu["isolation"] = request.isolation
        gpu["accelerators"] = list(request.accelerators) or None
    elif request.count:
        gpu["accelerator"], gpu["partition"] = request.accelerator, request.partition
    if request.strategy:
        gpu["sharing"] = {
            "strategy": request.strategy,
            "max_shared_clients_per_gpu": request.clients,
        }
    return Need(
        Resources(request.cpu, request.ram),
        Gpu.model_validate(gpu) if request.count else None,
        request.kinds,
        "ours" if "reservation" in request.kinds else None,
        machine_type=request.machine,
        zones=request.zones,
        min_replicas=request.low,
        max_replicas=request.high,
    )


def _random(seed: int) -> Request:
    draw = random.Random(seed)
    region = draw.choice(["us-central1"] * 4 + ["europe-west4", "us-east4"])
    low = draw.choice([0, 0, 1, 1, 2, 5, draw.randint(0, 200)])
    every: dict[str, Any] = {
        "cpu": draw.choice([100, 500, 1000, 1500, 2000, 3100, 4000, 7500, 15000]),
        "ram": draw.choice([1, 2, 4, 4, 6, 9, 12, 24, 50, 100, 300]) * GIB,
        "kinds": tuple(
            draw.sample(KINDS[:3], draw.choice([1, 1, 2, 3]))
            if draw.random() < 0.9
            else ["reservation"]
        ),
        "low": low,
        "high": max(low, draw.choice([0, 1, 2, 3, 8, 20, 50, draw.randint(1, 200)])),
        "region": region,
        "site_zones": draw.choice([(), (), (f"{region}-a", f"{region}-b")]),
        "zones": draw.choice([()] * 6 + [(f"{region}-a",), (f"{region}-c",)]),
    }
    how = draw.random()
    if how < 0.15:
        names = [node.name for node in nodes() if not node.accelerator]
        return Request(machine=draw.choice([None, None, draw.choice(names)]), **every)
    if how < 0.5:
        return Request(**every, **_by_name(draw))
    chosen = draw.sample(sorted(GPUS), draw.randint(1, 5))
    names = [node.name for node in nodes() if node.accelerator]
    return Request(
        **every,
        count=draw.choice([1, 1, 1, 1, 2, 4, 8]),
        memory=draw.choice([1, 2, 4, 5, 8, 10, 16, 19, 22, 36, 40, 74, 90, 170]) * GIB,
        isolation=draw.choice([None, "hardware", "software", "none", "none"]),
        accelerators=draw.choice([(), tuple(chosen)]),
        machine=draw.choice([None] * 5 + [draw.choice(names)]),
    )


def _by_name(draw: random.Random) -> dict[str, Any]:
    accelerator = draw.choice(sorted(GPUS))
    sizes = sorted(GPUS[accelerator]["mig_partitions"])
    strategy = draw.choice([None, None, "mps", "time-sharing"])
    names = [node.name for node in nodes() if node.accelerator == accelerator]
    return {
        "accelerator": accelerator,
        "partition": draw.choice([None, draw.choice(sizes)]) if sizes else None,
        "strategy": strategy,
        "clients": draw.randint(2, 48) if strategy else 0,
        "count": draw.choice([1, 1, 1, 2, 3, 4, 8, 16]),
        "machine": draw.choice([None, None, draw.choice(names)]),
    }


def _told(found: Candidate) -> tuple[Any, ...]:
    shape = found.shape
    return (
        found.machine.type.name,
        found.machine.gpus,
        shape.accelerator or "",
        shape.partition or "",
        shape.sharing_strategy or "",
        shape.max_shared_clients_per_gpu or 0,
        shape.provisioning,
        found.slots,
        found.devices,
        (found.nodes_at_minimum, found.nodes_at_maximum),
        found.price is None,
        None if found.price is None else found.price * found.nodes_at_maximum * 10**6,
        None if found.price is None else found.price * found.nodes_at_minimum * 10**6,
    )


def _expected(answer: Answer) -> tuple[Any, ...]:
    return (
        answer.machine,
        answer.gpus,
        answer.accelerator,
        answer.partition,
        answer.strategy,
        answer.clients,
        KINDS[answer.kind],
        answer.slots,
        answer.devices,
        (answer.nodes_at_minimum, answer.nodes_at_maximum),
        answer.unpriced,
        None if answer.unpriced else answer.at_maximum[0],
        None if answer.unpriced else answer.at_minimum[0],
    )


def _chosen(request: Request) -> list[Candidate]:
    site = Site(prices.load(), "gke", request.region, request.site_zones)
    try:
        choice = choose(_need(request), site)
    except NoMachine:
        return []
    return [choice.best, *choice.runners_up]


@pytest.mark.parametrize("part", range(10))
def test_best_and_runners_up_are_those_of_a_search_through_everything(
    part: int,
) -> None:
    none = 0
    for seed in range(part, REQUESTS, 10):
        request = _random(seed)
        wanted, found = searched(request), _chosen(request)
        assert [_told(one) for one in found] == [
            _expected(one) for one in wanted[:6]
        ], request
        none += not found
    # Most requests have an answer, and some have none.
    assert 0 < none < 70


def test_requests_are_of_every_kind() -> None:
    requests = [_random(seed) for seed in range(REQUESTS)]
    best = [found[0] for found in map(_chosen, requests) if found]
    assert {one.shape.sharing_strategy for one in best} == {None, "mps", "time-sharing"}
    assert {one.shape.provisioning for one in best} == set(KINDS)
    assert {one.shape.accelerator for one in best} == {None, *GPUS}
    assert {one.limit for one in best} == {"cpu", "memory", "nvidia.com/gpu", "pods"}
    assert {bool(one.shape.partition) for one in best} == {False, True}
    assert {request.memory > 0 for request in requests} == {False, True}
    assert {request.machine is None for request in requests} == {False, True}


# By hand


def _best(need: Need, prices_: Prices | None = None) -> Candidate:
    return choose(need, Site(prices_ or prices.load(), "gke")).best


def _gpu(**words: Any) -> Gpu:
    return Gpu.model_validate(words)


def test_seven_partitions_of_an_a100_carry_seven_pods() -> None:
    # 12 CPUs less 100m for the kubelet and 850m for system pods are 11.05, or 7 pods;
    # of 85 GiB 75.7 are left, or 8 pods; of partitions there are 7.
    gpu = _gpu(accelerator="nvidia-tesla-a100", partition="1g.5gb")
    found = _best(Need(Resources(1500, 9 * GIB), gpu, max_replicas=7))
    assert (found.machine.type.name, found.devices) == ("a2-highgpu-1g", 7)
    assert (found.slots, found.limit, found.nodes_at_maximum) == (
        7,
        "nvidia.com/gpu",
        1,
    )
    assert found.price == Decimal("3.673385")
    # 11050m / 7 = 1578m, 75.7 GiB / 7 = 10.8 GiB
    assert share(found) == Resources(1500, 10 * GIB)


def test_four_of_the_eight_workers_of_the_stable_diffusion_demo_fit() -> None:
    # Of 60 GiB 52.7 GiB are left, or 56.6 GB: 4 pods of 12 GB. Of 16 CPUs 15.04: 5.
    gpu = _gpu(
        accelerator="nvidia-tesla-t4",
        sharing={"strategy": "time-sharing", "max_shared_clients_per_gpu": 8},
    )
    need = Need(
        Resources(3000, 12 * GB), gpu, machine_type="n1-standard-16", max_replicas=8
    )
    found = _best(need)
    assert (found.machine.gpus, found.devices, found.slots) == (1, 8, 4)
    assert (found.limit, found.nodes_at_maximum) == ("memory", 2)
    assert found.price == Decimal("1.11")


def test_an_n1_machine_has_as_many_gpus_as_its_vcpus_need() -> None:
    # One T4 goes with up to 48 vCPUs.
    gpu = _gpu(accelerator="nvidia-tesla-t4")
    found = _best(Need(Resources(1000, 4 * GIB), gpu, machine_type="n1-standard-64"))
    assert (found.machine.gpus, found.devices, found.slots) == (4, 4, 4)


def test_flex_start_at_the_price_of_standard_is_standard() -> None:
    need = Need(
        Resources(1000, 4 * GIB),
        _gpu(accelerator="nvidia-l4"),
        provisioning=("flex-start", "standard"),
    )
    choice = choose(need, Site(prices.load(), "gke"))
    assert choice.best.shape.provisioning == "standard"
    assert choice.runners_up[0].shape.provisioning == "flex-start"


def test_a_known_price_comes_before_none() -> None:
    # 74 GiB: an A100 80GB, an H100 and larger ones; of these only the A100 has a price.
    need = Need(Resources(1000, 4 * GIB), _gpu(memory="74Gi"), ("standard", "spot"))
    choice = choose(need, Site(prices.load(), "gke"))
    best = choice.best
    assert best.shape.accelerator == "nvidia-a100-80gb"
    assert best.shape.provisioning == "spot"
    assert any(one.price is None for one in choice.runners_up)


def test_without_prices_the_smallest_is_taken() -> None:
    gpu = _gpu(accelerator="nvidia-h100-80gb")
    found = _best(Need(Resources(1000, 4 * GIB), gpu, ("spot",), max_replicas=3))
    # Three GPUs: 3 nodes of 1 have less than 2 of 2 or 1 of 4.
    assert (found.machine.type.name, found.nodes_at_maximum) == ("a3-highgpu-1g", 3)


@pytest.mark.parametrize(
    ("isolation", "strategy"),
    [("hardware", None), ("software", "mps"), ("none", "mps")],
)
def test_shares_only_where_the_isolation_allows(
    isolation: str, strategy: str | None
) -> None:
    gpu = _gpu(memory="8Gi", isolation=isolation, accelerators=["nvidia-l4"])
    found = _best(Need(Resources(500, 2 * GIB), gpu, max_replicas=2))
    assert found.shape.sharing_strategy == strategy
    # 24 GB hold 8 GiB twice.
    assert found.shape.max_shared_clients_per_gpu == (2 if strategy else None)


def test_nodes_that_cost_nothing_are_not_shared() -> None:
    free = Prices(
        "2026-06-23",
        "a test",
        "USD",
        "us-central1",
        {"g2-standard-8": Price(Decimal(0))},
        {},
        {},
        Decimal(0),
    )
    gpu = _gpu(memory="1Gi", isolation="none", accelerators=["nvidia-l4"])
    found = _best(Need(Resources(500, 2 * GIB), gpu, max_replicas=20), free)
    assert (found.machine.type.name, found.price) == ("g2-standard-8", Decimal(0))
    assert found.shape.sharing_strategy is None


def test_a_reservation_is_named_in_the_shape() -> None:
    need = Need(
        Resources(1000, 4 * GIB),
        _gpu(accelerator="nvidia-tesla-a100"),
        ("reservation",),
        reservation="ours",
    )
    assert _best(need).shape.reservation == "ours"


@pytest.mark.parametrize(
    ("need", "words"),
    [
        (
            Need(Resources(1000, 4 * GIB), _gpu(accelerator="nvidia-tesla-a100")),
            (
                "cheapest of 5 machines: 1 slot of nvidia-tesla-a100 on a2-highgpu-1g "
                "at 3.67 an hour, 3.67 a slot"
            ),
        ),
        (
            Need(Resources(1000, 4 * GIB), machine_type="e2-standard-4"),
            (
                "the only one of GKE's machines that fits what is asked: 3 slots on "
                "e2-standard-4 at 0.134 an hour, 0.045 a slot"
            ),
        ),
        (
            Need(Resources(1000, 4 * GIB), _gpu(memory="100Gi")),
            (
                "smallest of 3 shapes with at least 100 GiB, none with a known price: "
                "4 slots of nvidia-gb200 on a4x-highgpu-4g"
            ),
        ),
    ],
)
def test_the_reason(need: Need, words: str) -> None:
    assert choose(need, Site(prices.load(), "gke")).reason == words


def test_the_same_question_has_the_same_answer_whatever_is_known_before() -> None:
    need = Need(Resources(1000, 4 * GIB), _gpu(memory="10Gi"))
    cheaper = Prices(
        "2026-06-23",
        "a test",
        "USD",
        "us-central1",
        {"a2-highgpu-1g": Price(Decimal("0.01"))},
        {},
        {},
        Decimal(0),
    )
    before = choose(need, Site(prices.load(), "gke"))
    assert _best(need, cheaper).machine.type.name == "a2-highgpu-1g"
    assert choose(need, Site(prices.load(), "gke")) == before
