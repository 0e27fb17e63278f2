"""Cloud Quotas: what Compute Engine grants of GPUs that have no quota of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray_gke.targets.google.answers import Granted, Unread
from ray_gke.targets.google.calls import ONCE, ask
from ray_gke.targets.google.connections import Connections

_INFO = (
    "services/compute.googleapis.com/quotaInfos/GPUS-PER-GPU-FAMILY-per-project-region"
)


def family_quotas(to: Connections, region: str) -> Mapping[str, Granted] | Unread:
    """Return a region's quota of each family of GPUs, such as NVIDIA_H100.

    The name "" is any family that has none of its own. What is used is not told.
    """

    def question() -> Mapping[str, Granted]:
        with to.quotas() as client:
            info = client.get_quota_info(
                name=f"projects/{to.project}/locations/global/{_INFO}", **ONCE
            )
        granted: dict[str, Granted] = {}
        # The more precise one of two that apply stands before the other.
        for one in info.dimensions_infos:
            if _applies(one, region):
                limit = Granted(float(one.details.value), None)
                granted.setdefault(one.dimensions.get("gpu_family", ""), limit)
        return granted

    return ask(question)


def _applies(one: Any, region: str) -> bool:
    if named := one.dimensions.get("region"):
        return bool(named == region)
    return not one.applicable_locations or region in one.applicable_locations
