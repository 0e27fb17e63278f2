"""The head and the worker groups of a blueprint, with every value decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ray_gke.catalog import blueprint
from ray_gke.catalog.quantities import number
from ray_gke.gke import nodes
from ray_gke.planning import gpus
from ray_gke.planning.plan import HEAD, Group

DRAIN_TIMEOUT = "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"
_DRAIN_SECONDS = 30
_SPOT_DRAIN_SECONDS = 10
# Beside the drain itself Ray must stop its processes. A Spot node gives all of its
# pods only 15 seconds.
_STOP_SECONDS = 30
_SPOT_STOP_SECONDS = 5

_OBJECT_STORE_SHARE = Decimal("0.3")
"""Ray puts its object store into this share of a container's memory."""


def head(spec: blueprint.Spec) -> Group:
    """Return the head: on demand, and free of tasks when there are workers."""
    given = spec.head
    default = 0 if spec.worker_groups else _whole(given.cpu)
    return Group(
        name=HEAD,
        min_replicas=1,
        max_replicas=1,
        num_cpus=default if given.num_cpus is None else given.num_cpus,
        **_common(given, "standard", spec.env),
    )


def worker_group(given: blueprint.WorkerGroup, env: Mapping[str, str]) -> Group:
    """Return a worker group; `env` is what every container gets besides."""
    return Group(
        name=given.name,
        min_replicas=given.min_replicas,
        max_replicas=given.most_replicas,
        num_cpus=_whole(given.cpu),
        idle_timeout_seconds=given.idle_timeout_seconds,
        priority=given.priority,
        warm_replicas=given.warm_replicas,
        **_common(given, given.provisioning, env),
    )


def _common(
    given: blueprint.Group, provisioning: nodes.Provisioning, env: Mapping[str, str]
) -> dict[str, Any]:
    shape = gpus.shape(given.gpu) if given.gpu else None
    spot = provisioning == "spot"
    drain = {DRAIN_TIMEOUT: str(_SPOT_DRAIN_SECONDS)}
    return {
        "cpu": given.cpu,
        "memory": given.memory,
        "num_gpus": given.gpu.count if given.gpu else 0,
        "memory_bytes": int(number(given.memory) * (1 - _OBJECT_STORE_SHARE)),
        "resources": given.resources,
        "labels": _labels(given, provisioning),
        "node_selector": nodes.selector(shape, provisioning) | given.node_selector,
        "node_affinity": nodes.affinity(shape, provisioning),
        "tolerations": (
            *nodes.tolerations(shape, provisioning),
            *(_toleration(t) for t in given.tolerations),
        ),
        "env": drain if spot and DRAIN_TIMEOUT not in env else {},
        "host_ipc": shape is not None and shape.sharing_strategy == "mps",
        "termination_grace_period_seconds": _grace_seconds(env, spot=spot),
        "spot": spot,
    }


def _labels(given: blueprint.Group, provisioning: nodes.Provisioning) -> dict[str, str]:
    # Nothing in KubeRay tells Ray whether a node is Spot.
    market = "spot" if provisioning == "spot" else "on-demand"
    gpu = gpus.ray_labels(given.gpu) if given.gpu else {}
    return {"ray.io/market-type": market, **gpu, **given.labels}


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
