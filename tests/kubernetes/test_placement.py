"""Pods of a plan on the nodes that it asks for, among others that are almost those.

They are the pods of the target `gke`, whose pools are the plan's own: `--on kubernetes`
does not make node pools, and so asks nodes for their GPUs alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ray_gke import selection
from ray_gke.commands import targets
from ray_gke.targets.kubernetes.up import Options
from tests.cluster.bed import Bed
from tests.cluster.processes import ProgramError, eventually
from tests.kubernetes import desk as desks
from tests.kubernetes.desk import Desk
from tests.kubernetes.gke_nodes import GkeNodes

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

SHARED = "sharing: {strategy: time-sharing, max_shared_clients_per_gpu: 3}"
MPS = "sharing: {strategy: mps, max_shared_clients_per_gpu: 4}"
A100 = "accelerator: nvidia-tesla-a100"
GROUPS = {
    "whole": "max_replicas: 2, gpu: {accelerator: nvidia-l4}",
    "mig": f"max_replicas: 8, cpu: 1, memory: 4Gi, gpu: {{{A100}, partition: 1g.5gb}}",
    "mig-shared": "max_replicas: 7, cpu: 500m, memory: 2Gi, "
    f"gpu: {{{A100}, partition: 3g.20gb, {SHARED}}}",
    "turns": "max_replicas: 5, cpu: 1, memory: 4Gi, "
    f"gpu: {{accelerator: nvidia-tesla-t4, {SHARED}}}",
    "mps": "max_replicas: 4, cpu: 1, memory: 3Gi, "
    f"gpu: {{accelerator: nvidia-l4, {MPS}}}",
    "spot": "max_replicas: 2, cpu: 2, memory: 8Gi, provisioning: spot, "
    "gpu: {accelerator: nvidia-l4}",
    "several": "max_replicas: 2, cpu: 8, memory: 32Gi, "
    "gpu: {accelerator: nvidia-l4, count: 2}",
    "cpu": "max_replicas: 6, cpu: 2, memory: 8Gi",
    "spot-cpu": "max_replicas: 3, cpu: 2, memory: 8Gi, provisioning: spot",
}
SPEC = (
    "worker_groups:\n"
    + "".join(
        f"- {{name: {name}, min_replicas: 1, {group}}}\n"
        for name, group in GROUPS.items()
    )
    + "cluster: {}\n"
)


@dataclass(frozen=True)
class Placed:
    """All pods at once, with as many workers as there may be."""

    pods: list[Object]
    nodes: GkeNodes
    pools: dict[str, Object]
    pool_of_group: dict[str, str]

    def pools_of(self, group: str) -> set[str]:
        """Where the pods of a group are."""
        return {
            self.nodes.pool_of(pod["spec"]["nodeName"])
            for pod in self.pods
            if pod["metadata"]["labels"]["ray.io/group"] == group
        }


@contextlib.contextmanager
def on_nodes_of_the_plan(
    desk: Desk, namespace: str, pools: list[Object]
) -> Iterator[GkeNodes]:
    nodes = GkeNodes(desk.cluster, namespace)
    try:
        nodes.add(pools)
        yield nodes
    finally:
        at_once = ("--all", "--force", "--grace-period=0")
        desk.clear()
        desk.cluster.kubectl("delete", "pods", "-n", namespace, *at_once)
        nodes.remove()


@pytest.fixture(scope="module")
def placed(cluster: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placed]:
    with desks.at(cluster, tmp_path_factory.mktemp("placement")) as desk:
        namespace = desk.new_namespace()
        desk.write("gpus", SPEC)
        plan = desk.done("plan", "./gpus", "-o", "json").json
        pools = {pool["name"]: pool for pool in plan["pools"]}
        groups = {group["group"]: group["pool"] for group in plan["groups"]}
        wanted = [pools[name] for name in sorted(set(groups.values()))]
        with on_nodes_of_the_plan(desk, namespace, wanted) as nodes:
            nodes.add_decoys(wanted)
            bring_up(desk, namespace)
            grow(cluster, namespace)
            pods = list(desk.all("Pod", namespace).values())
            yield Placed(pods, nodes, pools, groups)


def bring_up(desk: Desk, namespace: str) -> None:
    with desk.seated():
        where = targets.cluster(None, namespace)
        choice = selection.choose(None).on_gke()
        selected = selection.select(choice, "./gpus")
        wanted = targets.wanted(selected, choice, where, namespace)
        where.up(wanted, lambda _event: None, Options())


def grow(cluster: Bed, namespace: str) -> None:
    """Ask for all the workers there may be, as Ray's autoscaler does."""
    path = f"/apis/ray.io/v1/namespaces/{namespace}/rayclusters/gpus"
    groups = cluster.control_plane.get(path)["spec"]["workerGroupSpecs"]
    patch = [
        {
            "op": "replace",
            "path": f"/spec/workerGroupSpecs/{number}/replicas",
            "value": group["maxReplicas"],
        }
        for number, group in enumerate(groups)
    ]
    change = ("--type=json", "-p", json.dumps(patch))
    cluster.kubectl("patch", "raycluster", "gpus", "-n", namespace, *change)
    wanted = 1 + sum(group["maxReplicas"] for group in groups)

    def waiting() -> list[str]:
        found = cluster.control_plane.get(f"/api/v1/namespaces/{namespace}/pods")
        phases = [_standing(pod) for pod in found["items"]]
        missing = ["not there"] * (wanted - len(phases))
        return missing + [phase for phase in phases if phase != "Running"]

    try:
        eventually("all pods to run", lambda: not waiting())
    except ProgramError:
        pytest.fail("\n".join(waiting()))


def _standing(pod: Object) -> str:
    status = pod["status"]
    if status["phase"] == "Running":
        return "Running"
    why = [condition.get("message", "") for condition in status.get("conditions", ())]
    return f"{pod['metadata']['name']}: {' '.join(why)}"


@pytest.mark.parametrize("group", [g for g in GROUPS if "cpu" not in g.split("-")])
def test_workers_with_gpus_are_on_the_nodes_of_their_pool(
    placed: Placed, group: str
) -> None:
    assert placed.pools_of(group) == {placed.pool_of_group[group]}


def test_workers_without_gpus_are_on_nodes_without(placed: Placed) -> None:
    names = {placed.nodes.pool_of(name) for name in placed.nodes.names}
    gpus = {
        name
        for name in names
        if placed.pools[name.removesuffix("-other")]["accelerator"]
    }
    assert not placed.pools_of("cpu") & gpus
    assert placed.pools_of("spot-cpu") == {placed.pool_of_group["spot-cpu"]}


def test_the_head_is_neither_on_a_spot_node_nor_on_one_with_gpus(
    placed: Placed,
) -> None:
    (pool,) = placed.pools_of("headgroup")
    found = placed.pools.get(pool, {"accelerator": None, "provisioning": "standard"})
    assert (found["accelerator"], found["provisioning"]) == (None, "standard")


def test_no_pod_is_where_another_team_s_taint_is(placed: Placed) -> None:
    used = {placed.nodes.pool_of(pod["spec"]["nodeName"]) for pod in placed.pods}
    assert not {name for name in used if name.endswith("-other")}
