"""Google Kubernetes Engine's API: clusters with their node pools, and versions."""

from __future__ import annotations

from tests.google.requests_and_errors import Api, Json, Request, invalid
from tests.google.state import State, zones_of_regions
from tests.google.things import node_pool


def _clusters(state: State, request: Request, project: str, location: str) -> Json:
    found = [
        one.told | {"nodePools": _pools(state, one.id)}
        for one in state.things("clusters", project)
        if location in {"-", one.place}
    ]
    told: Json = {"clusters": found} if found else {}
    return told | ({"missingZones": state.missing_zones} if state.missing_zones else {})


def _pools(state: State, cluster: str) -> list[Json]:
    made = state.cloud.objects("google_container_node_pool") if state.cloud else []
    return [node_pool(one) for one in made if one.id.startswith(f"{cluster}/")]


def _server_config(state: State, request: Request, project: str, location: str) -> Json:
    zones = zones_of_regions()
    if location not in {*zones, *(one for some in zones.values() for one in some)}:
        raise invalid(f'Location "{location}" does not exist.')
    versions = {v for channel in state.channels.values() for v in channel["versions"]}
    newest_first = sorted(versions, key=_by_number, reverse=True)
    regular = state.channels["REGULAR"]
    return {
        "defaultClusterVersion": regular["default"],
        "validMasterVersions": newest_first,
        "validNodeVersions": newest_first,
        "defaultImageType": "COS_CONTAINERD",
        "validImageTypes": ["COS_CONTAINERD", "UBUNTU_CONTAINERD"],
        "channels": [
            {
                "channel": name,
                "defaultVersion": channel["default"],
                "validVersions": channel["versions"],
            }
            for name, channel in state.channels.items()
        ],
    }


def _by_number(version: str) -> list[int]:
    return [int(part) for part in version.replace("-gke", "").split(".")]


_IN = "GET /v1/projects/{project}/locations/{location}"

API = Api(
    "container.googleapis.com",
    "Kubernetes Engine API",
    {f"{_IN}/clusters": _clusters, f"{_IN}/serverConfig": _server_config},
)
