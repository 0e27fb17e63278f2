"""What an interrupted apply had made is ours, as the real providers tell of it.

The plans are as after an import by hashicorp/google 7, kubernetes 3 and helm 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ray_gke.errors import RefusedError
from ray_gke.events import Event, Note
from ray_gke.targets.terraform import adopting
from ray_gke.targets.terraform.changes import ResourceChange, parse
from ray_gke.targets.terraform.stack import Planned, Stack

Values = dict[str, Any]

MANAGED_BY = "app.kubernetes.io/managed-by"


@dataclass
class Interrupted:
    """A stack of which one resource was begun, and is there as `before` says."""

    kind: str
    before: Values
    after: Values
    action: tuple[str, ...] = ("update",)
    unknown: Values = field(default_factory=dict)
    title: str = "demo"
    forgotten: list[str] = field(default_factory=list)

    def begun_creations(self) -> frozenset[str]:
        return frozenset({f"{self.kind}.this"})

    def take_over(self, _: ResourceChange) -> bool:
        return True

    def forget(self, addresses: list[str]) -> None:
        self.forgotten += addresses

    def plan(self, _: object) -> Planned:
        return self.planned(self.action, self.before)

    def planned(self, actions: tuple[str, ...], before: Values | None) -> Planned:
        change = {
            "actions": list(actions),
            "before": before,
            "after": self.after,
            "after_unknown": self.unknown,
        }
        one = {"address": f"{self.kind}.this", "type": self.kind, "mode": "managed"}
        return Planned(parse({"resource_changes": [{**one, "change": change}]}), "x")

    def adopt(self) -> list[Event]:
        told: list[Event] = []
        first = self.planned(("create",), None)
        adopting.adopt(cast("Stack", self), first, told.append)
        return told


def labelled(ours: str | None, **more: str) -> Values:
    mark = {"managed-by": ours} if ours else {}
    return {"name": "demo", "labels": {}, "effective_labels": {**mark, **more}}


def metadata(ours: str | None, **more: str) -> Values:
    labels = {MANAGED_BY: ours} if ours else None
    return {"metadata": [{"name": "ray", "labels": labels, **more}]}


def release(chart: str, **more: Any) -> Values:
    values: Values = {"name": "kuberay-crds", "namespace": "kuberay", "chart": chart}
    return {"values": None, "repository": None, **values, **more}


REPOSITORY = "google_artifact_registry_repository"
NAMESPACE = "kubernetes_namespace_v1"
HARDENED = {
    "metadata": [
        {
            "name": "ray",
            "labels": {
                MANAGED_BY: "terraform",
                "pod-security.kubernetes.io/enforce": "baseline",
            },
        }
    ]
}
OURS = {
    "google": Interrupted(
        REPOSITORY,
        labelled("ray-gke", team="a"),
        labelled("ray-gke", team="b") | {"labels": {"managed-by": "ray-gke"}},
    ),
    "google without labels": Interrupted(
        "google_compute_network", {"name": "demo"}, {"name": "demo", "mtu": 8896}
    ),
    "kubernetes": Interrupted(NAMESPACE, metadata("terraform"), HARDENED),
    "kubernetes without labels": Interrupted(
        "kubernetes_resource_quota_v1", metadata(None), metadata(None, namespace="a")
    ),
    "helm": Interrupted(
        "helm_release",
        release("kuberay-crds", metadata={"chart": "kuberay-crds"}),
        release("./charts/kuberay-crds", values=["a: 1"], repository="https://x"),
        unknown={"metadata": True},
    ),
}
FOREIGN = {
    "google": Interrupted(
        REPOSITORY, labelled(None, owner="them"), labelled("ray-gke", owner="them")
    ),
    "google of another tool": Interrupted(
        REPOSITORY, labelled("config-connector"), labelled("ray-gke")
    ),
    "kubernetes": Interrupted(NAMESPACE, metadata(None), HARDENED),
    "kubernetes of another tool": Interrupted(NAMESPACE, metadata("Helm"), HARDENED),
    "helm": Interrupted(
        "helm_release", release("crds-of-others"), release("./charts/kuberay-crds")
    ),
    "to be replaced": Interrupted(
        "google_compute_network",
        {"name": "demo", "auto_create_subnetworks": True},
        {"name": "demo", "auto_create_subnetworks": False},
        action=("delete", "create"),
    ),
}


@pytest.mark.parametrize("stack", OURS.values(), ids=OURS)
def test_what_was_begun_is_taken_over(stack: Interrupted) -> None:
    address = f"{stack.kind}.this"
    assert stack.adopt() == [Note("demo", f"found again: {address}")]
    assert stack.forgotten == []


@pytest.mark.parametrize("stack", FOREIGN.values(), ids=FOREIGN)
def test_what_is_of_others_is_refused_and_forgotten(stack: Interrupted) -> None:
    address = f"{stack.kind}.this"
    with pytest.raises(RefusedError, match=f"did not make: {address}"):
        stack.adopt()
    assert stack.forgotten[-1:] == [address]
