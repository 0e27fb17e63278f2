"""What there is in the cluster of the runs that are wanted, read in few requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.rendering.labels import NAMESPACE, RUN
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import inventory
from ray_gke.targets.kubernetes.api import FIELD_MANAGER, Api, NotAllowedError
from ray_gke.targets.kubernetes.inventory import MANAGED_BY, Inventory
from ray_gke.targets.kubernetes.ray_edits import without_scale
from ray_gke.targets.kubernetes.resources import (
    RAY_KINDS,
    RESOURCES,
    Ref,
    labels,
    resource,
)


@dataclass(frozen=True)
class Wanted:
    """A run as it should be: its plan, and the objects that carry it out.

    `max_nodes` is that of each node pool, by its name, where the pools are ours.
    """

    plan: Plan
    namespace: str
    objects: tuple[Manifest, ...]
    max_nodes: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.plan.name

    @property
    def ray(self) -> Ref:
        """Its Ray object."""
        return next(Ref.of(one) for one in self.objects if one["kind"] in RAY_KINDS)


Live = Mapping[Ref, Manifest]


def read(api: Api, wanted: Sequence[Wanted]) -> Live:
    """Return all objects of the wanted runs, and whatever else has their names."""
    chosen = inventory.selector(wanted[0].name) if len(wanted) == 1 else inventory.OURS
    namespaces = sorted({run.namespace for run in wanted})
    found = _lists(api, {"ConfigMap"}, namespaces, chosen)
    remembered = {item.ref for one in _inventories(found) for item in one.items}
    refs = {Ref.of(one) for run in wanted for one in run.objects} | remembered
    kinds = {ref.kind for ref in refs} | set(RAY_KINDS)
    if any(map(inventory.is_damaged, found.values())):
        kinds |= set(RESOURCES) - {"Namespace"}
    found |= _lists(api, kinds - {"ConfigMap"}, namespaces, chosen)
    refs |= {inventory.ref(run.namespace, run.name) for run in wanted}
    refs |= {Ref("Namespace", "", run.namespace) for run in wanted}
    missing = sorted(refs - set(found), key=str)
    gets = api.in_parallel(lambda ref: _get(api, ref), missing)
    for ref, one in zip(missing, gets, strict=True):
        if one is not None:
            found[ref] = one
    return found


def _get(api: Api, ref: Ref) -> Manifest | None:
    try:
        return api.get(ref)
    except NotAllowedError:
        # Whoever has rights in a namespace may not see the namespace itself.
        if ref.kind != "Namespace":
            raise
        return {"apiVersion": "v1", "kind": ref.kind, "metadata": {"name": ref.name}}


def of_run(live: Live, name: str, namespace: str) -> Iterator[Ref]:
    """Yield what carries the labels of a run and is owned by no other object.

    What KubeRay makes inherits our labels, and has an owner.
    """
    for ref, one in live.items():
        if is_of(one, name, namespace):
            yield ref


def is_of(one: Manifest, name: str, namespace: str) -> bool:
    """Tell whether we have made an object for the run `name` of a namespace."""
    found = labels(one)
    return (
        found.get(MANAGED_BY) == "ray-gke"
        and found.get(RUN) == name
        and one["metadata"].get("namespace", found.get(NAMESPACE)) == namespace
        and not one["metadata"].get("ownerReferences")
    )


def serving(live: Live, service: Manifest) -> Manifest | None:
    """Return the RayCluster that a RayService compares itself with: its newest one."""
    status = service.get("status") or {}
    for part in ("pendingServiceStatus", "activeServiceStatus"):
        name = (status.get(part) or {}).get("rayClusterName", "")
        if found := live.get(Ref("RayCluster", Ref.of(service).namespace, name)):
            return found
    return None


def owner(one: Manifest) -> str:
    """Return in words to whom an object belongs that is not ours."""
    found = labels(one)
    owners = one["metadata"].get("ownerReferences") or ()
    if owners:
        # KubeRay gives our labels to what it makes.
        return f"{owners[0]['kind']} {owners[0]['name']}"
    if found.get(MANAGED_BY) == "ray-gke" and RUN in found:
        return f"the run {found[RUN]} of ray-gke"
    managers = {
        entry["manager"]: None
        for entry in one["metadata"].get("managedFields") or ()
        if entry.get("subresource") != "status"
    }
    by = found.get(MANAGED_BY)
    return ", ".join([*([by] if by else []), *managers]) or "somebody else"


def our_fields(one: Manifest) -> str:
    """Return a digest of what the API server has written down as ours.

    It changes as soon as anybody else changes a value of ours.
    """
    for entry in one["metadata"].get("managedFields") or ():
        if entry["manager"] == FIELD_MANAGER and entry["operation"] == "Apply":
            return digest(entry["fieldsV1"])
    return ""


def groups(one: Manifest) -> str:
    """Return a digest of a RayCluster's worker groups without their numbers."""
    if one["kind"] != "RayCluster":
        return ""
    return digest(without_scale(one["spec"].get("workerGroupSpecs") or ()))


def digest(value: Any) -> str:
    """Return a short word that changes with plain data."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lists(
    api: Api, kinds: Iterable[str], namespaces: Sequence[str], chosen: str
) -> dict[Ref, Manifest]:
    """Return what the selector `chosen` finds, by one list a kind and namespace."""
    places = [
        (kind, namespace)
        for kind in sorted(kinds)
        for namespace in (namespaces if resource(kind).namespaced else [""])
    ]
    lists = api.in_parallel(lambda p: api.list(p[0], p[1], selector=chosen), places)
    return {Ref.of(one): one for found in lists for one in found}


def _inventories(found: Mapping[Ref, Manifest]) -> Iterator[Inventory]:
    for ref, one in found.items():
        if ref.kind == "ConfigMap" and (parsed := inventory.parse(one)):
            yield parsed
