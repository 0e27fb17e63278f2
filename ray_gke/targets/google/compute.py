"""Compute Engine: what a region offers and grants, and what networks a project has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ray_gke.targets.google.answers import Granted, Region, Subnetwork, Unread
from ray_gke.targets.google.calls import ONCE, ask, find
from ray_gke.targets.google.connections import Connections

PAGE = 500
"""The most that Compute Engine puts on a page."""

Zones = Mapping[str, frozenset[str]]


def region(to: Connections, name: str) -> Region | Unread | None:
    """Return a region with its quotas, and how much of them is used."""

    def question() -> Region:
        with to.compute("regions") as client:
            found = client.get(project=to.project, region=name, **ONCE)
        return Region(name, frozenset(map(last, found.zones)), _granted(found.quotas))

    return find(question)


def global_quotas(to: Connections) -> Mapping[str, Granted] | Unread:
    """Return the quotas of all regions together, such as GPUS_ALL_REGIONS."""

    def question() -> Mapping[str, Granted]:
        with to.compute("projects") as client:
            return _granted(client.get(project=to.project, **ONCE).quotas)

    return ask(question)


def accelerator_zones(to: Connections, region: str) -> Zones | Unread:
    """Return the zones of a region that offer each type of accelerator."""

    def question() -> Zones:
        zones: dict[str, set[str]] = defaultdict(set)
        with to.compute("accelerator_types") as client:
            for zone, listed in _by_zone(client, to.project, region):
                for one in listed.accelerator_types:
                    zones[one.name].add(zone)
        return {name: frozenset(found) for name, found in zones.items()}

    return ask(question)


def machine_type_zones(
    to: Connections, region: str, names: Collection[str]
) -> Zones | Unread:
    """Return the zones of a region that offer each of these machine types."""

    def question() -> Zones:
        zones: dict[str, set[str]] = {name: set() for name in names}
        wanted = " OR ".join(f'(name = "{name}")' for name in sorted(names))
        with to.compute("machine_types") as client:
            for zone, listed in _by_zone(client, to.project, region, filter=wanted):
                for one in listed.machine_types:
                    zones[one.name].add(zone)
        return {name: frozenset(found) for name, found in zones.items()}

    return ask(question) if names else {}


def networks(to: Connections) -> frozenset[str] | Unread:
    """Return the names of the project's networks."""

    def question() -> frozenset[str]:
        with to.compute("networks") as client:
            return frozenset(one.name for one in client.list(**_in(to.project)))

    return ask(question)


def routers(to: Connections, region: str) -> frozenset[str] | Unread:
    """Return the names of a region's Cloud Routers."""

    def question() -> frozenset[str]:
        with to.compute("routers") as client:
            listed = client.list(**_in(to.project, region=region))
            return frozenset(one.name for one in listed)

    return ask(question)


def subnetworks(
    to: Connections, region: str, project: str | None = None
) -> tuple[Subnetwork, ...] | Unread:
    """Return a region's subnetworks, of `project` where a Shared VPC is another's."""

    def question() -> tuple[Subnetwork, ...]:
        with to.compute("subnetworks") as client:
            listed = client.list(**_in(project or to.project, region=region))
            return tuple(_subnetwork(one) for one in listed)

    return ask(question)


def disk_image(to: Connections, name: str) -> bool | Unread:
    """Tell whether the project has an image for boot disks."""

    def question() -> bool:
        with to.compute("images") as client:
            client.get(project=to.project, image=name, **ONCE)
        return True

    found = find(question)
    return False if found is None else found


def last(url: str) -> str:
    """Return the name that a URL of Compute Engine's ends with."""
    return url.rpartition("/")[2]


def _in(project: str, **more: str) -> dict[str, Any]:
    request = {"project": project, "max_results": PAGE, **more}
    return {"request": request, **ONCE}


def _by_zone(
    client: Any, project: str, region: str, **more: str
) -> Iterator[tuple[str, Any]]:
    """Yield the zones of a region, with what is listed of each."""
    for scope, listed in client.aggregated_list(**_in(project, **more)):
        zone = last(scope)
        if zone.startswith(f"{region}-"):
            yield zone, listed


def _granted(quotas: Any) -> dict[str, Granted]:
    return {one.metric: Granted(one.limit, one.usage) for one in quotas}


def _subnetwork(one: Any) -> Subnetwork:
    return Subnetwork(
        one.name,
        last(one.network),
        one.ip_cidr_range,
        {each.range_name: each.ip_cidr_range for each in one.secondary_ip_ranges},
        one.private_ip_google_access,
    )
