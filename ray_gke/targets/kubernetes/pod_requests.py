"""What pods ask of nodes and quotas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal

from ray_gke.catalog.quantities import number
from ray_gke.rendering.templates import Manifest

Amounts = Mapping[str, Decimal]

_NONE = Decimal(0)


def requests(pod: Manifest, part: str = "requests") -> Amounts:
    """Return what a pod takes: the sum of its requests, or of its limits.

    Init containers run one after the other, sidecars beside all that follow.
    """
    spec = pod.get("spec") or {}
    running: dict[str, Decimal] = {}
    most: dict[str, Decimal] = {}
    for one in spec.get("initContainers") or ():
        asked = _asked(one, part)
        if one.get("restartPolicy") == "Always":
            _add(running, asked)
            asked = {}
        for key in {*asked, *running}:
            peak = running.get(key, _NONE) + asked.get(key, _NONE)
            most[key] = max(most.get(key, _NONE), peak)
    for one in spec.get("containers") or ():
        _add(running, _asked(one, part))
    _add(running, numbers(spec.get("overhead") or {}))
    return {
        key: max(running.get(key, _NONE), most.get(key, _NONE))
        for key in {*running, *most}
    }


def used(pods: Iterable[Manifest]) -> Amounts:
    """Return what pods take of a ResourceQuota, by the quota's own words."""
    found: dict[str, Decimal] = {}
    for pod in pods:
        if is_over(pod):
            continue
        asked = requests(pod)
        _add(found, {"pods": Decimal(1)})
        _add(found, asked)
        _add(found, {f"requests.{key}": amount for key, amount in asked.items()})
        limits = requests(pod, "limits")
        _add(found, {f"limits.{key}": amount for key, amount in limits.items()})
    return found


def is_over(pod: Manifest) -> bool:
    """Tell whether a pod has ended and takes nothing any more."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def numbers(amounts: Mapping[str, object]) -> dict[str, Decimal]:
    """Return quantities as numbers, without those in forms that nobody writes."""
    found = {}
    for key, value in amounts.items():
        with suppress(ValueError):
            found[key] = number(str(value))
    return found


def _asked(container: Manifest, part: str) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    asked = resources.get(part) or {}
    if part == "requests":
        # Kubernetes takes a limit for the request where there is none.
        asked = {**(resources.get("limits") or {}), **asked}
    return numbers(asked)


def _add(total: dict[str, Decimal], amounts: Amounts) -> None:
    for key, amount in amounts.items():
        total[key] = total.get(key, _NONE) + amount
