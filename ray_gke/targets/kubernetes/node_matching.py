"""Whether a node takes a pod, as the scheduler decides it, and what it lacks if not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.pod_requests import Amounts, numbers, requests
from ray_gke.targets.kubernetes.resources import labels
from ray_gke.targets.kubernetes.view import condition

_NONE = Decimal(0)
_GIB = Decimal(2**30)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True)
class Room:
    """A node and the pods on it; `free` is what it has left."""

    node: Manifest
    pods: tuple[Manifest, ...]
    size: Amounts
    free: Amounts

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])


def room(node: Manifest, pods: Iterable[Manifest]) -> Room:
    """Return what a node has left beside the pods on it."""
    here = tuple(
        p for p in pods if p["spec"].get("nodeName") == node["metadata"]["name"]
    )
    size = numbers((node.get("status") or {}).get("allocatable") or {})
    free = dict(size)
    for pod in here:
        for key, amount in {**requests(pod), "pods": Decimal(1)}.items():
            free[key] = free.get(key, _NONE) - amount
    return Room(node, here, size, free)


def label_lacks(pod: Manifest, node: Manifest) -> list[str]:
    """Return which labels the pod wants that the node does not have."""
    found = labels(node)
    lacks = []
    for key, value in (pod["spec"].get("nodeSelector") or {}).items():
        if key not in found:
            lacks.append(f"label {key}={value}")
        elif found[key] != value:
            lacks.append(f"label {key}={value} (it has {found[key]})")
    terms = _terms(pod)
    if terms and not any(not list(_unmet(term, node)) for term in terms):
        # Of several alternatives, the first stands for all.
        lacks += _unmet(terms[0], node)
    return lacks


def taint_lacks(pod: Manifest, node: Manifest) -> list[str]:
    """Return what keeps pods off the node that this pod does not tolerate."""
    lacks = []
    for taint in node["spec"].get("taints") or ():
        hard = taint.get("effect") in {"NoSchedule", "NoExecute"}
        if hard and not any(_tolerates(t, taint) for t in _tolerations(pod)):
            value = f"={taint['value']}" if taint.get("value") else ""
            lacks.append(f"toleration of {taint['key']}{value}:{taint['effect']}")
    return lacks


def resource_lacks(pod: Manifest, place: Room) -> list[str]:
    """Return of what the node has too little left."""
    wanted = {**requests(pod), "pods": Decimal(1)}
    lacks = []
    for key, amount in wanted.items():
        free, size = place.free.get(key, _NONE), place.size.get(key, _NONE)
        if amount > free:
            left = f"{shown(key, free)} of {shown(key, size)} free"
            lacks.append(f"{key}: {shown(key, amount)} wanted, {left}")
    return lacks


def is_ready(node: Manifest) -> bool:
    """Tell whether a node answers."""
    return condition(node, "Ready").get("status") == "True"


def shown(key: str, amount: Decimal) -> str:
    """Return an amount as a person reads it: memory in Gi, all else as it is."""
    if key in {"memory", "ephemeral-storage"} or key.startswith("hugepages"):
        return f"{(amount / _GIB).quantize(Decimal('0.1')).normalize():f}Gi"
    return f"{amount.normalize():f}"


def _terms(pod: Manifest) -> list[Mapping[str, Any]]:
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms")
    return list(terms or ())


def _unmet(term: Mapping[str, Any], node: Manifest) -> Iterator[str]:
    name = {"metadata.name": node["metadata"]["name"]}
    for key, found in (("matchExpressions", labels(node)), ("matchFields", name)):
        for expression in term.get(key) or ():
            if not holds(expression, found):
                yield _words(expression, found)


def holds(expression: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """Tell whether labels meet one of a selector's expressions."""
    key, values = expression["key"], expression.get("values") or []
    value = found.get(key)
    match expression["operator"]:
        case "In" | "NotIn" as operator:
            return bool((value in values) == (operator == "In"))
        case "Exists" | "DoesNotExist" as operator:
            return bool((value is not None) == (operator == "Exists"))
        case "Gt" | "Lt" as operator if value is not None:
            than, bound = int(value), int(values[0])
            return than > bound if operator == "Gt" else than < bound
        case _:
            return False


def _words(expression: Mapping[str, Any], found: Mapping[str, str]) -> str:
    key, values = expression["key"], ", ".join(expression.get("values") or [])
    has = f" (it has {found[key]})" if key in found else ""
    match expression["operator"]:
        case "In":
            return f"label {key} of {values}{has}"
        case "Exists":
            return f"label {key}"
        case "DoesNotExist" | "NotIn":
            return f"absence of label {key}={found.get(key, '')}"
        case operator:
            return f"label {key} {operator} {values}{has}"


def _tolerations(pod: Manifest) -> list[Mapping[str, Any]]:
    return list(pod["spec"].get("tolerations") or ())


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in {None, "", taint.get("effect")}:
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    same = toleration.get("value", "") == taint.get("value", "")
    return toleration.get("operator") == "Exists" or same
