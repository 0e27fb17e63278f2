"""Where GPUs are offered, as far as lists with a date are known.

nvidia-tesla-a100, nvidia-a100-80gb: a listing of `gcloud compute accelerator-types
list` of 2025-08. What is offered changes: `gcloud compute accelerator-types list
--filter="name=nvidia-tesla-a100"` says it today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def _zones(*regions: str) -> tuple[str, ...]:
    """Return the zones of `region abc`: region-a, region-b, region-c."""

    def each() -> Iterator[str]:
        for line in regions:
            region, letters = line.split()
            yield from (f"{region}-{letter}" for letter in letters)

    return tuple(sorted(each()))


ZONES: Mapping[str, tuple[str, ...]] = {
    "nvidia-tesla-a100": _zones(
        "us-central1 abcf",
        "us-east1 b",
        "us-west1 b",
        "us-west3 b",
        "us-west4 b",
        "europe-west4 ab",
        "asia-northeast1 ac",
        "asia-northeast3 ab",
        "asia-southeast1 bc",
        "me-west1 ac",
    ),
    "nvidia-a100-80gb": _zones(
        "us-central1 ac",
        "us-east4 c",
        "us-east5 ab",
        "europe-west4 a",
        "asia-southeast1 c",
    ),
}
