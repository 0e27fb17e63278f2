"""Fresh prices: what Cloud Billing sells today, put together for one region."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

from ray_gke.catalog.price_skus import compose
from ray_gke.errors import RefusedError, UsageError
from ray_gke.gke.prices import Prices
from ray_gke.targets import billing_catalog

# gcloud's own variable for another address of this API.
_ADDRESS = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING"


def refresh(region: str, like: Prices) -> tuple[Prices, list[str]]:
    """Return the region's prices of today, and what a user must know about them.

    What the catalog does not hold is taken from `like`. Raises RefusedError, or
    FailedError when Google cannot be asked.
    """
    if not re.fullmatch("[a-z]+-[a-z]+[0-9]{1,2}", region):
        hint = "for example europe-west4"
        raise UsageError(f"--region: {region[:40]!r} is no region", hint=hint)
    access = billing_catalog.access(os.environ)
    address = os.environ.get(_ADDRESS) or billing_catalog.BASE_URL
    today = datetime.now(UTC).date().isoformat()
    composed = compose(billing_catalog.skus(access, address), region, today, like)
    if not composed.prices.machine_types:
        message = f"the Cloud Billing catalog has no machines in {region}"
        raise RefusedError(message, hint="gcloud compute regions list names regions")
    return composed.prices, [
        f"cluster_fee is of {like.date}: the catalog of Compute Engine has none",
        *([f"left out: {', '.join(composed.left_out)}"] if composed.left_out else []),
    ]
