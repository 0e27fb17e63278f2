"""What tests of the target `gke` see: of commands, and in the cluster."""

from __future__ import annotations

import json
from typing import Any

from tests.gke.world import World

Object = dict[str, Any]


def run(world: World, *arguments: str, code: int = 0) -> str:
    """Run a command; return its stdout, or what it says where it has to fail."""
    done = world.ray_gke(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def kubectl(world: World, *arguments: str) -> Object:
    """Return what `kubectl get` finds."""
    found: Object = json.loads(world.bed.kubectl("get", *arguments, "-o", "json"))
    return found


def pools_of_pods(world: World, namespace: str, name: str) -> dict[str, set[str]]:
    """Return by group, as KubeRay calls it, the pools on whose nodes its pods are.

    Of the run `name`, whose Ray pods must all be running.
    """
    found: dict[str, set[str]] = {}
    nodes = {n["metadata"]["name"]: n for n in kubectl(world, "nodes")["items"]}
    pods = kubectl(world, "pods", "-n", namespace, "-l", f"ray-gke/run={name}")
    for pod in pods["items"]:
        if group := pod["metadata"]["labels"].get("ray.io/group"):
            assert pod["status"]["phase"] == "Running"
            labels = nodes[pod["spec"]["nodeName"]]["metadata"]["labels"]
            pool = labels["cloud.google.com/gke-nodepool"]
            found.setdefault(group, set()).add(pool)
    return found


def planned_pools(plan: Object, name: str) -> dict[str, set[str]]:
    """Return by group the node pool that the plan's JSON names for it."""
    groups = [one for one in plan["groups"] if one["run"] == name]
    return {
        one["group"]: {one["pool"]}
        for one in groups
        if one["role"] == "head" or one["min_replicas"]
    }
