"""The pods of a Ray cluster: what the templates place for a head or a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ray_gke.catalog.quantities import number
from ray_gke.gke.nodes import GPU_RESOURCE
from ray_gke.planning.plan import Group, Plan
from ray_gke.planning.pods import quantities
from ray_gke.rendering import (
    autoscaler_token,
    blueprint_files,
    log_collection,
    tls,
)
from ray_gke.rendering.entrypoints import for_kubelet
from ray_gke.rendering.labels import RUN, labels
from ray_gke.rendering.security_contexts import (
    CONTAINER_SECURITY_CONTEXT,
    POD_SECURITY_CONTEXT,
)
from ray_gke.rendering.templates import Manifest, Templates

Role = Literal["head", "worker"]

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

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""The annotation by which node pools may shrink, or may not, where a pod is."""


def template(templates: Templates, plan: Plan, group: Group, role: Role) -> Manifest:
    """Return the pod template of a group."""
    files = blueprint_files.volume(plan)
    volumes = [
        *([files] if files else ()),
        *log_collection.volumes(plan),
        *tls.volumes(plan),
        *(autoscaler_token.volumes(plan) if role == "head" else ()),
    ]
    mounts = [
        *([blueprint_files.MOUNTED] if files else ()),
        *log_collection.mounts(plan),
        *tls.mounts(plan),
    ]
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
        host_ipc=group.host_ipc or None,
        node_selector=group.node_selector or None,
        affinity=affinity(group, apart_from=plan.name if group.spread else None),
        tolerations=group.tolerations or None,
        pod_security_context=POD_SECURITY_CONTEXT,
        container_security_context=CONTAINER_SECURITY_CONTEXT,
        working_dir=blueprint_files.MOUNT if files else None,
        env=_env(plan, group),
        ports=_ports(plan, role),
        resources=resources(group),
        init_containers=_init_containers(templates, plan, group) or None,
        readiness_probe=_readiness_probe(plan, role),
        topology_spread=_topology_spread(plan, group),
        volumes=volumes or None,
        volume_mounts=mounts or None,
    )


def _init_containers(templates: Templates, plan: Plan, group: Group) -> list[Manifest]:
    """KubeRay adds its own after ours, which then have begun or ended."""
    ours = (
        log_collection.sidecar(plan, group, templates),
        tls.init_container(plan, templates),
    )
    return [one for one in ours if one]


def _readiness_probe(plan: Plan, role: Role) -> Manifest | None:
    """Return the probe by which a highly available service finds its workers at once.

    KubeRay's own asks every 5 seconds, the first time after 10: with the head's proxy
    out of the way, nobody would answer for as long when it moves to a new cluster.
    """
    if role != "worker" or not plan.day_two.highly_available:
        return None
    proxy = {"path": "/-/healthz", "port": "serve"}
    return {
        "httpGet": proxy,
        "periodSeconds": 1,
        "timeoutSeconds": 2,
        "failureThreshold": 2,
    }


def _topology_spread(plan: Plan, group: Group) -> list[Any] | None:
    if not group.spread or group.role != "worker":
        return None
    selector = {"matchLabels": {RUN: plan.name, "ray.io/group": group.name}}
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            # GKE's cluster autoscaler does not support DoNotSchedule, by its page.
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": selector,
            "matchLabelKeys": ["ray.io/cluster"],
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def affinity(group: Group, *, apart_from: str | None = None) -> Manifest | None:
    """Return the affinity of a group's pods, if they need one.

    They rather stand on other nodes than pods of the run `apart_from`.
    """
    found: Manifest = {}
    if group.node_affinity:
        term = {"matchExpressions": list(group.node_affinity)}
        required = {"nodeSelectorTerms": [term]}
        found["nodeAffinity"] = {
            "requiredDuringSchedulingIgnoredDuringExecution": required
        }
    if apart_from:
        others = {
            "labelSelector": {"matchLabels": {RUN: apart_from}},
            "topologyKey": "kubernetes.io/hostname",
        }
        preferred = [{"weight": 100, "podAffinityTerm": others}]
        found["podAntiAffinity"] = {
            "preferredDuringSchedulingIgnoredDuringExecution": preferred
        }
    return found or None


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


def start_params(plan: Plan, group: Group) -> dict[str, str]:
    """Return the parameters of `ray start`: what Ray's scheduler may hand out.

    They are written out, since operator and autoscaler derive them differently. The
    quotes around the custom resources are for the shell, and the autoscaler expects
    them.
    """
    params = {
        "num-cpus": str(group.num_cpus),
        "memory": str(group.memory_bytes),
        **log_collection.start_params(plan, group),
    }
    if group.num_gpus:
        params["num-gpus"] = str(group.num_gpus)
    if group.resources:
        amounts = ", ".join(f'"{name}": {n}' for name, n in group.resources.items())
        params["resources"] = f"'{{{amounts}}}'"
    return params


def _annotations(role: Role) -> Mapping[str, str]:
    # The loss of the head is the loss of the cluster; a worker's tasks are retried.
    # The annotation lets node pools shrink, which custom resources' pods else prevent.
    return {SAFE_TO_EVICT: "false" if role == "head" else "true"}


def _env(plan: Plan, group: Group) -> list[Any] | None:
    shipped = blueprint_files.shipped(plan)
    python_path = {"PYTHONPATH": blueprint_files.MOUNT} if shipped else {}
    env = {
        **log_collection.env(plan, group),
        **plan.env,
        **group.env,
        **tls.environment(plan),
        **python_path,
    }
    return [
        {"name": name, "value": for_kubelet(value)} for name, value in env.items()
    ] or None


def _ports(plan: Plan, role: Role) -> list[Any]:
    ports = _HEAD_PORTS if role == "head" else _WORKER_PORTS
    if plan.kind == "service":
        ports = ports | _SERVE_PORTS
    return [{"name": name, "containerPort": port} for name, port in ports.items()]
