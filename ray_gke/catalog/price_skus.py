"""The SKUs of Cloud Billing, put together to the prices of machines.

Google sells vCPUs, memory, GPUs and local disks one by one; a machine costs their sum.
Which SKU is which only its description says. Source: Cloud Billing catalog, service
Compute Engine (`category.usageType`, `serviceRegions`, `pricingInfo`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.machines import MACHINE_TYPES, MachineType
from ray_gke.gke.prices import HOURS_PER_MONTH, Price, Prices
from ray_gke.gke.resources import GIB

UsageType = Literal["OnDemand", "Preemptible"]

_INSTANCE = re.compile(
    r"(?:Spot Preemptible )?([A-Za-z0-9]+)(?: Predefined)? Instance (Core|Ram) "
    "running in .+"
)
_GPU = re.compile(
    r"Nvidia (?:Tesla )?(.+) GPU (?:attached to Spot Preemptible VMs )?running in .+"
)
_DISKS = {
    "Storage PD Capacity": "pd-standard",
    "Balanced PD Capacity": "pd-balanced",
    "SSD backed PD Capacity": "pd-ssd",
}
_LOCAL_SSD = re.compile(
    "SSD backed Local Storage(?: attached to Spot Preemptible VMs)?(?: in .+)?"
)
# Sold under other names than the rest of their family.
_OTHER_SERIES = {"a3-megagpu": "a3plus", "a3-ultragpu": "a3ultra", "a3-edgegpu": ""}


@dataclass(frozen=True)
class Sku:
    """One thing that Google sells, and its price in USD."""

    description: str
    usage_type: str
    regions: tuple[str, ...]
    price: Decimal


@dataclass(frozen=True)
class Composed:
    """Prices, and the machine types and GPUs that could not be put together."""

    prices: Prices
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Rates:
    """What a region's parts cost per hour under one usage type.

    `instance` is by series and Core or Ram, `gpus` by accelerator.
    """

    instance: Mapping[tuple[str, str], Decimal]
    gpus: Mapping[str, Decimal]
    local_ssd_gib: Decimal | None


def compose(skus: Iterable[Sku], region: str, date: str, like: Prices) -> Composed:
    """Return the region's prices, as far as `skus` hold all parts.

    What they do not hold at all, GKE's own fee, is taken from `like`.
    """
    here = [sku for sku in skus if region in sku.regions]
    on_demand, spot = _rates(here, "OnDemand"), _rates(here, "Preemptible")
    machine_types = dict(_machine_types(on_demand, spot))
    accelerators = {
        name: Price(price, spot.gpus.get(name))
        for name, price in on_demand.gpus.items()
        if ACCELERATORS[name].n1_vcpus
    }
    attached = [name for name, one in ACCELERATORS.items() if one.n1_vcpus]
    prices = replace(
        like,
        date=date,
        source="Cloud Billing catalog, list prices; spot is the price of that day",
        currency="USD",
        region=region,
        machine_types=machine_types,
        accelerators=accelerators,
        disks=dict(_disks(here)),
    )
    known = {*machine_types, *accelerators}
    wanted = (*MACHINE_TYPES, *attached)
    return Composed(prices, tuple(name for name in wanted if name not in known))


def _rates(skus: Iterable[Sku], usage_type: UsageType) -> _Rates:
    """Of several SKUs of one description's form the dearest counts."""
    instance: dict[tuple[str, str], Decimal] = {}
    gpus: dict[str, Decimal] = {}
    local_ssd = None
    names = _accelerators_by_model()
    for sku in skus:
        if sku.usage_type != usage_type:
            continue
        if part := _INSTANCE.fullmatch(sku.description):
            key = (part[1].lower(), part[2])
            instance[key] = max(sku.price, instance.get(key, sku.price))
        elif (gpu := _GPU.fullmatch(sku.description)) and gpu[1].lower() in names:
            name = names[gpu[1].lower()]
            gpus[name] = max(sku.price, gpus.get(name, sku.price))
        elif _LOCAL_SSD.fullmatch(sku.description):
            local_ssd = max(sku.price, local_ssd or sku.price)
    per_hour = None if local_ssd is None else local_ssd / HOURS_PER_MONTH
    return _Rates(instance, gpus, per_hour)


def _accelerators_by_model() -> dict[str, str]:
    """Return accelerators by model; one without a size is the first that has it."""
    by_model: dict[str, str] = {}
    for name, accelerator in ACCELERATORS.items():
        model = accelerator.model.lower()
        by_model[model] = name
        by_model.setdefault(re.sub(r" \d+gb$", "", model), name)
    return by_model


def _machine_types(on_demand: _Rates, spot: _Rates) -> Iterator[tuple[str, Price]]:
    for name, machine_type in MACHINE_TYPES.items():
        price = _machine(machine_type, on_demand)
        if price:
            yield name, Price(price, _machine(machine_type, spot))


def _machine(machine_type: MachineType, rates: _Rates) -> Decimal | None:
    """Return the sum of the machine's parts, or None when one has no price."""
    kind = machine_type.name.rpartition("-")[0]
    series = _OTHER_SERIES.get(kind, machine_type.family)
    core = rates.instance.get((series, "Core"))
    ram = rates.instance.get((series, "Ram"))
    gpu = rates.gpus.get(machine_type.accelerator or "")
    ssd = rates.local_ssd_gib
    if core is None or ram is None:
        return None
    price = core * machine_type.vcpus
    price += ram * Decimal(machine_type.memory_bytes) / GIB
    if machine_type.gpus:
        if gpu is None:
            return None
        fraction = machine_type.gpu_fraction
        price += gpu * machine_type.gpus * fraction.numerator / fraction.denominator
    if machine_type.local_ssd_gib:
        if ssd is None:
            return None
        price += ssd * machine_type.local_ssd_gib
    return round(price, 6)


def _disks(skus: Iterable[Sku]) -> Iterator[tuple[str, Decimal]]:
    for sku in skus:
        for beginning, disk in _DISKS.items():
            form = rf"{beginning}(?: in .+)?"
            if sku.usage_type == "OnDemand" and re.fullmatch(form, sku.description):
                yield disk, sku.price
