"""Whether GKE's cluster autoscaler may remove a node, by what runs there.

Written from Google Cloud's page "About GKE cluster autoscaling" (what prevents a node
from being removed), the autoscaler's FAQ, and Kubernetes' page "Specifying a Disruption
Budget for your Application" (pods that are not Ready). It knows nothing of ray-gke.
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
    ready: bool = True


def what_stays(
    node: Sequence[Pod], elsewhere: Sequence[Pod], budgets: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return why the node cannot be removed; nothing, if it can.

    `elsewhere` are the pods of other nodes, `budgets` the PodDisruptionBudgets of the
    namespace, with a number as minAvailable.
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
        chosen = [one for one in (*node, *elsewhere) if _matches(one, selector)]
        allowed = sum(one.ready for one in chosen) - budget["spec"]["minAvailable"]
        leaving = [one for one in node if _matches(one, selector)]
        if not all(_may_leave(one, budget, allowed) for one in leaving):
            reasons.append("a PodDisruptionBudget allows no eviction")
    return reasons


def _may_leave(pod: Pod, budget: Mapping[str, Any], allowed: int) -> bool:
    """Tell whether the eviction API takes a pod whose budget has so many to spare.

    The autoscaler evicts one after the other, and waits for replacements.
    """
    if pod.ready:
        return allowed >= 1
    policy = budget["spec"].get("unhealthyPodEvictionPolicy", "IfHealthyBudget")
    return policy == "AlwaysAllow" or allowed >= 0


def _matches(pod: Pod, selector: Mapping[str, str]) -> bool:
    return selector.items() <= pod.labels.items()
