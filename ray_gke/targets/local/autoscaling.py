"""What Ray's autoscaler is told: its config, and a spec for the nodes of each group.

The keys are those that Ray itself derives from a RayCluster
(ray/autoscaler/_private/kuberay/autoscaling_config.py).
"""

from __future__ import annotations

from typing import Any

from ray_gke.planning.machine import LocalPlan
from ray_gke.planning.plan import HEAD, Group
from ray_gke.targets.local.environment import of_group
from ray_gke.targets.local.node_spec import HEAD_ID, NodeSpec
from ray_gke.targets.local.run_folder import RunFolder

_PROVIDER = "ray_gke.targets.local.node_provider.LocalNodeProvider"
# Ray's cluster launcher would use these; the autoscaler only wants to find them.
_LEGACY: dict[str, Any] = {
    "auth": {},
    "file_mounts": {},
    "cluster_synced_files": [],
    "initialization_commands": [],
    "setup_commands": [],
    "head_setup_commands": [],
    "worker_setup_commands": [],
    "head_start_ray_commands": [],
    "worker_start_ray_commands": [],
}
_UPSCALING_SPEED = {"Conservative": 1, "Default": 1000, "Aggressive": 1000}


def config(local: LocalPlan, run: RunFolder) -> dict[str, Any]:
    """Return the autoscaling config of a plan that has worker groups."""
    plan = local.plan
    head = {
        "resources": _resources(plan.head),
        "labels": {},
        "node_config": {},
        "min_workers": 0,
        "max_workers": 0,
    }
    return {
        "cluster_name": plan.name,
        "provider": {
            "type": "external",
            "module": _PROVIDER,
            "run_folder": str(run.path),
            "gpus": list(local.gpus[plan.head.num_gpus :]),
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        },
        "head_node_type": HEAD,
        "available_node_types": {
            HEAD: head,
            **{group.name: _node_type(group) for group in plan.worker_groups},
        },
        "max_workers": min(
            local.most_workers, sum(g.max_replicas for g in plan.worker_groups)
        ),
        "idle_timeout_minutes": plan.idle_timeout_seconds / 60,
        "upscaling_speed": _UPSCALING_SPEED[plan.upscaling_mode],
        **_LEGACY,
    }


def _node_type(group: Group) -> dict[str, Any]:
    node_type: dict[str, Any] = {
        "resources": _resources(group),
        "labels": dict(group.labels),
        "node_config": {},
        "min_workers": group.min_replicas,
        "max_workers": group.max_replicas,
    }
    if group.idle_timeout_seconds is not None:
        node_type["idle_timeout_s"] = group.idle_timeout_seconds
    if group.priority is not None:
        node_type["priority"] = group.priority
    return node_type


def _resources(group: Group) -> dict[str, int]:
    own = {"CPU": group.num_cpus, "GPU": group.num_gpus, "memory": group.memory_bytes}
    return {**{key: n for key, n in own.items() if n}, **group.resources}


def head_spec(local: LocalPlan, run: RunFolder) -> NodeSpec:
    """Return what the head is asked for."""
    plan = local.plan
    fixed = {group.name: group.min_replicas for group in plan.worker_groups}
    return NodeSpec(
        **_shape(plan.head, local, run),
        node_id=HEAD_ID,
        group=HEAD,
        autoscaling=str(run.autoscaling) if plan.autoscaling else "",
        fixed={} if plan.autoscaling else fixed,
        gpus=local.gpus[plan.head.num_gpus :],
    )


def worker_template(group: Group, local: LocalPlan, run: RunFolder) -> NodeSpec:
    """Return what every node of `group` is asked for.

    Workers are started by processes of the head, which have its environment.
    """
    plan = local.plan
    env = {**plan.env, **of_group(group, group.name)}
    head_only = {*plan.head.env, *of_group(plan.head, HEAD)} - {*env}
    return NodeSpec(
        **_shape(group, local, run),
        node_id="",
        group=group.name,
        env=env,
        unset=tuple(sorted(head_only)),
    )


def _shape(group: Group, local: LocalPlan, run: RunFolder) -> dict[str, Any]:
    return {
        "temp": str(run.temp),
        "num_cpus": group.num_cpus,
        "num_gpus": group.num_gpus,
        "memory": group.memory_bytes,
        "object_store_memory": local.object_store_bytes,
        "resources": dict(group.resources),
        "labels": dict(group.labels),
    }
