"""Cloud Quotas' API: the quota of GPUs by family, and where it applies."""

from __future__ import annotations

from tests import fake_gke
from tests.google.requests_and_errors import NUMBER, Api, Json, Request, missing
from tests.google.state import PLENTY, State, zones_of_regions

_ID = "GPUS-PER-GPU-FAMILY-per-project-region"


def _info(state: State, request: Request, project: str, service: str, id_: str) -> Json:
    name = f"projects/{NUMBER}/locations/global/services/{service}/quotaInfos/{id_}"
    if (service, id_) != ("compute.googleapis.com", _ID):
        raise missing(name)
    return {
        "name": name,
        "quotaId": _ID,
        "metric": "compute.googleapis.com/gpus_per_gpu_family",
        "service": service,
        "isPrecise": True,
        "containerType": "PROJECT",
        "dimensions": ["gpu_family", "region"],
        "metricDisplayName": "GPUs per GPU family",
        "quotaDisplayName": "GPUs per GPU family per project per region",
        "metricUnit": "1",
        "dimensionsInfos": _by_dimension(state),
    }


def _by_dimension(state: State) -> list[Json]:
    """Return the limits, precise ones first; a general one says where it applies."""
    everywhere = dict.fromkeys(_families(), int(PLENTY)) | {
        family: limit
        for (family, region), limit in state.families.items()
        if not region
    }
    precise = {where: limit for where, limit in state.families.items() if where[1]}
    told = [
        _dimension({"region": region, "gpu_family": family}, limit, [region])
        for (family, region), limit in precise.items()
    ]
    for family, limit in everywhere.items():
        regions = [name for name in zones_of_regions() if (family, name) not in precise]
        told.append(_dimension({"gpu_family": family}, limit, regions))
    return [*told, _dimension({}, 0, sorted(zones_of_regions()))]


def _dimension(dimensions: dict[str, str], limit: int, regions: list[str]) -> Json:
    return {
        **({"dimensions": dimensions} if dimensions else {}),
        "details": {"value": str(limit)},
        "applicableLocations": regions,
    }


def _families() -> list[str]:
    every = fake_gke.facts()["accelerators"].values()
    found = {gpu.get("quota", {}).get("gpu_family") for gpu in every}
    return sorted(found - {None})


_PATH = "/v1/projects/{project}/locations/global/services/{service}/quotaInfos/{id_}"

API = Api("cloudquotas.googleapis.com", "Cloud Quotas API", {f"GET {_PATH}": _info})
