"""What the options of `ray-gke gpus` mean."""

from __future__ import annotations

import re

from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.quantities import number
from ray_gke.errors import UsageError
from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.sharing import Isolation
from ray_gke.gke.zones import region_of
from ray_gke.planning.offers import Wanted

_LEAST = 2**30
_REGION = "[a-z]+-[a-z]+[0-9]+"


def gpus(  # noqa: PLR0913 one for each option
    *,
    accelerator: str | None,
    memory: str | None,
    isolation: Isolation,
    region: str | None,
    zone: str | None,
    spot: bool,
) -> Wanted:
    """Check the options. Raises UsageError."""
    if accelerator is not None and accelerator not in ACCELERATORS:
        raise UsageError(
            f"--accelerator: GKE has no accelerator {accelerator}",
            hint=suggestion(accelerator, ACCELERATORS),
        )
    for option, value, form, example in (
        ("--region", region, _REGION, "europe-west4"),
        ("--zone", zone, f"{_REGION}-[a-z0-9]+", "europe-west4-a"),
    ):
        if value is not None and not re.fullmatch(form, value):
            raise UsageError(
                f"{option}: {value!r} does not fit here", hint=f"such as {example}"
            )
    if zone and region and region_of(zone) != region:
        raise UsageError(
            f"--zone: {zone} is not in {region}", hint="leave one of the two out"
        )
    return Wanted(accelerator, _bytes(memory), isolation, region, zone, spot)


def _bytes(memory: str | None) -> int:
    if memory is None:
        return 0
    try:
        size = int(number(memory))
    except ValueError as error:
        raise UsageError(f"--memory: {error}", hint="write it as 10Gi") from None
    if size < _LEAST:
        raise UsageError(
            f"--memory: {memory!r} is no amount of GPU memory", hint="write it as 10Gi"
        )
    return size
