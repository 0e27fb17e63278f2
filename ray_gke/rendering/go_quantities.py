"""Quantities as KubeRay writes them back.

KubeRay adds a finalizer to a RayJob by an update of the whole object. A quantity that
its Go types write in another way than we do would be KubeRay's from then on, and with
it the list of worker groups, which has one owner as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray_gke.catalog.quantities import canonical
from ray_gke.rendering.kuberay_rules import CLUSTER_KEY
from ray_gke.rendering.templates import Manifest

_AMOUNTS = ("limits", "requests")
_AMOUNT = "sizeLimit"


def written(one: Manifest) -> Manifest:
    """Return an object with its quantities in the form of Kubernetes' Go types."""
    return _written(one) if one["kind"] in CLUSTER_KEY else one


def _written(value: Any) -> Any:
    if isinstance(value, list):
        return [_written(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {key: _of(key, item) for key, item in value.items()}


def _of(key: str, value: Any) -> Any:
    if key in _AMOUNTS and isinstance(value, Mapping):
        return {name: canonical(amount) for name, amount in value.items()}
    return canonical(value) if key == _AMOUNT else _written(value)
