"""What a project has and is granted, for all of Google's APIs.

Everything passes at first. Figures: `tests/facts/gke.yaml`, and `facts.yaml` here.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests import fake_gke
from tests.google.requests_and_errors import NUMBER, Json
from tests.google.things import Thing, put_thing, things_of_terraform
from tests.terraform.cloud import Cloud

PLENTY = 100_000.0
"""The limit of every quota at first."""


@functools.cache
def facts() -> Json:
    """Return the figures that are in no other place."""
    found: Json = yaml.safe_load((Path(__file__).parent / "facts.yaml").read_text())
    return found


def zones_of_regions() -> dict[str, list[str]]:
    """Return all regions with their zones."""
    return {
        region: [f"{region}-{letter}" for letter in letters]
        for letters, regions in facts()["zones"].items()
        for region in regions
    }


@dataclass
class State:
    """A project and, where there is one, the stand-in cloud that Terraform changes.

    APIs that are `off` do not answer, nor do those `unknown`, which are on and not yet
    known everywhere. `caller` is the project against whose quota it counts if nobody
    names one, empty for ours. In all others those `off_elsewhere` are off; in those
    `not_for_quota` whoever asks may not use the quota.
    """

    cloud: Cloud | None
    project: str
    page_size: int = 500
    billing_enabled: bool = True
    project_state: str = "ACTIVE"
    missing_zones: list[str] = field(default_factory=list)
    channels: dict[str, Json] = field(default_factory=dict)
    off: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    caller: str = ""
    off_elsewhere: set[str] = field(default_factory=set)
    not_for_quota: set[str] = field(default_factory=set)
    revoked: list[str] = field(default_factory=list)
    bindings: list[Json] = field(default_factory=list)
    quotas: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    families: dict[tuple[str, str], int] = field(default_factory=dict)
    offers: dict[str, set[str]] = field(default_factory=dict)
    refused_deletions: list[tuple[str, str]] = field(default_factory=list)
    operations: dict[str, Json] = field(default_factory=dict)
    _things: dict[tuple[str, str], Thing] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.channels = copy.deepcopy(facts()["channels"])

    def things(self, kind: str, project: str) -> list[Thing]:
        """Return what is there of a collection: put, or made by Terraform."""
        made = things_of_terraform(self.cloud, kind, project) if self.cloud else []
        with self._lock:
            put = [
                one
                for one in self._things.values()
                if (one.kind, one.project) == (kind, project)
            ]
        return sorted([*made, *put], key=lambda one: one.id)

    def put(self, kind: str, place: str, project: str, resource: Json) -> None:
        """Add something that Terraform does not have."""
        thing = put_thing(kind, place, project, resource)
        with self._lock:
            self._things[kind, thing.id] = thing

    def remove(self, thing: Thing) -> None:
        """Take something away, whoever made it."""
        with self._lock:
            if self._things.pop((thing.kind, thing.id), None):
                return
        assert self.cloud
        self.cloud.drift(thing.terraform_type, thing.id, None)

    def knows(self, project: str) -> bool:
        """Tell whether there is such a project."""
        with self._lock:
            hosts = {one.project for one in self._things.values()}
        return project in {self.project, *hosts}

    def consumer(self, quota_project: str) -> str:
        """Return the project whose quota is used: ours by its number."""
        named = quota_project or self.caller
        return NUMBER if named in {"", self.project} else named

    def may(self, permission: str) -> bool:
        """Tell whether whoever asks has a permission."""
        return not any(fnmatchcase(permission, one) for one in self.revoked)

    def regional_quotas(self, region: str) -> Iterator[Json]:
        """Yield a region's quotas, as Compute Engine shows them."""
        yield from self._quotas(region, _regional_metrics())

    def global_quotas(self) -> Iterator[Json]:
        """Yield the quotas of all regions together."""
        yield from self._quotas("", facts()["quotas"]["global"])

    def _quotas(self, region: str, metrics: Collection[str]) -> Iterator[Json]:
        granted = dict.fromkeys(metrics, (PLENTY, 0.0))
        for where in ("", region):
            granted |= {
                metric: limit_and_use
                for (metric, place), limit_and_use in self.quotas.items()
                if place == where and self.is_global(metric) is (not region)
            }
        for metric, (limit, used) in granted.items():
            yield {"metric": metric, "limit": limit, "usage": used}

    def is_global(self, metric: str) -> bool:
        """Tell whether a quota is one of all regions together."""
        return metric in facts()["quotas"]["global"]

    def accelerator_zones(self) -> dict[str, set[str]]:
        """Return all types of accelerators, with their zones."""
        known = fake_gke.facts()["zones"]
        return {
            name: self.offers.get(name, set(known.get(name, _all_zones())))
            for name in fake_gke.facts()["accelerators"]
        }

    def machine_types(self) -> dict[str, tuple[Json, set[str]]]:
        """Return all machine types as Compute Engine tells them, with their zones."""
        found = {name: (one, _all_zones()) for name, one in _plain_machine_types()}
        zones = self.accelerator_zones()
        for accelerator, gpu in fake_gke.facts()["accelerators"].items():
            for name, machine in gpu.get("machine_types", {}).items():
                told = _machine_type(machine["vcpu"], machine["memory_gib"])
                told["accelerators"] = [
                    {
                        "guestAcceleratorType": accelerator,
                        "guestAcceleratorCount": machine["gpus"],
                    }
                ]
                found[name] = told, zones[accelerator]
        return {
            name: (one, self.offers.get(name, zones))
            for name, (one, zones) in found.items()
        }


def _regional_metrics() -> list[str]:
    """Return the metrics of a region; flex-start and Spot have GPUs' own."""
    gpus = [
        metric
        for gpu in fake_gke.facts()["accelerators"].values()
        for kind, metric in gpu.get("quota", {}).items()
        if kind in {"on_demand", "spot"}
    ]
    return sorted({*facts()["quotas"]["regional"], *gpus})


def _all_zones() -> set[str]:
    return {zone for zones in zones_of_regions().values() for zone in zones}


def _plain_machine_types() -> Iterator[tuple[str, Json]]:
    for series, about in facts()["series"].items():
        for vcpus in about["vcpus"]:
            gib = about["gib_per_vcpu"] * vcpus
            yield f"{series}-{vcpus}", _machine_type(vcpus, gib)


def _machine_type(vcpus: int, gib: float) -> dict[str, Any]:
    return {"guestCpus": vcpus, "memoryMb": int(gib * 1024)}
