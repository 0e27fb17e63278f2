"""A cluster in memory: as much of the API as bringing runs up and down asks for."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ray_gke.targets.kubernetes.api import Api, ApiError, UnreachableError
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref, resource

Object = dict[str, Any]

CLIENT: Any = SimpleNamespace(context="lab", server="https://lab:6443", namespace="ml")


@dataclass
class Operator:
    """Stands in for KubeRay: gives a Ray object the status that the test says.

    `status` has it by the object's name; without one a cluster is ready at once.
    """

    status: dict[str, Object] = field(default_factory=dict)

    def sees(self, cluster: MemoryCluster, ray: Object) -> None:
        """Write the status of a Ray object, and make its pods."""
        name = ray["metadata"]["name"]
        known = self.status.get(name)
        ready = {"type": "HeadPodReady", "status": "True"}
        ray["status"] = known or {"state": "ready", "conditions": [ready]}
        pod = Ref("Pod", ray["metadata"]["namespace"], f"{name}-head")
        cluster.objects.pop(pod, None)
        if known is None:
            cluster.objects[pod] = _pod(pod, ray)


@dataclass
class MemoryCluster(Api):
    """Objects by reference; `written` says what was asked for, as `verb Kind/name`."""

    client: Any = field(default_factory=lambda: CLIENT)
    objects: dict[Ref, Object] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    operator: Operator = field(default_factory=Operator)
    renewing: Callable[[], None] = lambda: None

    def read(self, path: str, *_arguments: Any, **_options: Any) -> Any:
        """Answer what checks before an `up` ask."""
        self._answers()
        if path == "/version":
            return {"gitVersion": "v1.34.4"}
        served = [{"name": resource(kind).plural} for kind in RAY_KINDS]
        return {"resources": served} if path == "/apis/ray.io/v1" else None

    def ask(self, *_arguments: Any) -> Any:
        """Allow everything."""
        return {"status": {"allowed": True}}

    def get(self, ref: Ref) -> Object | None:
        """Return an object."""
        self._answers()
        return copy.deepcopy(self.objects.get(ref))

    def list(
        self, kind: str, namespace: str = "", *, selector: str = "", **_: Any
    ) -> list[Object]:
        """Return the objects of a kind with these labels."""
        self._answers()
        chosen = [term.partition("=") for term in selector.split(",") if "=" in term]
        return [
            copy.deepcopy(one)
            for ref, one in list(self.objects.items())
            if ref.kind == kind
            and namespace in {"", ref.namespace}
            and all(_labels(one).get(key) == value for key, _, value in chosen)
        ]

    def apply(
        self,
        one: Object,
        *,
        force: bool = False,  # noqa: ARG002 nobody else owns anything
        dry_run: bool = False,
    ) -> Object:
        """Make an object, or write over it."""
        ref = Ref.of(one)
        here = self.objects.get(ref, {})
        given = here.get("metadata") or {
            "uid": f"uid of {ref}",
            "generation": 1,
            "creationTimestamp": datetime.now(UTC).isoformat(),
        }
        made = {**copy.deepcopy(one), "metadata": {**given, **one["metadata"]}}
        made["metadata"]["managedFields"] = [
            {"manager": "ray-gke", "operation": "Apply", "fieldsV1": {"f": str(one)}}
        ]
        if not dry_run:
            self._write("apply", ref, made)
        return made

    def create(self, one: Object) -> Object:
        """Make an object that is not there."""
        ref = Ref.of(one)
        if ref in self.objects:
            raise ApiError(f"create {ref}", 409, {})
        made = {**one, "metadata": {**one["metadata"], "uid": f"uid of {ref}"}}
        self._write("create", ref, made)
        return made

    def replace(self, one: Object) -> Object | None:
        """Write a lease again."""
        self.renewing()
        self._write("replace", Ref.of(one), one)
        return one

    def delete(self, ref: Ref, **_: Any) -> None:
        """Remove an object."""
        self.written.append(f"delete {ref}")
        self.objects.pop(ref, None)

    def _write(self, verb: str, ref: Ref, one: Object) -> None:
        self._answers()
        self.written.append(f"{verb} {ref}")
        self.objects[ref] = one
        if ref.kind in RAY_KINDS:
            self.operator.sees(self, one)

    def _answers(self) -> None:
        if time.monotonic() > self.until:
            raise UnreachableError("lab does not answer")


def _labels(one: Object) -> dict[str, str]:
    return one["metadata"].get("labels") or {}


def _pod(ref: Ref, ray: Object) -> Object:
    labels = {
        **_labels(ray),
        "ray.io/cluster": ray["metadata"]["name"],
        "ray.io/group": "headgroup",
        "ray.io/node-type": "head",
    }
    return {
        "kind": "Pod",
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "uid": f"uid of {ref}",
            "labels": labels,
        },
        "spec": {"nodeName": "one", "containers": [{"name": "ray-head"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
