"""The price file: what Google Cloud costs in one region, on one day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from ray_gke.catalog.faults import fault
from ray_gke.catalog.locations import Region
from ray_gke.catalog.model import Model
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.quantities import Shape
from ray_gke.catalog.validation import in_order, validate
from ray_gke.catalog.yaml_file import read
from ray_gke.errors import InvalidError
from ray_gke.gke import prices
from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.machines import MACHINE_TYPES
from ray_gke.gke.prices import Prices

_BUILT_IN = Path(prices.__file__).with_suffix(".yaml")


def _exact(value: object) -> object:
    """Take 0.1 as it is written, not as the nearest binary fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault("this is not a price", hint="write a number such as 3.67")
    number = Decimal(str(value))
    if not number.is_finite() or number < 0 or number > 10**6:
        raise fault(f"{value} is not a price", hint="write a number such as 3.67")
    return number


Amount = Annotated[
    Decimal,
    BeforeValidator(_exact),
    WithJsonSchema({"type": "number", "minimum": 0}),
]


def _not_free(price: Decimal) -> Decimal:
    if not price:
        message = "0 is not a price of a machine or GPU"
        raise fault(message, hint="leave it out when it is not known")
    return price


Paid = Annotated[Amount, AfterValidator(_not_free)]


Entries = TypeVar("Entries", bound=Mapping[str, Any])


def _known(names: Iterable[str]) -> Callable[[Entries], Entries]:
    """Return a check that every key is one of `names`: a typo would have no price."""

    def check(entries: Entries) -> Entries:
        for name in entries:
            if name not in names:
                message = f"ray-gke does not plan with {name[:60]}"
                raise fault(message, hint=suggestion(name, names), at=(name,))
        return entries

    return check


class PriceEntry(Model):
    """Per hour."""

    on_demand: Paid = Field(description="Per hour")
    spot: Paid | None = Field(default=None, description="Per hour, a hint")


def _real_day(written: str) -> str:
    try:
        date.fromisoformat(written)
    except ValueError:
        hint = "write a date such as 2026-06-23"
        raise fault(f"{written} is no day", hint=hint) from None
    return written


class PricesMetadata(Model):
    """Where the prices come from."""

    date: Annotated[
        str,
        Shape("[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2026-06-23"),
        AfterValidator(_real_day),
    ] = Field(description="The day on which they were right")
    source: str = Field(description="Where they come from", max_length=300)


class PricesSpec(Model):
    """The prices."""

    currency: Annotated[str, Shape("[A-Z]{3}", "a currency such as USD")] = Field(
        default="USD", description="ISO 4217"
    )
    region: Region = Field(description="Region that they are of")
    cluster_fee: Amount = Field(description="GKE's fee per cluster and hour")
    disks: dict[str, Amount] = Field(
        default={}, description="Per GiB and month, by disk type"
    )
    accelerators: Annotated[
        dict[str, PriceEntry], AfterValidator(_known(ACCELERATORS))
    ] = Field(default={}, description="GPUs that are attached to N1 machines")
    machine_types: Annotated[
        dict[str, PriceEntry], AfterValidator(_known(MACHINE_TYPES))
    ] = Field(description="Machines, with the GPUs that are built in")


class PriceFile(Model):
    """The whole file."""

    api_version: Literal["ray-gke/v1"] = Field(alias="apiVersion")
    kind: Literal["Prices"]
    metadata: PricesMetadata = Field(description="Where the prices come from")
    spec: PricesSpec = Field(description="The prices")


def load(path: Path | None = None) -> Prices:
    """Read a price file, ours without `path`.

    Raises InvalidError with everything that is wrong.
    """
    return _read(path) if path else _built_in()


def text(path: Path | None = None) -> str:
    """Return a price file as it is written, ours without `path`; it is checked."""
    load(path)
    return (path or _BUILT_IN).read_text(encoding="utf-8-sig")


def written(fresh: Prices) -> str:
    """Return prices as the text of a price file."""
    lines = [
        "apiVersion: ray-gke/v1",
        "kind: Prices",
        "metadata:",
        f"  date: {fresh.date}",
        f"  source: {json.dumps(fresh.source)}",
        "spec:",
        f"  currency: {fresh.currency}",
        f"  region: {fresh.region}",
        f"  cluster_fee: {fresh.cluster_fee:f}",
        *_section("disks", {k: f"{v:f}" for k, v in fresh.disks.items()}),
        *_section("accelerators", _flows(fresh.accelerators)),
        *_section("machine_types", _flows(fresh.machine_types)),
    ]
    return "\n".join(lines) + "\n"


def _section(name: str, entries: Mapping[str, str]) -> list[str]:
    if not entries:
        return [f"  {name}: {{}}"]
    return [f"  {name}:", *(f"    {key}: {value}" for key, value in entries.items())]


def _flows(entries: Mapping[str, prices.Price]) -> dict[str, str]:
    return {
        name: f"{{on_demand: {price.on_demand:f}"
        + ("" if price.spot is None else f", spot: {price.spot:f}")
        + "}"
        for name, price in entries.items()
    }


@cache
def _built_in() -> Prices:
    return _read(_BUILT_IN)


def _read(path: Path) -> Prices:
    document = read(path, str(path))
    file, problems = validate(PriceFile, document.data, document.place)
    if file is None:
        raise InvalidError.of(in_order(problems))
    spec = file.spec
    return Prices(
        date=file.metadata.date,
        source=file.metadata.source,
        currency=spec.currency,
        region=spec.region,
        machine_types=_entries(spec.machine_types),
        accelerators=_entries(spec.accelerators),
        disks=spec.disks,
        cluster_fee=spec.cluster_fee,
    )


def _entries(entries: dict[str, PriceEntry]) -> dict[str, prices.Price]:
    return {
        name: prices.Price(entry.on_demand, entry.spot)
        for name, entry in entries.items()
    }
