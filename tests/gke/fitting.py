"""Whether the scheduler would put a pod on a node: what an autoscaler has to know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests import fake_gke

Object = dict[str, Any]
Amounts = dict[str, Fraction]

_UNITS = {
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{unit: Fraction(1000**n) for n, unit in enumerate("kMGTP", 1)},
    **{f"{unit}i": Fraction(1024**n) for n, unit in enumerate("KMGTP", 1)},
}
_OVER = {"Succeeded", "Failed"}


@dataclass
class Room:
    """A node, or one that there could be, and what of it is free."""

    labels: dict[str, str]
    taints: list[tuple[str, str, str]]
    free: Amounts

    @classmethod
    def of(cls, node: Object, pods: Iterable[Object]) -> Room:
        """Return what the pods that are on a node, or are to get there, leave of it."""
        taints = [
            (taint["key"], taint.get("value", ""), taint["effect"])
            for taint in node["spec"].get("taints", ())
        ]
        size = amounts(node["status"]["allocatable"])
        room = cls(node["metadata"]["labels"], taints, size)
        for pod in pods:
            if place(pod) == node["metadata"]["name"] and not is_over(pod):
                room.take(pod)
        return room

    def takes(self, pod: Object) -> bool:
        """Tell whether a pod may run here, and has the room to."""
        hard = [taint for taint in self.taints if taint[2] != "PreferNoSchedule"]
        return (
            fake_gke.admits(pod["spec"], self.labels)
            and all(fake_gke.tolerates(pod["spec"], taint) for taint in hard)
            and all(n <= self.free.get(name, 0) for name, n in requests(pod).items())
        )

    def take(self, pod: Object) -> None:
        """Give a pod its part."""
        for name, amount in requests(pod).items():
            self.free[name] = self.free.get(name, Fraction()) - amount


def place(pod: Object) -> str:
    """Return the node that a pod is on, or that others have to leave for it."""
    nominated = pod["status"].get("nominatedNodeName", "")
    return str(pod["spec"].get("nodeName") or nominated)


def is_over(pod: Object) -> bool:
    """Tell whether a pod has ended, and takes no room any more."""
    return pod["status"].get("phase") in _OVER


def requests(pod: Object) -> Amounts:
    """Return what the scheduler reserves for a pod: sidecars run beside the others."""
    first = pod["spec"].get("initContainers", ())
    sidecars = [one for one in first if one.get("restartPolicy") == "Always"]
    total = {"pods": Fraction(1)}
    for container in (*pod["spec"]["containers"], *sidecars):
        for name, amount in _asked(container).items():
            total[name] = total.get(name, Fraction()) + amount
    # Others run before, one at a time.
    for container in first:
        for name, amount in _asked(container).items():
            total[name] = max(total.get(name, Fraction()), amount)
    return total


def amounts(quantities: Mapping[str, str]) -> Amounts:
    """Return Kubernetes' quantities as numbers."""
    return {name: _number(text) for name, text in quantities.items()}


def _asked(container: Object) -> Amounts:
    return amounts(container.get("resources", {}).get("requests", {}))


def _number(text: str) -> Fraction:
    found = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", text)
    assert found, text
    return Fraction(found[1]) * _UNITS[found[2]]
