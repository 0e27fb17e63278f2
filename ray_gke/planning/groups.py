"""The head and the worker groups of a blueprint, with every value decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ray_gke.catalog import blueprint
from ray_gke.catalog.quantities import number
from ray_gke.gke import nodes
from ray_gke.gke.resources import Resources
from ray_gke.gke.sharing import STRATEGIES
from ray_gke.planning import day_two, gpus
from ray_gke.planning.choice import Choice, NoMachine, choose, share
from ray_gke.planning.need import need
from ray_gke.planning.plan import HEAD, SUBMITTER, Group
from ray_gke.planning.pods import (
    AUTOSCALER,
    FLUENT_BIT,
    HEAD_DEFAULT,
    SUBMITTER_POD,
    WAIT_GCS_READY,
    WORKER_DEFAULT,
    Around,
    Patched,
    quantities,
)
from ray_gke.planning.pool_names import Nodes, name_of
from ray_gke.planning.site import Site

DRAIN_TIMEOUT = "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"
_DRAIN_SECONDS = 30
_SPOT_DRAIN_SECONDS = 10
# Beside the drain itself Ray must stop its processes. A Spot node gives all of its
# pods only 15 seconds.
_STOP_SECONDS = 30
_SPOT_STOP_SECONDS = 5

_OBJECT_STORE_SHARE = Decimal("0.3")
"""Ray puts its object store into this share of a container's memory."""


def head(spec: blueprint.Spec, site: Site, patched: Patched | None) -> Group:
    """Return the head: on demand, and free of tasks when there are workers.

    `patched` is what its pod asks for with patches. Raises NoMachine.
    """
    given = spec.head
    around = Around(beside=AUTOSCALER if _autoscaling(spec) else Resources())
    sidecars = _sidecars(spec, site)
    common = _common(given, around, sidecars, HEAD_DEFAULT, spec.env, site, patched)
    default = 0 if spec.worker_groups else _whole(common["cpu"])
    return Group(
        name=HEAD,
        role="head",
        min_replicas=1,
        max_replicas=1,
        num_cpus=default if given.num_cpus is None else given.num_cpus,
        spread=spec.highly_available,
        **common,
    )


def worker_group(
    given: blueprint.WorkerGroup,
    spec: blueprint.Spec,
    site: Site,
    patched: Patched | None,
) -> Group:
    """Return a worker group of a blueprint's `spec`.

    `patched` is what its pods ask for with patches. Raises NoMachine.
    """
    around, sidecars = Around(before=WAIT_GCS_READY), _sidecars(spec, site)
    said = "min_replicas" in given.model_fields_set
    least = 2 if spec.highly_available and not said else given.min_replicas
    common = _common(given, around, sidecars, WORKER_DEFAULT, spec.env, site, patched)
    return Group(
        name=given.name,
        role="worker",
        min_replicas=least,
        max_replicas=max(least, given.most_replicas),
        num_cpus=_whole(common["cpu"]),
        idle_timeout_seconds=given.idle_timeout_seconds,
        priority=given.priority,
        warm_replicas=given.warm_replicas,
        spread=spec.highly_available,
        **common,
    )


def submitter(beside: Group, site: Site, patched: Patched | None) -> Group:
    """Return the pod that hands a job to Ray.

    On nodes like those of the head `beside`, whose room it may use, but never on GPUs.
    """
    amounts = quantities(SUBMITTER_POD)
    same = beside.choice if not beside.num_gpus else None
    given = blueprint.Head(
        cpu=amounts["cpu"],
        memory=amounts["memory"],
        machine_type=same.best.machine.type.name if same else None,
        zones=beside.zones or None,
    )
    nothing = Resources()
    common = _common(given, Around(), nothing, SUBMITTER_POD, {}, site, patched)
    if same:
        common["choice"] = replace(common["choice"], reason="beside the head")
    return Group(
        name=SUBMITTER,
        role="submitter",
        min_replicas=1,
        max_replicas=1,
        num_cpus=0,
        **common,
    )


def _autoscaling(spec: blueprint.Spec) -> bool:
    return any(g.min_replicas != g.most_replicas for g in spec.worker_groups)


def _sidecars(spec: blueprint.Spec, site: Site) -> Resources:
    return FLUENT_BIT if day_two.logs(spec, site).mode == "sidecar" else Resources()


def _common(  # noqa: PLR0913, PLR0917 each comes from somewhere else
    given: blueprint.Group,
    around: Around,
    beside: Resources,
    default: Resources,
    env: Mapping[str, str],
    site: Site,
    patched: Patched | None,
) -> dict[str, Any]:
    least = patched.ray if patched else _asked(given, default)
    # A pod that a patch leaves without requests takes next to nothing.
    least_pod = around.pod(patched.pod if patched else least).at_least(Resources(1, 1))
    # In pods with patches our sidecars are counted already.
    least_pod = least_pod if patched else least_pod + beside
    choice = _choice(given, least_pod, site, around.beside + beside)
    ray = least if patched else _raised(given, least, around.beside + beside, choice)
    written = quantities(ray)
    own = _nodes(given, choice) if choice else None
    shape = choice.best.shape if choice else gpus.shape(given.gpu)
    return {
        "cpu": given.cpu or written["cpu"],
        "memory": given.memory or written["memory"],
        "num_gpus": given.gpu.count if given.gpu else 0,
        "memory_bytes": int(ray.memory_bytes * (1 - _OBJECT_STORE_SHARE)),
        "resources": given.resources,
        "labels": _labels(given, shape),
        "node_selector": _selector(given, shape, own, site),
        "node_affinity": nodes.affinity(shape),
        "tolerations": (
            *nodes.tolerations(shape),
            *(_toleration(t) for t in given.tolerations),
        ),
        "shape": shape,
        "pod": least_pod if patched else around.pod(ray) + beside,
        "beside": beside,
        "choice": choice,
        "nodes": own,
        "zones": given.zones or (),
        **_ending(shape, env),
    }


def _asked(given: blueprint.Group, default: Resources) -> Resources:
    return Resources(
        math.ceil(number(given.cpu) * 1000) if given.cpu else default.cpu_millis,
        int(number(given.memory)) if given.memory else default.memory_bytes,
    )


def _choice(
    given: blueprint.Group, pod: Resources, site: Site, beside: Resources
) -> Choice | None:
    """Choose the group's nodes; `beside` is what of the pod is not Ray's container.

    Pods that say nothing in GKE's words may run on machines that it does not have.
    """
    try:
        return choose(need(given, pod, site.pods_per_node, beside), site)
    except NoMachine:
        if given.gpu or given.machine_type or site.target == "gke":
            raise
        return None


def _raised(
    given: blueprint.Group, ray: Resources, beside: Resources, choice: Choice | None
) -> Resources:
    """Give pods with GPUs an equal share of the node where they do not say it."""
    if choice is None or given.gpu is None:
        return ray
    equal = (share(choice.best) - beside).at_least(ray)
    return Resources(
        ray.cpu_millis if given.cpu else equal.cpu_millis,
        ray.memory_bytes if given.memory else equal.memory_bytes,
    )


def _selector(
    given: blueprint.Group, shape: nodes.Shape, own: Nodes | None, site: Site
) -> dict[str, str]:
    """Pods find their nodes by shape, and where the pools are ours by the pool."""
    pool = {}
    if own and site.target == "gke":
        pool = {nodes.NODE_POOL: name_of(own)}
    return nodes.selector(shape) | pool | given.node_selector


def _nodes(given: blueprint.Group, choice: Choice) -> Nodes:
    best = choice.best
    worker = given if isinstance(given, blueprint.WorkerGroup) else None
    return Nodes(
        best.shape,
        best.machine,
        best.devices,
        tuple(sorted(given.zones or ())),
        worker.placement_policy if worker else None,
        tuple(sorted(worker.secondary_boot_disks)) if worker else (),
        tuple(
            (key, value)
            for key, value in sorted(given.node_selector.items())
            if not nodes.is_reserved(key)
        ),
    )


def _ending(shape: nodes.Shape, env: Mapping[str, str]) -> dict[str, Any]:
    spot = shape.provisioning == "spot"
    drain = {DRAIN_TIMEOUT: str(_SPOT_DRAIN_SECONDS)}
    sharing = shape.sharing_strategy
    return {
        "env": drain if spot and DRAIN_TIMEOUT not in env else {},
        "host_ipc": sharing is not None and STRATEGIES[sharing].host_ipc,
        "termination_grace_period_seconds": _grace_seconds(env, spot=spot),
        "spot": spot,
    }


def _labels(given: blueprint.Group, shape: nodes.Shape) -> dict[str, str]:
    # Nothing in KubeRay tells Ray whether a node is Spot.
    market = "spot" if shape.provisioning == "spot" else "on-demand"
    return {"ray.io/market-type": market, **gpus.ray_labels(shape), **given.labels}


def _toleration(given: blueprint.Toleration) -> dict[str, Any]:
    words = {
        "key": given.key,
        "operator": given.operator,
        "value": given.value,
        "effect": given.effect,
        "tolerationSeconds": given.toleration_seconds,
    }
    return {word: value for word, value in words.items() if value is not None}


def _grace_seconds(env: Mapping[str, str], *, spot: bool) -> int:
    drain = env.get(DRAIN_TIMEOUT, "")
    default = _SPOT_DRAIN_SECONDS if spot else _DRAIN_SECONDS
    seconds = int(drain) if drain.isdecimal() else default
    return seconds + (_SPOT_STOP_SECONDS if spot else _STOP_SECONDS)


def _whole(cpu: str) -> int:
    return math.ceil(number(cpu))
