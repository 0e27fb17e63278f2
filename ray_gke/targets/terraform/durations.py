"""How long Terraform will still take.

The durations are round figures, from the logs of applies in public issues of the
google provider and of the modules that use it; a cluster alone may take half as long
or twice. Nobody promises them, so that they are for a progress line and no more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

PARALLELISM = 10
"""How many resources Terraform works on at once, without `-parallelism`."""

_LATE = 0.1
_INDEX = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')


class _Typical(NamedTuple):
    """Seconds for each action; `stage` counts what a type waits for."""

    stage: int
    create: float
    update: float
    delete: float


_READ_SECONDS = 2.0
_OTHER = _Typical(6, 5, 5, 5)
_TYPICAL: Mapping[str, _Typical] = {
    "google_project_service": _Typical(0, 30, 10, 2),
    "google_artifact_registry_repository": _Typical(1, 15, 10, 10),
    "google_compute_network": _Typical(1, 25, 15, 30),
    "google_service_account": _Typical(1, 10, 5, 5),
    "google_artifact_registry_repository_iam_member": _Typical(2, 5, 5, 5),
    "google_compute_router": _Typical(2, 15, 15, 15),
    "google_compute_subnetwork": _Typical(2, 25, 25, 25),
    "google_project_iam_member": _Typical(2, 10, 10, 10),
    "google_compute_router_nat": _Typical(3, 20, 20, 20),
    "google_container_cluster": _Typical(4, 480, 120, 300),
    "google_container_node_pool": _Typical(5, 90, 90, 120),
    "kubernetes_namespace_v1": _Typical(6, 2, 2, 15),
    "kubernetes_priority_class_v1": _Typical(6, 2, 2, 2),
    "helm_release": _Typical(7, 30, 30, 10),
    "kubernetes_deployment_v1": _Typical(7, 5, 5, 5),
    "kubernetes_resource_quota_v1": _Typical(7, 2, 2, 2),
}


def seconds_left(pending: Mapping[str, tuple[str, float]]) -> float:
    """Return about how many seconds the rest of an apply takes.

    `pending` has the address of each resource that is not done, what is done to it
    (create, update, replace, delete or read) and for how many seconds already, 0 if
    it has not begun. The resources of a stage are worked on side by side, the stages
    one after the other; a delete goes through them backwards, which takes as long.
    """
    stages: defaultdict[int, list[float]] = defaultdict(list)
    for address, (action, spent) in pending.items():
        stage, whole = _typical(address, action)
        # What is late will take a little longer, nobody knows how much.
        stages[stage].append(max(whole - spent, whole * _LATE))
    return sum(max(*rests, sum(rests) / PARALLELISM) for rests in stages.values())


def _typical(address: str, action: str) -> tuple[int, float]:
    """Return the stage of a resource, and how long it takes from its beginning."""
    kind, is_data = _kind(address)
    if is_data or action == "read":
        return 0, _READ_SECONDS
    typical = _TYPICAL.get(kind, _OTHER)
    seconds = {
        "create": typical.create,
        "update": typical.update,
        "delete": typical.delete,
        "replace": typical.delete + typical.create,
    }
    return typical.stage, seconds.get(action, _OTHER.update)


def _kind(address: str) -> tuple[str, bool]:
    """Return the type of an address, and whether it is that of a data source.

    Keys of `for_each` may hold dots; a module may be called `data`.
    """
    *path, kind, _ = ["", *_INDEX.sub("", address).split(".")]
    while path[1:2] == ["module"]:
        del path[1:3]
    return kind, path[1:] == ["data"]
