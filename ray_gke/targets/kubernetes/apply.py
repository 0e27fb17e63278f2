"""Carry out the changes of a run, so that it can be interrupted anywhere.

First it is written down what will be there, then what runs on it makes way, then
everything is applied, and at the end what is gone from the blueprint goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import inventory, live
from ray_gke.targets.kubernetes.api import Api, ApiError
from ray_gke.targets.kubernetes.changes import Change, RunChanges
from ray_gke.targets.kubernetes.inventory import Inventory, Item
from ray_gke.targets.kubernetes.removal import Removal
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref, resource


@dataclass
class Application:
    """One run on its way to what is wanted; `check` raises when we must stop."""

    api: Api
    run: RunChanges
    check: Callable[[], None]
    _items: dict[Ref, Item] = field(default_factory=dict)
    _written: Inventory | None = None
    _applied_at: float = 0.0

    def __post_init__(self) -> None:
        self._items = {item.ref: item for item in self.run.kept}
        self._written = self.run.before

    @property
    def remembered(self) -> Inventory:
        """What is remembered of the run now."""
        return self.run.after(self._items.values())

    @property
    def edited(self) -> tuple[float, str] | None:
        """When a service that was there was edited, and the cluster it must leave.

        On the monotonic clock; the cluster is empty when the edit is made in place.
        """
        for change in self.run.of("change"):
            if change.ref.kind == "RayService" and change.edit and self._applied_at:
                left = _active(change) if change.edit.new_cluster else ""
                return self._applied_at, left
        return None

    def apply(self) -> None:
        """Bring everything to what is wanted; what is gone stays for now."""
        self._remember()
        ending = [c for c in self.run.of("prune") if c.ref.kind in RAY_KINDS]
        self._remove([*ending, *self.run.of("replace")])
        for change in sorted(
            self.run.of("create", "change", "replace"), key=lambda c: c.ref.order
        ):
            if change.ref.kind != "Namespace":
                self._apply(change)
        self._applied_at = time.monotonic()
        self._remember()

    def prune(self) -> None:
        """Remove what the blueprint no longer has.

        What a cluster that is about to go still reads goes with that.
        """
        gone = [c for c in self.run.of("prune") if c.ref.kind not in RAY_KINDS]
        read = {c.ref: self._readers(c.ref) for c in gone if c.ref.kind == "ConfigMap"}
        for change in gone:
            if readers := read.get(change.ref):
                self._hand_over(change, readers)
        self._remove(c for c in gone if not read.get(c.ref))
        self._remember()

    def _readers(self, files: Ref) -> list[Manifest]:
        """Return the clusters of the run whose pods mount a ConfigMap."""
        chosen = inventory.selector(self.run.wanted.name)
        clusters = self.api.list("RayCluster", files.namespace, selector=chosen)
        return [one for one in clusters if _mounts(one.get("spec"), files.name)]

    def _hand_over(self, change: Change, readers: Iterable[Manifest]) -> None:
        """Let a ConfigMap belong to who reads it, and go with the last of them.

        A cluster that has left its service serves on for a minute, and its head's state
        is then removed from Redis by a pod that mounts all that the head did (KubeRay's
        raycluster_controller.go, buildRedisCleanupJob).
        """
        before = change.before or {}
        metadata = before["metadata"]
        owners = [
            {
                "apiVersion": resource("RayCluster").api_version,
                "kind": "RayCluster",
                "name": one["metadata"]["name"],
                "uid": one["metadata"]["uid"],
            }
            for one in readers
        ]
        kept = ("apiVersion", "kind", "data", "binaryData", "immutable")
        labels = {key: metadata[key] for key in ("name", "namespace", "labels")}
        self.check()
        self.api.apply(
            {
                **{key: before[key] for key in kept if key in before},
                "metadata": {**labels, "ownerReferences": owners},
            },
            force=True,
        )
        self._items.pop(change.ref, None)

    def _apply(self, change: Change) -> None:
        assert change.wanted is not None
        self.check()
        after = self._applied(change, change.wanted)
        rendered = self._rendered(change.ref)
        # The cluster of a RayService belongs to that, and goes with it.
        if rendered is not None:
            self._items[change.ref] = Item(
                change.ref,
                live.digest(rendered),
                live.our_fields(after),
                live.groups(after),
            )

    def _applied(self, change: Change, wanted: Manifest) -> Manifest:
        try:
            return self.api.apply(wanted, force=change.force)
        except ApiError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
            here, run = self.api.get(change.ref), self.run.wanted
            if (
                here
                and _is_made(here, change)
                and live.is_of(here, run.name, run.namespace)
            ):
                # We made it, and the answer was lost: a controller has written since.
                return here
            raise

    def _rendered(self, ref: Ref) -> Manifest | None:
        objects = self.run.wanted.objects
        return next((one for one in objects if Ref.of(one) == ref), None)

    def _remove(self, changes: Iterable[Change]) -> None:
        several = [(c, Removal.of(self.api, c.ref, c.uid)) for c in changes]
        for _, removal in several:
            self.check()
            removal.delete()
        for change, removal in several:
            removal.wait()
            if change.action == "prune":
                self._items.pop(change.ref, None)

    def _remember(self) -> None:
        """Write down what belongs to the run, if that has changed."""
        self.check()
        wanted = self.remembered
        if not wanted.same_as(self._written):
            self.api.apply(wanted.manifest(), force=True)
            self._written = wanted


def _mounts(value: Any, name: str) -> bool:
    """Tell whether something inside reads the ConfigMap `name`."""
    if isinstance(value, Mapping):
        source = value.get("configMap")
        if isinstance(source, Mapping) and source.get("name") == name:
            return True
        return any(_mounts(part, name) for part in value.values())
    return isinstance(value, list) and any(_mounts(part, name) for part in value)


def _is_made(here: Manifest, change: Change) -> bool:
    """Tell whether an object is there that was not when we looked."""
    anew = change.action in {"create", "replace"}
    return anew and here["metadata"]["uid"] != change.uid


def _active(change: Change) -> str:
    """Return the cluster that serves, as it was before the change."""
    status = (change.before or {}).get("status") or {}
    return str((status.get("activeServiceStatus") or {}).get("rayClusterName", ""))
