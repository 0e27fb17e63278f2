"""Every blueprint of ours is accepted, and reconciled by the operator.

Its namespaces are made by `up`, so that they enforce Pod Security "restricted"; its
nodes are those of its plan. Fields that the API server does not know are refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.bed import Bed
from tests.kubernetes import desk as desks
from tests.kubernetes.desk import Desk
from tests.kubernetes.gke_nodes import GkeNodes

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
NEWER = "kuberay-1.7.0"
"""This golden is of a KubeRay that the test cluster does not have."""
OURS = sorted(path.parent for path in ROOT.glob("blueprints/*/blueprint.yaml"))
GOLDENS = sorted(path.parent for path in ROOT.glob("tests/goldens/*/*/blueprint.yaml"))
NOT_ON_GKE = "golden-scale-from-zero"
"""It selects nodes by a label that is not GKE's to choose."""
FOLDERS = {
    **{folder.name: folder for folder in OURS},
    **{
        f"golden-{folder.parent.name}".replace(".", "-"): folder
        for folder in GOLDENS
        if folder.parent.name != NEWER
    },
}


@dataclass(frozen=True)
class Brought:
    """All of them, up in one namespace."""

    statuses: dict[str, str]
    pods: list[Object]
    services: list[Object]
    policies: list[Object]
    nodes: GkeNodes
    pool_of: dict[tuple[str, str], Object]


@pytest.fixture(scope="module")
def brought(
    cluster: Bed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Brought]:
    with desks.at(cluster, tmp_path_factory.mktemp("blueprints")) as desk:
        namespace = desk.new_namespace()
        copy_all(desk)
        planned = FOLDERS.keys() - {NOT_ON_GKE}
        write_platform(desk, namespace, sorted(planned), target="local")
        plan = desk.done("plan", "-o", "json").json
        write_platform(desk, namespace, list(FOLDERS), target="kubernetes")
        pools = {pool["name"]: pool for pool in plan["pools"]}
        groups = {(g["run"], g["group"]): pools[g["pool"]] for g in plan["groups"]}
        nodes = GkeNodes(cluster, namespace)
        nodes.add(pool for name, pool in pools.items() if name != "system")
        desk.done("up")
        pods, services, policies = (
            list(desk.all(kind, namespace).values())
            for kind in ("Pod", "Service", "NetworkPolicy")
        )
        runs = desk.done("status", "-o", "json").json
        statuses = {run["name"]: run["status"] for run in runs}
        yield Brought(statuses, pods, services, policies, nodes, groups)
        desk.clear()
        at_once = ("--all", "--force", "--grace-period=0")
        cluster.kubectl("delete", "pods", "-n", namespace, *at_once)
        nodes.remove()


def copy_all(desk: Desk) -> None:
    for name, folder in FOLDERS.items():
        shutil.copytree(folder, desk.folder / name / folder.name)


def write_platform(
    desk: Desk, namespace: str, names: Sequence[str], *, target: str
) -> None:
    blueprints = [
        {"blueprint": f"./{name}/{FOLDERS[name].name}", "name": name} for name in names
    ]
    platform = {
        "apiVersion": "ray-gke/v1",
        "kind": "Platform",
        "metadata": {"name": "all"},
        "spec": {
            "target": target,
            "namespace": namespace,
            "blueprints": blueprints,
        },
    }
    (desk.folder / "ray-gke.yaml").write_text(yaml.safe_dump(platform))


@pytest.mark.parametrize("name", FOLDERS)
def test_it_is_accepted_and_comes_up(brought: Brought, name: str) -> None:
    assert brought.statuses[name] in {"RUNNING", "SUCCEEDED"}


def test_nothing_listens_outside_of_the_cluster(brought: Brought) -> None:
    assert {one["spec"]["type"] for one in brought.services} == {"ClusterIP"}


def test_every_pod_of_a_run_is_behind_a_policy(brought: Brought) -> None:
    selected = [one["spec"]["podSelector"]["matchLabels"] for one in brought.policies]
    for pod in brought.pods:
        labels = pod["metadata"]["labels"]
        assert any(one.items() <= labels.items() for one in selected), labels


def test_only_the_autoscaler_gets_a_token(brought: Brought) -> None:
    path = "/var/run/secrets/kubernetes.io/serviceaccount"
    with_token = {
        container["name"]
        for pod in brought.pods
        for kind in ("initContainers", "containers")
        for container in pod["spec"].get(kind, ())
        if any(one["mountPath"] == path for one in container.get("volumeMounts", ()))
    }
    assert with_token == {"autoscaler"}


def test_ray_pods_write_their_logs_to_their_sidecar(brought: Brought) -> None:
    ray = [p for p in brought.pods if "ray.io/node-type" in p["metadata"]["labels"]]
    assert ray
    for pod in ray:
        first = pod["spec"]["initContainers"][0]
        assert (first["name"], first["restartPolicy"]) == ("fluent-bit", "Always")


def test_pods_with_gpus_and_spot_pods_are_on_the_nodes_of_the_plan(
    brought: Brought,
) -> None:
    seen = set()
    for pod in brought.pods:
        labels = pod["metadata"]["labels"]
        key = (labels["ray-gke/run"], labels.get("ray.io/group", ""))
        pool = brought.pool_of.get(key, {"accelerator": None, "provisioning": ""})
        if pool["accelerator"] or pool["provisioning"] == "spot":
            where = brought.nodes.pool_of(pod["spec"]["nodeName"])
            assert where == pool["name"], key
            seen.add(key)
    assert ("golden-mig-service", "gpu") in seen
    assert ("golden-time-shared", "shared") in seen
