"""Runs as one look at a cluster shows them, made of the few fields that matter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes.causes import causes
from ray_gke.targets.kubernetes.inventory import GroupFacts, Inventory, Item
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.kubernetes.view import View, with_events

NOW = 1_800_000_000.0
IMAGE = "rayproject/ray:9.9.9"
READY = [{"type": "Ready", "status": "True"}]
PLACED = {"type": "PodScheduled", "status": "True"}


def at(ago: float) -> str:
    return datetime.fromtimestamp(NOW - ago, tz=UTC).isoformat()


def event(
    uid: str,
    reason: str,
    message: str,
    *,
    ago: float = 5,
    first: float = 0,
    **more: Any,
) -> dict[str, Any]:
    kind, _, name = uid.partition("/")
    return {
        "metadata": {"creationTimestamp": at(first or ago)},
        "involvedObject": {"kind": kind, "name": name, "uid": uid},
        "reason": reason,
        "message": message,
        "type": "Warning",
        "firstTimestamp": at(first or ago),
        "lastTimestamp": at(ago),
        **more,
    }


def ray(
    kind: str = "RayCluster", *, ago: float = 100, **more: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {
            "name": "demo",
            "namespace": "ml",
            "uid": f"{kind}/demo",
            "generation": 1,
            "creationTimestamp": at(ago),
        },
        "spec": {},
        "status": {"observedGeneration": 1, "conditions": []},
        **more,
    }


def pod(
    name: str = "demo-head", *, group: str = "headgroup", ago: float = 60, **more: Any
) -> dict[str, Any]:
    limits = {"cpu": "1", "memory": "8Gi"}
    container = {"name": "ray", "image": IMAGE, "resources": {"limits": limits}}
    spec = {"nodeName": "node-1", "containers": [container], **more.pop("spec", {})}
    status = {"phase": "Pending", "conditions": [PLACED], **more}
    labels = {"ray.io/cluster": "demo", "ray.io/group": group}
    return {
        "metadata": {
            "name": name,
            "namespace": "ml",
            "uid": f"Pod/{name}",
            "creationTimestamp": at(ago),
            "labels": labels if group else {},
        },
        "spec": spec,
        "status": {"startTime": at(ago), **status},
    }


def container(
    state: Mapping[str, Any],
    *,
    name: str = "ray",
    restarts: int = 0,
    last: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    ended = {"lastState": {"terminated": last}} if last else {}
    return {"name": name, "state": state, "restartCount": restarts, **ended}


def waits(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def ended(
    code: int, *, reason: str = "Error", ago: float = 30, message: str = ""
) -> dict[str, Any]:
    said = {"exitCode": code, "reason": reason, "message": message}
    return {**said, "finishedAt": at(ago)}


def seen(
    *pods: dict[str, Any],
    one: dict[str, Any] | None = None,
    events: tuple[dict[str, Any], ...] = (),
    **more: Any,
) -> View:
    one = one or ray()
    own = (one if one["kind"] == "RayCluster" else ray(),)
    kind = one["kind"].removeprefix("Ray").lower()
    item = Item(Ref(one["kind"], "ml", "demo"))
    known = Inventory("demo", "ml", kind, "b", (GroupFacts("gpu", 1, 3),), (item,))
    clusters = more.pop("clusters", own)
    view = View(known, ray=one, clusters=clusters, pods=pods, **more)
    return with_events(view, events)


def told(view: View, *, later: float = 0) -> list[Cause]:
    return causes(view, NOW + later)


def only(view: View, *, later: float = 0) -> Cause:
    (cause,) = told(view, later=later)
    return cause


def in_order() -> dict[str, Any]:
    running = {"running": {"startedAt": at(50)}}
    return pod(
        phase="Running",
        conditions=[PLACED, *READY],
        containerStatuses=[{**container(running), "ready": True}],
    )


def unschedulable(message: str, **spec: Any) -> dict[str, Any]:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
        "lastTransitionTime": at(30),
    }
    return pod("w", group="gpu", spec={"nodeName": "", **spec}, conditions=[condition])
