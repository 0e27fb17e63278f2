"""Nodes as GKE would make them of a plan, and others that its pods must not go to.

What a node looks like is said by `fake_gke`, which does not ask ray_gke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests import fake_gke
from tests.cluster.bed import Bed

Object = dict[str, Any]
_MARK = "ray-gke.test/mark"
OTHERS = {"key": "team", "value": "others", "effect": "NoSchedule"}


class GkeNodes:
    """The nodes of some pools; `mark` is in the names of all, as names are unique."""

    def __init__(self, cluster: Bed, mark: str) -> None:
        self.cluster = cluster
        self.mark = mark
        self.names: list[str] = []

    def add(self, pools: Iterable[Object]) -> None:
        """Add as many nodes as the pools have at most."""
        self._add(
            (f"{pool['name']}-{number}", pool)
            for pool in pools
            for number in range(pool["nodes_at_maximum"])
        )

    def add_decoys(self, pools: Iterable[Object]) -> None:
        """Add nodes that differ from those of a pool in one thing each."""
        self._add(
            (f"{pool['name']}-other-{number}", decoy)
            for pool in pools
            for number, decoy in enumerate(_decoys(pool))
        )

    def pool_of(self, node: str) -> str:
        """Return the pool of a node: `POOL`, or `POOL-other` of a decoy."""
        return node.removeprefix(f"{self.mark}-").rpartition("-")[0]

    def remove(self) -> None:
        """Take them away; what ran there must be gone."""
        chosen = f"labelSelector={_MARK}={self.mark}"
        self.cluster.kubectl("delete", "--raw", f"/api/v1/nodes?{chosen}")

    def _add(self, nodes: Iterable[tuple[str, Object]]) -> None:
        named = [(f"{self.mark}-{name}", pool) for name, pool in nodes]
        self.names += [name for name, _ in named]
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda one: self._add_one(*one), named))

    def _add_one(self, name: str, pool: Object) -> None:
        self.cluster.nodes.add_node(
            name,
            labels=fake_gke.node_labels(pool) | {_MARK: self.mark},
            taints=_taints(pool),
            allocatable=_allocatable(pool),
        )


def _taints(pool: Object) -> Sequence[Mapping[str, str]]:
    return [
        {"key": key, "value": value, "effect": effect}
        for key, value, effect in sorted(fake_gke.node_taints(pool))
    ]


def _allocatable(pool: Object) -> Mapping[str, str]:
    """Return what is left when pods of Kubernetes itself are there: the plan says."""
    usable = pool["usable"]
    if not pool.get("is_decoy"):
        cpus, memory = fake_gke.allocatable(pool)
        assert usable["cpu_millis"] <= cpus * 1000
        assert usable["memory_bytes"] <= memory
        assert usable["gpus"] == fake_gke.devices(pool)
    return {
        "cpu": f"{usable['cpu_millis']}m",
        "memory": str(usable["memory_bytes"]),
        **({"nvidia.com/gpu": str(usable["gpus"])} if usable["gpus"] else {}),
    }


def _decoys(pool: Object) -> Iterator[Object]:
    """Yield pools that are almost this one."""
    tainted = {"taints": [*pool["taints"], OTHERS]}
    others: list[Object] = [tainted]
    if pool["accelerator"]:
        others += [
            {
                "accelerator": _other(
                    pool["accelerator"], "nvidia-l4", "nvidia-tesla-v100"
                )
            },
            {"partition": _other(pool["partition"], "1g.5gb", "2g.10gb")},
            _other_sharing(pool),
        ]
    if pool["provisioning"] == "standard":
        spot = {"key": "cloud.google.com/gke-spot", "value": "true"}
        taints = [*pool["taints"], {**spot, "effect": "NoSchedule"}]
        others.append({"provisioning": "spot", "taints": taints})
    if pool["provisioning"] == "spot":
        others.append({"provisioning": "standard"})
    for other in others:
        yield {**pool, "name": f"{pool['name']}-other", "is_decoy": True, **other}


def _other(value: str | None, first: str, second: str) -> str:
    return second if value == first else first


def _other_sharing(pool: Object) -> Object:
    if pool["sharing_strategy"]:
        strategy = _other(pool["sharing_strategy"], "mps", "time-sharing")
        return {"sharing_strategy": strategy}
    return {"sharing_strategy": "time-sharing", "max_shared_clients_per_gpu": 2}
