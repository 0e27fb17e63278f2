"""Whether GKE's cluster autoscaler may remove a node, by what runs there.

Written from Google Cloud's page "About GKE cluster autoscaling" (what prevents a node
from being removed) and the autoscaler's FAQ; it knows nothing of ray-gke.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ANNOTATION = "cluster-autoscaler.kubernetes.io/safe-to-evict"
RECREATED = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "Job", "DaemonSet"})
"""Controllers that the autoscaler knows to make a pod again elsewhere."""


@dataclass(frozen=True)
class Pod:
    """A pod of a namespace; `owner` is the kind of its controller."""

    owner: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def what_stays(
    node: Sequence[Pod], elsewhere: Sequence[Pod], budgets: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return why the node cannot be removed; nothing, if it can.

    `elsewhere` are the healthy pods of other nodes, `budgets` the PodDisruptionBudgets
    of the namespace, with a number as minAvailable.
    """
    reasons = []
    for pod in node:
        told = pod.annotations.get(ANNOTATION)
        if told == "false":
            reasons.append("a pod says that it is not safe to evict")
        elif told != "true" and pod.owner not in RECREATED:
            reasons.append(f"a pod of a {pod.owner} is made again by nobody it knows")
    for budget in budgets:
        selector = budget["spec"]["selector"]["matchLabels"]
        healthy = [one for one in (*node, *elsewhere) if _matches(one, selector)]
        leaving = [one for one in node if _matches(one, selector)]
        allowed = len(healthy) - budget["spec"]["minAvailable"]
        # The autoscaler evicts one after the other, and waits for replacements.
        if leaving and allowed < 1:
            reasons.append("a PodDisruptionBudget allows no eviction")
    return reasons


def _matches(pod: Pod, selector: Mapping[str, str]) -> bool:
    return selector.items() <= pod.labels.items()
