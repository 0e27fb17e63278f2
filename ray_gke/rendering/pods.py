"""The pods of a Ray cluster: what the templates place for a head or a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ray_gke.catalog.quantities import number
from ray_gke.gke.nodes import GPU_RESOURCE
from ray_gke.planning.plan import Group, Plan
from ray_gke.planning.pods import quantities
from ray_gke.rendering import blueprint_files
from ray_gke.rendering.entrypoints import for_kubelet
from ray_gke.rendering.templates import Manifest, Templates

Role = Literal["head", "worker"]

RUN = "ray-gke/run"
"""The label that says to which run an object belongs."""

NAMESPACE = "ray-gke/namespace"
"""The label of what is in no namespace: that of its run."""

BALLOON = "ray-gke/balloon"
"""The label of placeholder pods: the group whose places they keep."""

POD_SECURITY_CONTEXT = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 100,
    "fsGroup": 100,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Pod Security "restricted" asks; 1000 and 100 are the image's user and group."""

CONTAINER_SECURITY_CONTEXT = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}

# KubeRay adds its own ports only to a container that lists none.
_HEAD_PORTS = {
    "gcs-server": 6379,
    "dashboard": 8265,
    "client": 10001,
    "metrics": 8080,
    "as-metrics": 44217,
    "dash-metrics": 44227,
    "serve": 8000,
}
_WORKER_PORTS = {"metrics": 8080}
_SERVE_PORTS = {"serve": 8000}


def labels(plan: Plan) -> dict[str, str]:
    """Return the labels of everything that is rendered."""
    return {
        "app.kubernetes.io/managed-by": "ray-gke",
        "ray-gke/blueprint": plan.blueprint,
        RUN: plan.name,
    }


def template(templates: Templates, plan: Plan, group: Group, role: Role) -> Manifest:
    """Return the pod template of a group."""
    files = blueprint_files.volume(plan)
    return templates.render(
        "ray-pod",
        group=group,
        image=plan.image,
        container_name=f"ray-{role}",
        labels=labels(plan),
        annotations=_annotations(role),
        # A restarted pod keeps its name, which autoscaler v2 takes for the old node.
        restart_policy="Never" if plan.autoscaling else None,
        service_account=plan.name,
        # Ray's autoscaler runs beside the head, and asks Kubernetes for workers.
        automount_token=(role == "head" and plan.autoscaling) or None,
        host_ipc=group.host_ipc or None,
        node_selector=group.node_selector or None,
        affinity=affinity(group),
        tolerations=group.tolerations or None,
        pod_security_context=POD_SECURITY_CONTEXT,
        container_security_context=CONTAINER_SECURITY_CONTEXT,
        working_dir=blueprint_files.MOUNT if files else None,
        env=_env(plan, group),
        ports=_ports(plan, role),
        resources=resources(group),
        volumes=[files] if files else None,
        volume_mounts=[blueprint_files.MOUNTED] if files else None,
    )


def affinity(group: Group) -> Manifest | None:
    """Return the node affinity of a group's pods, if it needs one."""
    if not group.node_affinity:
        return None
    term = {"matchExpressions": list(group.node_affinity)}
    required = {"nodeSelectorTerms": [term]}
    return {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
    }


def resources(group: Group) -> Manifest:
    """Return requests that are the limits, so that a pod is the last to be evicted."""
    gpu = {GPU_RESOURCE: group.num_gpus} if group.num_gpus else {}
    amounts = {"cpu": group.cpu, "memory": group.memory, **gpu}
    return {"requests": amounts, "limits": amounts}


def all_of_a_pod(group: Group) -> Manifest:
    """Return what all containers of a pod ask for, so that it leaves room for one."""
    ray = resources(group)
    whole = quantities(group.pod)
    same = all(number(ray["requests"][key]) == number(whole[key]) for key in whole)
    amounts = ray["requests"] if same else {**ray["requests"], **whole}
    return {"requests": amounts, "limits": amounts}


def start_params(group: Group) -> dict[str, str]:
    """Return the parameters of `ray start`: what Ray's scheduler may hand out.

    They are written out, since operator and autoscaler derive them differently. The
    quotes around the custom resources are for the shell, and the autoscaler expects
    them.
    """
    params = {"num-cpus": str(group.num_cpus), "memory": str(group.memory_bytes)}
    if group.num_gpus:
        params["num-gpus"] = str(group.num_gpus)
    if group.resources:
        amounts = ", ".join(f'"{name}": {n}' for name, n in group.resources.items())
        params["resources"] = f"'{{{amounts}}}'"
    return params


def _annotations(role: Role) -> Mapping[str, str]:
    # The loss of the head is the loss of the cluster; a worker's tasks are retried.
    # The annotation lets node pools shrink, which custom resources' pods else prevent.
    safe = "false" if role == "head" else "true"
    return {"cluster-autoscaler.kubernetes.io/safe-to-evict": safe}


def _env(plan: Plan, group: Group) -> list[Any] | None:
    shipped = blueprint_files.shipped(plan)
    python_path = {"PYTHONPATH": blueprint_files.MOUNT} if shipped else {}
    env = {**plan.env, **group.env, **python_path}
    return [
        {"name": name, "value": for_kubelet(value)} for name, value in env.items()
    ] or None


def _ports(plan: Plan, role: Role) -> list[Any]:
    ports = _HEAD_PORTS if role == "head" else _WORKER_PORTS
    if plan.kind == "service":
        ports = ports | _SERVE_PORTS
    return [{"name": name, "containerPort": port} for name, port in ports.items()]
