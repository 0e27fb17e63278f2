"""Whatever a platform asks: it is refused with a place, or its plan holds together.

Judged by `fake_gke`, which is written from the facts and not from ray_gke.gke.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ray_gke.catalog.load import Loaded, load
from ray_gke.catalog.prices import load as load_prices
from ray_gke.errors import InvalidError
from ray_gke.planning.build import build
from ray_gke.planning.plan import Plan
from ray_gke.planning.pools import capacity
from ray_gke.planning.runs import Run
from ray_gke.planning.site import Site
from ray_gke.rendering.render import render
from ray_gke.reporting.plan_schema import document
from tests import fake_gke

Object = dict[str, Any]
SITE = Site(load_prices(), target="gke")
GPUS = fake_gke.facts()["accelerators"]
MEASURED = fake_gke.facts()["balloon"]


@st.composite
def gpus(draw: Any) -> Object:
    if draw(st.booleans()):
        sizes = st.sampled_from(["2Gi", "4Gi", "10Gi", "20Gi", "40Gi", "70Gi", "150Gi"])
        need: Object = {"memory": draw(sizes), "count": draw(st.integers(1, 3))}
        level = draw(st.sampled_from([None, "hardware", "software", "none"]))
        return need | ({"isolation": level} if level else {})
    name = draw(st.sampled_from(sorted(GPUS)))
    gpu: Object = {"accelerator": name, "count": draw(st.integers(1, 4))}
    partitions = sorted(GPUS[name]["mig_partitions"])
    if partitions and draw(st.booleans()):
        gpu["partition"] = draw(st.sampled_from(partitions))
    if draw(st.booleans()):
        gpu["sharing"] = {
            "strategy": draw(st.sampled_from(["time-sharing", "mps"])),
            "max_shared_clients_per_gpu": draw(st.integers(2, 48)),
        }
        gpu["count"] = draw(st.sampled_from([1, 1, 1, 2]))
    return gpu


@st.composite
def worker_groups(draw: Any) -> Object:
    low = draw(st.integers(0, 5))
    group: Object = {
        "min_replicas": low,
        "max_replicas": draw(st.integers(max(low, 1), 60)),
        "warm_replicas": draw(st.sampled_from([0, 0, 1, 3])),
    }
    if draw(st.booleans()):
        group["cpu"] = draw(st.sampled_from(["250m", 1, "1500m", 4, 11]))
        group["memory"] = draw(st.sampled_from(["1Gi", "9Gi", "12G", "60Gi"]))
    if draw(st.booleans()):
        group["gpu"] = draw(gpus())
    kind = draw(
        st.sampled_from([None, "standard", "spot", "flex-start", ["spot", "standard"]])
    )
    if kind:
        group["provisioning"] = kind
    if draw(st.integers(0, 4)) == 0:
        selectors = [
            {"disk": "fast"},
            {"cloud.google.com/gke-accelerator": "nvidia-l4"},
            {"kubernetes.io/os": "linux"},
            {"cloud.google.com/gke-nodepool": "another"},
        ]
        group["node_selector"] = draw(st.sampled_from(selectors))
    if draw(st.integers(0, 9)) == 0:
        group |= {"provisioning": "reservation", "reservation": "ours"}
    return group


@st.composite
def blueprints(draw: Any) -> Object:
    groups = draw(st.lists(worker_groups(), max_size=3))
    named = [{"name": f"g{n}", **group} for n, group in enumerate(groups)]
    workload: Object = draw(
        st.sampled_from([{"cluster": {}}, {"job": {"entrypoint": "true"}}])
    )
    return {"worker_groups": named, **workload}


def loaded(folder: Path, name: str, spec: Object) -> Loaded:
    data = {
        "apiVersion": "ray-gke/v1",
        "kind": "Blueprint",
        "metadata": {"name": name},
        "spec": spec,
    }
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "blueprint.yaml").write_text(yaml.safe_dump(data))
    return load(folder / name, {}, display=name)


def accepted(folder: Path, specs: list[Object]) -> list[Plan]:
    plans = []
    for number, spec in enumerate(specs):
        try:
            plan = build(loaded(folder, f"b{number}", spec), site=SITE)
            capacity([Run(plan)], SITE)
        except InvalidError as error:
            for problem in error.problems:
                assert problem.message
                assert problem.hint, problem.message
            continue
        plans.append(plan)
    return plans


def pods_of(objects: tuple[Object, ...]) -> Iterator[tuple[str, Object]]:
    """Yield (group, pod) of everything that is scheduled."""
    for one in objects:
        spec = one.get("spec", {})
        if one["kind"] == "Deployment":
            pod = spec["template"]["spec"]
            yield f"balloon of {one['metadata']['labels']['ray-gke/blueprint']}", pod
        if one["apiVersion"] != "ray.io/v1":
            continue
        cluster = spec.get("rayClusterSpec", spec)
        yield "headgroup", cluster["headGroupSpec"]["template"]["spec"]
        for group in cluster["workerGroupSpecs"]:
            yield group["groupName"], group["template"]["spec"]
        if one["kind"] == "RayJob":
            yield "submitter", spec["submitterPodTemplate"]["spec"]


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(specs=st.lists(blueprints(), min_size=1, max_size=3))
def test_an_accepted_plan_holds_together(tmp_path: Path, specs: list[Object]) -> None:
    plans = accepted(tmp_path, specs)
    runs = [Run(plan) for plan in plans]
    try:
        found = document(capacity(runs, SITE))
    except InvalidError:
        # Alone each of them fits; together their warm replicas need not.
        assert any(group.warm_replicas for plan in plans for group in plan.groups)
        return
    assert json.dumps(found) == json.dumps(document(capacity(runs, SITE)))
    again = document(capacity(runs[::-1], SITE))
    assert again["pools"] == found["pools"]
    pools = {pool["name"]: pool for pool in found["pools"]}
    assert len(pools) == len(found["pools"])
    for pool in pools.values():
        check_pool(pool)
    for plan in plans:
        check_pods(plan, found, pools)
    check_replicas(found, pools)


def check_pool(pool: Object) -> None:
    assert len(pool["name"]) <= 40
    reserved = {k: v for k, v in pool["labels"].items() if "/" in k}
    assert reserved.items() <= fake_gke.node_labels(pool).items()
    assert pool["devices_per_node"] == fake_gke.devices(pool)
    most, least = pool["nodes_at_maximum"], pool["nodes_at_minimum"]
    assert least <= most <= pool["total_max_node_count"]
    if pool["name"] != "system":
        assert (pool["initial_node_count"], pool["total_min_node_count"]) == (0, 0)
    gpu_or_spot = pool["accelerator"] or pool["provisioning"] in {"spot", "flex-start"}
    anywhere = gpu_or_spot and pool["provisioning"] != "reservation"
    assert pool["location_policy"] == ("ANY" if anywhere else "BALANCED")
    declared = {(t["key"], t["value"], t["effect"]) for t in pool["taints"]}
    if pool["accelerator"]:
        assert ("nvidia.com/gpu", "present", "NoSchedule") in declared
    if pool["provisioning"] == "spot":
        assert ("cloud.google.com/gke-spot", "true", "NoSchedule") in declared
    cpus, memory = fake_gke.allocatable(pool)
    for when, count in (("minimum", least), ("maximum", most)):
        assert sum(alike["nodes"] for alike in pool[when]) == count
        for alike in pool[when]:
            pods = alike["pods"]
            used = {
                key: sum(p["pods"] * p["pod"][key] for p in pods)
                for key in ("cpu_millis", "memory_bytes", "gpus")
            }
            assert used["cpu_millis"] <= cpus * 1000
            assert used["memory_bytes"] <= memory
            assert used["gpus"] <= fake_gke.devices(pool)
            assert sum(p["pods"] for p in pods) <= 110


def check_pods(plan: Plan, found: Object, pools: dict[str, Object]) -> None:
    groups = {g["group"]: g for g in found["groups"] if g["run"] == plan.name}
    objects = render(plan, kuberay_version="1.5.1")
    workers = dict(pods_of(objects))
    for name, pod in pods_of(objects):
        if name.startswith("balloon of"):
            continue
        own = pools[groups[name]["pool"]]
        reached = [
            pool["name"]
            for pool in pools.values()
            if fake_gke.admits(pod, fake_gke.node_labels(pool))
            and all(fake_gke.tolerates(pod, t) for t in fake_gke.node_taints(pool))
        ]
        assert reached == [own["name"]]
        assert pod.get("priorityClassName") is None
    check_balloons(objects, workers, groups)


UNITS = {"m": 1, "": 1000, "k": 10**6, "M": 10**9, "G": 10**12} | {
    "Ki": 1000 * 2**10,
    "Mi": 1000 * 2**20,
    "Gi": 1000 * 2**30,
}
"""Of quantities, in thousandths."""


def amounts(containers: list[Object]) -> Counter[str]:
    """Return what the containers ask for together, in thousandths of each."""
    total: Counter[str] = Counter()
    for container in containers:
        for name, quantity in container["resources"]["requests"].items():
            number, unit = re.findall(r"^(\d+)(.*)$", str(quantity))[0]
            total[name] += int(number) * UNITS[unit]
    return total


def check_balloons(
    objects: tuple[Object, ...], workers: Object, groups: dict[str, Object]
) -> None:
    balloons = [o for o in objects if o["kind"] == "Deployment"]
    assert len(balloons) == sum(g["warm_replicas"] > 0 for g in groups.values())
    for balloon in balloons:
        spec = balloon["spec"]
        name = spec["template"]["metadata"]["labels"]["ray-gke/balloon"]
        pod, worker = spec["template"]["spec"], workers[name]
        assert spec["replicas"] == groups[name]["warm_replicas"]
        for key in ("nodeSelector", "tolerations", "affinity"):
            assert pod.get(key) == worker.get(key)
        # The worker's sidecar goes on beside Ray, and is among what gives way for it.
        assert amounts(pod["containers"]) == amounts(
            [*worker["containers"], *worker["initContainers"]]
        )
        grace = MEASURED["termination_grace_period_seconds"]
        assert pod["terminationGracePeriodSeconds"] == grace
    for one in objects:
        if one["kind"] == "PriorityClass":
            low, high = MEASURED["valid_range"]
            assert low <= one["value"] <= high < 0
            assert one["value"] == MEASURED["priority_class_value"]
            assert one["preemptionPolicy"] == MEASURED["preemption_policy"]
            assert one["globalDefault"] is MEASURED["global_default"]


def check_replicas(found: Object, pools: dict[str, Object]) -> None:
    for when, count in (("minimum", "min_replicas"), ("maximum", "max_replicas")):
        placed: Counter[tuple[str, str]] = Counter()
        warm: Counter[tuple[str, str]] = Counter()
        for pool in pools.values():
            for alike in pool[when]:
                for pods in alike["pods"]:
                    key = (pods["run"], pods["group"])
                    (warm if pods["balloons"] else placed)[key] += (
                        alike["nodes"] * pods["pods"]
                    )
        for group in found["groups"]:
            key = (group["run"], group["group"])
            assert placed[key] == group[count]
            assert warm[key] == (group["warm_replicas"] if when == "minimum" else 0)


def test_most_kinds_of_groups_are_accepted(tmp_path: Path) -> None:
    """The properties above would hold of nothing at all."""
    every = [
        {"gpu": {"accelerator": name, "partition": size}}
        for name, gpu in GPUS.items()
        for size in gpu["mig_partitions"]
    ]
    for number, group in enumerate(every):
        kinds = ["spot", "flex-start", "standard"]
        spec = {
            "worker_groups": [{"name": "g", "provisioning": kinds, **group}],
            "cluster": {},
        }
        build(loaded(tmp_path, f"m{number}", spec), site=SITE)


@pytest.mark.parametrize("example", fake_gke.facts()["sharing"]["allocatable_examples"])
def test_the_documented_numbers_of_gpus(tmp_path: Path, example: Object) -> None:
    accelerator = {"a2": "nvidia-tesla-a100", "g2": "nvidia-l4"}
    gpu: Object = {"accelerator": accelerator[example["machine"][:2]]}
    if example["partition"]:
        gpu["partition"] = example["partition"]
    if example["clients"]:
        clients = example["clients"]
        gpu["sharing"] = {
            "strategy": "time-sharing",
            "max_shared_clients_per_gpu": clients,
        }
    group = {
        "name": "g",
        "machine_type": example["machine"],
        "cpu": "100m",
        "memory": "256Mi",
        "gpu": gpu,
    }
    spec = {"worker_groups": [group], "cluster": {}}
    plan = build(loaded(tmp_path, "demo", spec), site=SITE)
    pools = document(capacity([Run(plan)], SITE))["pools"]
    (pool,) = (pool for pool in pools if pool["accelerator"])
    assert pool["devices_per_node"] == example["nvidia_gpu"]
    assert fake_gke.devices(pool) == example["nvidia_gpu"]
