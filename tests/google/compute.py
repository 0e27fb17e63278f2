"""Compute Engine's API: regions, types, lists, and deletions that take a moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from tests.google.requests_and_errors import (
    NUMBER,
    Api,
    Json,
    Request,
    invalid,
    missing,
    page,
    refused,
)
from tests.google.state import State, zones_of_regions
from tests.google.things import Thing, digits, scope, singular

_URL = "https://www.googleapis.com/compute/v1"
_SCOPED: dict[str, tuple[str, ...]] = {
    "acceleratorTypes": ("zones",),
    "addresses": ("global", "regions"),
    "disks": ("zones", "regions"),
    "forwardingRules": ("global", "regions"),
    "machineTypes": ("zones",),
    "networkEndpointGroups": ("global", "zones", "regions"),
    "routers": ("regions",),
    "subnetworks": ("regions",),
}


def _project(state: State, request: Request, project: str) -> Json:
    return {
        "kind": "compute#project",
        "id": NUMBER,
        "name": project,
        "selfLink": f"{_URL}/projects/{project}",
        "quotas": list(state.global_quotas()),
        "defaultServiceAccount": f"{NUMBER}-compute@developer.gserviceaccount.com",
    }


def _region(state: State, request: Request, project: str, region: str) -> Json:
    zones = zones_of_regions().get(region)
    if zones is None:
        raise missing(f"projects/{project}/regions/{region}")
    return {
        "kind": "compute#region",
        "id": "1000",
        "name": region,
        "status": "UP",
        "zones": [f"{_URL}/projects/{project}/zones/{zone}" for zone in zones],
        "quotas": list(state.regional_quotas(region)),
        "selfLink": f"{_URL}/projects/{project}/regions/{region}",
    }


def _aggregated(state: State, request: Request, project: str, kind: str) -> Json:
    """Return a page of what all places have; a place without is told of, too."""
    if kind in {"acceleratorTypes", "machineTypes"}:
        every = [*_types(state, request, project, kind)]
    else:
        every = [(scope(one.place), one.told) for one in state.things(kind, project)]
    some, more = page(sorted(every, key=_by_scope), request, _size(state), "maxResults")
    places = [*_scopes(kind), *(where for where, _ in some)]
    items: Json = {where: _nothing(where) for where in places}
    for where, told in some:
        if kind not in items[where]:
            items[where] = {kind: []}
        items[where][kind].append(told)
    listed = f"compute#{singular(kind)}AggregatedList"
    return {"kind": listed, "items": items, **more}


def _by_scope(one: tuple[str, Json]) -> str:
    return one[0]


def _scopes(kind: str) -> list[str]:
    found = []
    for sort in _SCOPED[kind]:
        for region, zones in zones_of_regions().items():
            names = {"regions": [region], "zones": zones}.get(sort, [])
            found += [f"{sort}/{name}" for name in names]
    return [*(["global"] if "global" in _SCOPED[kind] else []), *found]


def _nothing(where: str) -> Json:
    message = f"There are no results for scope '{where}' on this page."
    return {
        "warning": {
            "code": "NO_RESULTS_ON_PAGE",
            "message": message,
            "data": [{"key": "scope", "value": where}],
        }
    }


def _types(
    state: State, request: Request, project: str, kind: str
) -> Iterable[tuple[str, Json]]:
    """Yield scope and type for every zone that offers one that was asked for."""
    found: dict[str, tuple[Json, set[str]]] = (
        state.machine_types()
        if kind == "machineTypes"
        else {name: ({}, zones) for name, zones in state.accelerator_zones().items()}
    )
    wanted = _wanted(request.first("filter"))
    for name, (about, zones) in found.items():
        for zone in sorted(zones) if wanted is None or name in wanted else ():
            path = f"{_URL}/projects/{project}/zones/{zone}"
            told: Json = {
                "kind": f"compute#{singular(kind)}",
                "id": digits(name),
                "name": name,
                "selfLink": f"{path}/{kind}/{name}",
                # Of machine types it is a name, of accelerators a URL.
                "zone": zone if kind == "machineTypes" else path,
                **about,
            }
            yield f"zones/{zone}", told


def _wanted(asked: str) -> set[str] | None:
    """Return the names of a filter, the only one that is known here."""
    if not asked:
        return None
    one = r'\(name = "([^"]+)"\)'
    if not re.fullmatch(f"{one}( OR {one})*", asked):
        raise invalid(f"Invalid value for field 'filter': '{asked}'.")
    return set(re.findall(one, asked))


def _listed(
    state: State, request: Request, project: str, kind: str, place: str = "global"
) -> Json:
    known = {f"regions/{name}" for name in zones_of_regions()}
    if scope(place).startswith("regions/") and scope(place) not in known:
        raise invalid(f"Invalid value for field 'region': '{place}'. Unknown region.")
    found = [one.told for one in state.things(kind, project) if one.place == place]
    some, more = page(found, request, _size(state), "maxResults")
    return {"kind": f"compute#{singular(kind)}List", "items": some, **more}


def _got(state: State, request: Request, **where: str) -> Json:
    return _one(state, **where).told


def _deleted(state: State, request: Request, **where: str) -> Json:
    """Begin to delete. It is gone at once, and the operation is done when waited for.

    What something uses is not deleted, as a disk of a running machine is not.
    """
    one = _one(state, **where)
    if users := one.told.get("users"):
        message = (
            f"The {one.told['kind'].removeprefix('compute#')} resource '{one.id}' is "
            f"already being used by '{users[0].removeprefix(f'{_URL}/')}'"
        )
        raise refused(400, message, old={"reason": "resourceInUseByAnotherResource"})
    operation = _operation(state, one)
    if "error" not in operation:
        state.remove(one)
    state.operations[operation["name"]] = operation
    hidden = {"error", "httpErrorStatusCode", "httpErrorMessage"}
    begun = {key: value for key, value in operation.items() if key not in hidden}
    return begun | {"status": "RUNNING", "progress": 0}


def _operation(state: State, one: Thing) -> Json:
    name = f"operation-{len(state.operations)}-{digits(one.id)}"
    operation: Json = {
        "kind": "compute#operation",
        "id": digits(name),
        "name": name,
        "operationType": "delete",
        "targetLink": f"{_URL}/{one.id}",
        "status": "DONE",
        "progress": 100,
    }
    for pattern, message in state.refused_deletions:
        if fnmatchcase(one.id, pattern):
            operation |= {
                "error": {
                    "errors": [{"code": "RESOURCE_NOT_READY", "message": message}]
                },
                "httpErrorStatusCode": 400,
                "httpErrorMessage": "BAD REQUEST",
            }
    return operation


def _waited(
    state: State, request: Request, project: str, operation: str, place: str = "global"
) -> Json:
    if operation not in state.operations:
        raise missing(f"projects/{project}/{scope(place)}/operations/{operation}")
    return state.operations[operation]


def _one(
    state: State, project: str, kind: str, name: str, place: str = "global"
) -> Thing:
    for one in state.things(kind, project):
        if (one.place, one.name) == (place, name):
            return one
    raise missing(f"projects/{project}/{scope(place)}/{kind}/{name}")


def _size(state: State) -> int:
    return min(500, state.page_size)


_IN = "/compute/v1/projects/{project}"
_ROUTES: dict[str, Callable[..., Json]] = {
    f"GET {_IN}": _project,
    f"GET {_IN}/regions/{{region}}": _region,
}
for _place in ("global", "regions/{place}", "zones/{place}"):
    _operations = f"{_IN}/{_place}/operations/{{operation}}"
    _ROUTES |= {
        f"POST {_operations}/wait": _waited,
        f"GET {_operations}": _waited,
        f"GET {_IN}/{_place}/{{kind}}": _listed,
        f"GET {_IN}/{_place}/{{kind}}/{{name}}": _got,
        f"DELETE {_IN}/{_place}/{{kind}}/{{name}}": _deleted,
    }
_ROUTES[f"GET {_IN}/aggregated/{{kind}}"] = _aggregated

API = Api("compute.googleapis.com", "Compute Engine API", _ROUTES)
