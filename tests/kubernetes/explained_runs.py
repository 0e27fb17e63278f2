"""Runs that are put into a test cluster as `up` would leave them, to be explained."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes import causes, view
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.inventory import GroupFacts, Inventory, Item
from ray_gke.targets.kubernetes.resources import Ref
from tests.cluster.processes import eventually

SIZE = {"cpu": "1", "memory": "2Gi"}


class ExplainedRuns:
    """The runs of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def put(self, name: str, kind: str, spec: Mapping[str, Any]) -> Inventory:
        """Apply a Ray object and the inventory of its run."""
        ref = Ref(kind, self.namespace, name)
        groups = (GroupFacts("small", 1, 3),)
        word = kind.removeprefix("Ray").lower()
        known = Inventory(name, self.namespace, word, "trial", groups, (Item(ref),))
        self.api.apply(known.manifest())
        metadata = {"name": name, "namespace": self.namespace, "labels": labels(name)}
        api_version = "ray.io/v1"
        self.api.apply(
            {
                "apiVersion": api_version,
                "kind": kind,
                "metadata": metadata,
                "spec": spec,
            }
        )
        return known

    def causes(self, known: Inventory, *, later: float = 0) -> list[Cause]:
        """Return the causes as they would be some seconds later."""
        return causes.causes(view.read(self.api, known), time.time() + later)

    def until(
        self, known: Inventory, is_it: Callable[[Cause], bool], *, later: float = 0
    ) -> Cause:
        """Return the first cause that is the one, once there is one."""
        found: list[Cause] = []

        def there() -> bool:
            found[:] = [c for c in self.causes(known, later=later) if is_it(c)]
            return bool(found)

        try:
            eventually("the cause", there)
        except Exception as error:
            error.add_note(f"causes: {self.causes(known, later=later)}")
            raise
        return found[0]


def labels(name: str) -> dict[str, str]:
    """Return the labels of everything of a run."""
    return {"app.kubernetes.io/managed-by": "ray-gke", "ray-gke/run": name}


def pod(
    name: str,
    *,
    size: Mapping[str, str] = SIZE,
    image: str = "rayproject/ray:2.60.0",
    **spec: Any,
) -> dict[str, Any]:
    """Return the template of a Ray pod of the run `name`."""
    resources = {"requests": dict(size), "limits": dict(size)}
    container = {"name": "ray", "image": image, "resources": resources}
    return {
        "metadata": {"labels": labels(name)},
        "spec": {"containers": [container], **spec},
    }


def cluster_spec(
    name: str,
    *,
    head: Mapping[str, Any] | None = None,
    worker: Mapping[str, Any] | None = None,
    replicas: int = 1,
    **more: Any,
) -> dict[str, Any]:
    """Return the spec of a RayCluster with one worker group."""
    group = {
        "groupName": "small",
        "replicas": replicas,
        "minReplicas": replicas,
        "maxReplicas": max(3, replicas),
        "rayStartParams": {},
        "template": worker or pod(name),
    }
    return {
        "rayVersion": "2.60.0",
        "headGroupSpec": {"rayStartParams": {}, "template": head or pod(name)},
        "workerGroupSpecs": [group],
        **more,
    }


def says(*words: str) -> Callable[[Cause], bool]:
    """Return whether a cause has all these words in its sentence."""
    return lambda cause: all(word in cause.what for word in words)


def whats(found: Sequence[Cause]) -> list[str]:
    """Return the sentences of causes."""
    return [cause.what for cause in found]
