"""What belongs to a run, remembered in the cluster: a ConfigMap beside its objects.

It is written before anything is made, with all that will be made, and again when what
is gone has been removed. So whatever is interrupted can be continued, and taken away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ray_gke.gke.nodes import NODE_POOL
from ray_gke.planning.plan import Plan
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.resources import (
    RAY_KINDS,
    RESOURCES,
    Ref,
    labels,
)

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = f"{MANAGED_BY}=ray-gke"
"""The label selector of everything that we make."""

_MARK = "ray-gke/inventory"
_RUN_KEY, _OBJECTS_KEY = "run", "objects"
_NO_POOLS: Mapping[str, int] = {}


@dataclass(frozen=True)
class Item:
    """An object, and how we left it.

    `digest` is that of the object as it was applied, `fields` that of the record that
    the API server keeps of our fields, `groups` that of a RayCluster's worker groups
    without what Ray's autoscaler writes there. Empty until it has been applied.
    """

    ref: Ref
    digest: str = ""
    fields: str = ""
    groups: str = ""


@dataclass(frozen=True)
class GroupFacts:
    """A worker group of a run, and its limits."""

    name: str
    min_replicas: int
    max_replicas: int


@dataclass(frozen=True)
class PoolFacts:
    """A node pool that the plan of a run is for, and the most nodes it may have."""

    name: str
    max_nodes: int


@dataclass(frozen=True)
class Inventory:
    """A run, what it is, and its objects."""

    name: str
    namespace: str
    kind: str
    blueprint: str
    groups: tuple[GroupFacts, ...] = ()
    items: tuple[Item, ...] = ()
    uid: str = ""
    pools: tuple[PoolFacts, ...] = ()

    @classmethod
    def of(
        cls,
        plan: Plan,
        namespace: str,
        items: Iterable[Item],
        max_nodes: Mapping[str, int] = _NO_POOLS,
    ) -> Inventory:
        """Return the inventory of a plan that runs in `namespace`.

        `max_nodes` is that of each node pool of ours, by its name.
        """
        groups = tuple(
            GroupFacts(g.name, g.min_replicas, g.max_replicas)
            for g in plan.worker_groups
        )
        own = {group.node_selector.get(NODE_POOL) for group in plan.groups}
        pools = [PoolFacts(*one) for one in sorted(max_nodes.items()) if one[0] in own]
        kind, blueprint = plan.kind, plan.blueprint
        return cls(
            *(plan.name, namespace, kind, blueprint, groups, tuple(items)),
            pools=tuple(pools),
        )

    @property
    def ref(self) -> Ref:
        """Where it is kept."""
        return ref(self.namespace, self.name)

    @property
    def selector(self) -> str:
        """The label selector of everything of this run, pods included."""
        return selector(self.name)

    @property
    def ray(self) -> Ref | None:
        """The newest Ray object of the run."""
        found = [item.ref for item in self.items if item.ref.kind in RAY_KINDS]
        return found[-1] if found else None

    def has(self, pod: Manifest) -> bool:
        """Tell whether a pod is one of the run."""
        here = pod["metadata"]["namespace"] == self.namespace
        return here and labels(pod).get(RUN) == self.name

    def manifest(self) -> Manifest:
        """Return the ConfigMap that keeps it."""
        run = {
            "kind": self.kind,
            "blueprint": self.blueprint,
            "groups": [asdict(group) for group in self.groups],
            "pools": [asdict(pool) for pool in self.pools],
        }
        objects = [{**asdict(item.ref), **_digests(item)} for item in self.items]
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.ref.name,
                "namespace": self.namespace,
                "labels": {MANAGED_BY: "ray-gke", RUN: self.name, _MARK: "true"},
            },
            "data": {
                _RUN_KEY: json.dumps(run, sort_keys=True),
                _OBJECTS_KEY: json.dumps(objects, sort_keys=True),
            },
        }

    def same_as(self, other: Inventory | None) -> bool:
        """Tell whether keeping this instead of `other` would change nothing."""
        return other is not None and self.manifest() == other.manifest()


def ref(namespace: str, name: str) -> Ref:
    """Return where the inventory of the run `name` is kept."""
    return Ref("ConfigMap", namespace, f"ray-gke-{name}")


def selector(name: str) -> str:
    """Return the label selector of everything of the run `name`."""
    return f"{OURS},{RUN}={name}"


def is_ours(one: Manifest) -> bool:
    """Tell whether an object was made for a run of ours, by us or by KubeRay."""
    return RUN in labels(one)


def parse(one: Manifest) -> Inventory | None:
    """Return the inventory that a ConfigMap keeps, or None when it keeps none."""
    if labels(one).get(_MARK) != "true":
        return None
    try:
        run = json.loads(one["data"][_RUN_KEY])
        objects = json.loads(one["data"][_OBJECTS_KEY])
        namespace = one["metadata"]["namespace"]
        return Inventory(
            name=labels(one)[RUN],
            namespace=namespace,
            kind=run["kind"],
            blueprint=run["blueprint"],
            groups=tuple(map(_group, run["groups"])),
            items=tuple(_item(item, namespace) for item in objects),
            uid=one["metadata"].get("uid", ""),
            pools=tuple(PoolFacts(**pool) for pool in run.get("pools", ())),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        # Somebody has written in it; objects are still found by their labels.
        return None


def is_damaged(one: Manifest) -> bool:
    """Tell whether a ConfigMap was an inventory that nobody can read any more."""
    return labels(one).get(_MARK) == "true" and parse(one) is None


def find(api: Api, namespace: str, name: str) -> Inventory | None:
    """Return the inventory of the run `name`, or None when it is not there."""
    found = api.get(ref(namespace, name))
    return parse(found) if found else None


def in_namespace(api: Api, namespace: str) -> list[Inventory]:
    """Return the inventories of all runs in a namespace, in all without one."""
    found = api.list("ConfigMap", namespace, selector=f"{OURS},{_MARK}=true")
    return [inventory for one in found if (inventory := parse(one))]


def _digests(item: Item) -> Mapping[str, str]:
    kept = {"digest": item.digest, "fields": item.fields, "groups": item.groups}
    return {key: value for key, value in kept.items() if value}


def _group(data: Mapping[str, Any]) -> GroupFacts:
    # One that an older ray-gke has written has more.
    return GroupFacts(data["name"], data["min_replicas"], data["max_replicas"])


def _item(data: Mapping[str, Any], namespace: str) -> Item:
    """Return an object of a run; ValueError for one that no run there has."""
    if data["namespace"] != namespace * RESOURCES[data["kind"]].namespaced:
        raise ValueError(data)
    digests = {key: data.get(key, "") for key in ("digest", "fields", "groups")}
    return Item(Ref(data["kind"], data["namespace"], data["name"]), **digests)
