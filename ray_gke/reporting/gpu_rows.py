"""The table of `ray-gke gpus`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from ray_gke.gke.machines import MACHINE_TYPES
from ray_gke.gke.prices import Prices
from ray_gke.planning.no_machine import gib
from ray_gke.planning.offers import Offer
from ray_gke.reporting.rows import Rows


def offers(found: Sequence[Offer]) -> Rows:
    """Return one row for each offer."""
    return [
        {
            "ACCELERATOR": offer.accelerator,
            "SHAPE": _shape(offer),
            "GPU MEMORY": gib(offer.memory_bytes),
            "SLOTS": str(offer.slots),
            "MACHINE": _machine(offer),
            "A SLOT": _price(offer.price_per_slot),
            "AS SPOT": _price(offer.spot_price_per_slot),
            "ONLY AS": ", ".join(offer.provisioning),
        }
        for offer in found
    ]


def notes(prices: Prices, found: Sequence[Offer], place: str | None) -> Iterator[str]:
    """Yield what the prices are, and of which GPUs nobody knows where they are."""
    unknown = dict.fromkeys(o.accelerator for o in found if o.zones is None)
    if place and unknown:
        yield (
            f"whether {place} has these is not known here: {', '.join(unknown)}; ask "
            "gcloud compute accelerator-types list"
        )
    yield (
        f"prices are an estimate in {prices.currency} an hour, of {prices.region} on "
        f"{prices.date}; Spot prices are hints"
    )


def _shape(offer: Offer) -> str:
    part = Fraction(offer.gpu_fraction).limit_denominator(8)
    whole = offer.partition or ("whole" if part == 1 else f"{part} of one")
    if offer.sharing_strategy is None:
        return whole
    return f"{whole} / {offer.max_shared_clients_per_gpu} ({offer.sharing_strategy})"


def _machine(offer: Offer) -> str:
    attached = offer.gpus - MACHINE_TYPES[offer.machine_type].gpus
    return offer.machine_type + (f" + {attached} GPU" if attached else "")


def _price(price: Decimal | None) -> str:
    return "-" if price is None else f"{price:.3f}"
