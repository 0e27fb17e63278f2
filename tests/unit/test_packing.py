from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ray_gke.planning.capacity import Amounts, PodsOnNode
from ray_gke.planning.packing import Room, node_count, pack

NODE = Room(12_000, 24, 4, 10)

pods = st.builds(Amounts, st.integers(1, 12_000), st.integers(1, 24), st.integers(0, 4))
demands = st.lists(st.tuples(pods, st.integers(1, 40)), min_size=1, max_size=6)


def entries(demand: list[tuple[Amounts, int]]) -> list[PodsOnNode]:
    return [
        PodsOnNode("run", f"g{index}", "worker", count, pod)
        for index, (pod, count) in enumerate(demand)
    ]


def pod_by_pod(demand: list[tuple[Amounts, int]], node: Room) -> int:
    """First fit decreasing as a textbook has it: the count of nodes."""

    def largest_first(entry: tuple[Amounts, int]) -> tuple[float, int, int, int]:
        pod = entry[0]
        share = max(
            pod.cpu_millis / node.cpu_millis,
            pod.memory_bytes / node.memory_bytes,
            pod.gpus / node.gpus,
        )
        return (-share, -pod.gpus, -pod.cpu_millis, -pod.memory_bytes)

    free: list[list[int]] = []
    for pod, count in sorted(demand, key=largest_first):
        asks = [pod.cpu_millis, pod.memory_bytes, pod.gpus, 1]
        for _ in range(count):
            fits = (
                f for f in free if all(a <= b for a, b in zip(asks, f, strict=True))
            )
            into = next(fits, None)
            if into is None:
                into = [node.cpu_millis, node.memory_bytes, node.gpus, node.pods]
                free.append(into)
            into[:] = [b - a for a, b in zip(asks, into, strict=True)]
    return len(free)


@given(demands)
def test_every_pod_is_placed_once_and_no_node_carries_too_much(
    demand: list[tuple[Amounts, int]],
) -> None:
    packed = pack(entries(demand), NODE)
    for index, (_, count) in enumerate(demand):
        assert count == sum(
            alike.nodes * on.pods
            for alike in packed
            for on in alike.pods
            if on.group == f"g{index}"
        )
    for alike in packed:
        used = [
            sum(on.pods * on.pod.cpu_millis for on in alike.pods),
            sum(on.pods * on.pod.memory_bytes for on in alike.pods),
            sum(on.pods * on.pod.gpus for on in alike.pods),
        ]
        left = alike.stranded
        assert [left.cpu_millis, left.memory_bytes, left.gpus] == [
            12_000 - used[0],
            24 - used[1],
            4 - used[2],
        ]
        assert min(left.cpu_millis, left.memory_bytes, left.gpus) >= 0
        assert sum(on.pods for on in alike.pods) <= 10


@given(demands)
def test_as_many_nodes_as_pod_by_pod(demand: list[tuple[Amounts, int]]) -> None:
    assert node_count(pack(entries(demand), NODE)) == pod_by_pod(demand, NODE)


@given(demands)
def test_never_more_nodes_than_each_size_alone(
    demand: list[tuple[Amounts, int]],
) -> None:
    sizes: dict[Amounts, int] = {}
    for pod, count in demand:
        sizes[pod] = sizes.get(pod, 0) + count
    alone = 0
    for pod, count in sizes.items():
        slots = min(10, 12_000 // pod.cpu_millis, 24 // pod.memory_bytes)
        slots = min(slots, 4 // pod.gpus) if pod.gpus else slots
        alone += -(-count // slots)
    assert node_count(pack(entries(demand), NODE)) <= alone


@given(demands, st.randoms(use_true_random=False))
def test_the_order_of_the_groups_does_not_matter(
    demand: list[tuple[Amounts, int]], random: object
) -> None:
    some = entries(demand)
    assert pack(some[::-1], NODE) == pack(some, NODE)


def test_a_million_pods_are_a_few_kinds_of_nodes() -> None:
    pod = Amounts(3000, 6, 1)
    packed = pack([PodsOnNode("run", "g", "worker", 1_000_001, pod)], NODE)
    assert [(alike.nodes, alike.pods[0].pods) for alike in packed] == [
        (250_000, 4),
        (1, 1),
    ]


def test_small_pods_fill_what_large_ones_leave() -> None:
    large = PodsOnNode("run", "large", "worker", 3, Amounts(8000, 10, 1))
    small = PodsOnNode("run", "small", "worker", 7, Amounts(2000, 4, 0))
    packed = pack([small, large], NODE)
    assert [
        (alike.nodes, [(on.group, on.pods) for on in alike.pods]) for alike in packed
    ] == [
        (3, [("large", 1), ("small", 2)]),
        (1, [("small", 1)]),
    ]


def test_no_more_pods_than_a_node_may_run() -> None:
    tiny = PodsOnNode("run", "tiny", "worker", 11, Amounts(1, 1, 0))
    assert node_count(pack([tiny], NODE)) == 2
