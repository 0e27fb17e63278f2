"""What Compute Engine keeps of a cluster that is gone: listed, and deleted."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from ray_gke.errors import FailedError
from ray_gke.targets.google.answers import CloudResource, Unread
from ray_gke.targets.google.calls import ONCE, ask, done, find
from ray_gke.targets.google.compute import PAGE, last
from ray_gke.targets.google.connections import Connections

_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_WAITING = {"retry": None, "timeout": 150.0}
"""Compute Engine's `wait` answers after two minutes at the latest."""

_PATIENCE = 900.0
_ELSEWHERE = {
    "creationTimestamp",
    "description",
    "kind",
    "labels",
    "name",
    "network",
    "region",
    "users",
    "zone",
}


@dataclass(frozen=True)
class _Kind:
    """How a collection is asked for: a service for each sort of place."""

    argument: str
    services: dict[str, str]

    @property
    def listed_by(self) -> str:
        return next(iter(self.services.values()))


_KINDS = {
    "disks": _Kind("disk", {"zone": "disks", "region": "region_disks"}),
    "networkEndpointGroups": _Kind(
        "network_endpoint_group",
        {
            "zone": "network_endpoint_groups",
            "region": "region_network_endpoint_groups",
            "global": "global_network_endpoint_groups",
        },
    ),
    "firewalls": _Kind("firewall", {"global": "firewalls"}),
    "forwardingRules": _Kind(
        "forwarding_rule",
        {"region": "forwarding_rules", "global": "global_forwarding_rules"},
    ),
    "addresses": _Kind(
        "address", {"region": "addresses", "global": "global_addresses"}
    ),
}


def left_behind(to: Connections, kind: str) -> tuple[CloudResource, ...] | Unread:
    """Return all that the project has of one of CloudResource's kinds, anywhere."""
    request = {"project": to.project, "max_results": PAGE}

    def question() -> tuple[CloudResource, ...]:
        with to.compute(_KINDS[kind].listed_by) as client:
            if kind == "firewalls":
                listed = client.list(request=request, **ONCE)
                return tuple(_resource(kind, "global", one) for one in listed)
            return tuple(
                _resource(kind, last(scope), one)
                for scope, listed in client.aggregated_list(request=request, **ONCE)
                for one in getattr(listed, _field(kind))
            )

    return ask(question)


def delete(to: Connections, resource: CloudResource) -> None:
    """Delete it and wait until it is gone, also by another hand. Raises FailedError."""
    what = f"{resource.kind} {resource.name} in {resource.place} cannot be deleted"
    begun = done(what, find(partial(_begin_delete, to, resource)))
    if begun is None:
        return
    end = time.monotonic() + _PATIENCE
    while begun.status.name != "DONE":
        if time.monotonic() > end:
            raise FailedError(f"{what}: it takes longer than {_PATIENCE / 60:.0f} min")
        begun = done(what, ask(partial(_wait, to, resource.place, begun.name)))
    if wrong := "; ".join(one.message for one in begun.error.errors):
        raise FailedError(f"{what}: {wrong}")


def _begin_delete(to: Connections, resource: CloudResource) -> Any:
    kind = _KINDS[resource.kind]
    request = {**_place(to, resource.place), kind.argument: resource.name}
    with to.compute(kind.services[_sort(resource.place)]) as client:
        return client.delete_unary(request=request, **ONCE)


def _wait(to: Connections, place: str, operation: str) -> Any:
    request = {**_place(to, place), "operation": operation}
    with to.compute(f"{_sort(place)}_operations") as client:
        return client.wait(request=request, **_WAITING)


def _place(to: Connections, place: str) -> dict[str, str]:
    sort = _sort(place)
    return {"project": to.project} | ({} if sort == "global" else {sort: place})


def _sort(place: str) -> str:
    if place == "global":
        return place
    return "region" if _REGION.fullmatch(place) else "zone"


def _field(kind: str) -> str:
    """Return what the clients call a kind, such as forwarding_rules."""
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", kind)


def _resource(kind: str, place: str, one: Any) -> CloudResource:
    told = type(one).to_dict(
        one,
        use_integers_for_enums=False,
        preserving_proto_field_name=False,
        always_print_fields_with_no_presence=False,
    )
    return CloudResource(
        kind,
        one.name,
        place,
        one.creation_timestamp,
        one.description,
        last(told.get("network", "")),
        told.get("labels", {}),
        tuple(told.get("users", ())),
        {key: value for key, value in told.items() if key not in _ELSEWHERE},
    )
