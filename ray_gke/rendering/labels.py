"""The labels by which we find what we have made."""

from __future__ import annotations

from ray_gke.planning.plan import Plan
from ray_gke.rendering.templates import Manifest

RUN = "ray-gke/run"
"""The label that says to which run an object belongs."""

NAMESPACE = "ray-gke/namespace"
"""The label of what is in no namespace: that of its run."""

BALLOON = "ray-gke/balloon"
"""The label of placeholder pods: the group whose places they keep."""


def labels(plan: Plan) -> dict[str, str]:
    """Return the labels of everything that is rendered."""
    return {
        "app.kubernetes.io/managed-by": "ray-gke",
        "ray-gke/blueprint": plan.blueprint,
        RUN: plan.name,
    }


def of_whole_cluster(metadata: Manifest) -> Manifest:
    """Return the metadata of what is in no namespace: a label says that of its run."""
    namespace = metadata.get("namespace")
    within = {NAMESPACE: namespace} if namespace else {}
    all_labels = {**metadata.get("labels", {}), **within}
    return {"name": metadata["name"], "labels": all_labels}
