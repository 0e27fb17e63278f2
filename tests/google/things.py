"""What a project has: put by a test in the API's JSON, or made by Terraform.

Terraform's objects have the values of its schemas; here they get the API's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.google.requests_and_errors import Json
from tests.terraform.cloud import Cloud, Object

_CREATED = "2026-08-18T02:00:00.000-07:00"
_COMPUTE = "https://www.googleapis.com/compute/v1"
_IN_LOCATIONS = ("clusters", "repositories")


@dataclass(frozen=True)
class Thing:
    """A resource; `id` is its path, `terraform_type` empty where a test put it."""

    kind: str
    place: str
    project: str
    id: str
    told: Json
    terraform_type: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.id.rpartition("/")[2]


def put_thing(kind: str, place: str, project: str, resource: Json) -> Thing:
    """Return a thing for what a test says of it; what it does not say is filled in."""
    name = resource["email" if kind == "serviceAccounts" else "name"]
    identity = f"projects/{project}/{_where(kind, place)}{kind}/{name}"
    return Thing(
        kind, place, project, identity, _all_of_it(kind, place, identity, resource)
    )


def things_of_terraform(cloud: Cloud, kind: str, project: str) -> list[Thing]:
    """Return what Terraform made of a collection."""
    return [
        _thing(kind, project, one, told)
        for type_, told in _TYPES.get(kind, {}).items()
        for one in cloud.objects(type_)
        if one.id.startswith(f"projects/{project}/")
    ]


def digits(text: str) -> str:
    """Return an id as Compute Engine gives one, the same for the same text."""
    return str(int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)).zfill(19)


def scope(place: str) -> str:
    """Return what stands before a place in Compute Engine's paths."""
    if place == "global":
        return place
    region = re.fullmatch(r"[a-z]+-[a-z]+\d+", place)
    return f"regions/{place}" if region else f"zones/{place}"


def _thing(
    kind: str, project: str, one: Object, told: Callable[[Object], Json]
) -> Thing:
    found = re.search(r"/(?:zones|regions|locations)/([^/]+)/", one.id)
    place = found[1] if found else "global"
    made = _all_of_it(kind, place, one.id, told(one))
    return Thing(kind, place, project, one.id, made, one.type)


def _where(kind: str, place: str) -> str:
    if kind == "serviceAccounts":
        return ""
    return f"{f'locations/{place}' if kind in _IN_LOCATIONS else scope(place)}/"


def _all_of_it(kind: str, place: str, identity: str, resource: Json) -> Json:
    match kind:
        case "clusters":
            return {"location": place, "createTime": _CREATED} | resource
        case "repositories":
            return resource | {"name": identity}
        case "serviceAccounts":
            return {"name": identity, "uniqueId": digits(identity)} | resource
    filled: Json = {
        "kind": f"compute#{singular(kind)}",
        "id": digits(identity),
        "creationTimestamp": _CREATED,
        "selfLink": f"{_COMPUTE}/{identity}",
    }
    if place != "global":
        sort, _ = scope(place).split("/")
        where = identity.partition(f"/{place}/")[0]
        filled[sort.removesuffix("s")] = f"{_COMPUTE}/{where}/{place}"
    return filled | resource


def singular(kind: str) -> str:
    """Return what one of a collection is called, such as address."""
    return kind.removesuffix("es" if kind == "addresses" else "s")


def _cluster(one: Object) -> Json:
    values = one.values
    # Made new in the stand-in each time, as an id is.
    unique = hashlib.sha256(f"{one.id} {values.get('label_fingerprint')}".encode())
    return {
        "name": one.name,
        "id": unique.hexdigest(),
        "network": _last(values.get("network") or ""),
        "subnetwork": _last(values.get("subnetwork") or ""),
        "resourceLabels": values.get("resource_labels") or {},
        "endpoint": values.get("endpoint", ""),
        "currentMasterVersion": values.get("master_version", ""),
        "status": "RUNNING",
    }


def node_pool(one: Object) -> Json:
    """Return a node pool as GKE tells it, in short."""
    (config,) = one.values.get("node_config") or [{}]
    return {
        "name": one.name,
        "version": one.values.get("version", ""),
        "status": "RUNNING",
        "config": {
            "machineType": config.get("machine_type", ""),
            "imageType": config.get("image_type", ""),
            "serviceAccount": config.get("service_account", ""),
            "spot": bool(config.get("spot")),
        },
    }


def _repository(one: Object) -> Json:
    (remote,) = one.values.get("remote_repository_config") or [None]
    told: Json = {
        "format": one.values.get("format", "DOCKER"),
        "mode": one.values.get("mode", "STANDARD_REPOSITORY"),
        "description": one.values.get("description") or "",
        "labels": one.values.get("labels") or {},
        "createTime": "2026-08-18T09:00:00.000Z",
    }
    if remote:
        told["remoteRepositoryConfig"] = _remote(remote)
    return told


def _remote(remote: dict[str, Any]) -> Json:
    told: Json = {}
    for docker in remote.get("docker_repository") or ():
        told["dockerRepository"] = (
            {"publicRepository": docker["public_repository"]}
            if docker.get("public_repository")
            else {"customRepository": {"uri": docker["custom_repository"][0]["uri"]}}
        )
    for common in remote.get("common_repository") or ():
        told["commonRepository"] = {"uri": common["uri"]}
    return told


def _subnetwork(one: Object) -> Json:
    values = one.values
    return {
        "name": one.name,
        "network": _url(values.get("network") or "default", "global/networks"),
        "ipCidrRange": values.get("ip_cidr_range", ""),
        "privateIpGoogleAccess": bool(values.get("private_ip_google_access")),
        "secondaryIpRanges": [
            {"rangeName": each["range_name"], "ipCidrRange": each["ip_cidr_range"]}
            for each in values.get("secondary_ip_range") or ()
        ],
    }


def _service_account(one: Object) -> Json:
    return {
        "email": one.values.get("email") or one.name,
        "uniqueId": one.values.get("unique_id") or digits(one.id),
        "displayName": one.values.get("display_name") or "",
        "description": one.values.get("description") or "",
    }


def _named(one: Object) -> Json:
    """Return what all of Compute Engine's resources have."""
    told: Json = {"name": one.name, "description": one.values.get("description") or ""}
    if network := one.values.get("network"):
        told["network"] = _url(network, "global/networks")
    if labels := one.values.get("labels"):
        told["labels"] = labels
    return told


def _last(url: str) -> str:
    return url.rpartition("/")[2]


def _url(resource: str, below: str) -> str:
    return f"{_COMPUTE}/projects/-/{below}/{_last(resource)}"


_TYPES: dict[str, dict[str, Callable[[Object], Json]]] = {
    "addresses": {
        "google_compute_address": _named,
        "google_compute_global_address": _named,
    },
    "clusters": {"google_container_cluster": _cluster},
    "disks": {"google_compute_disk": _named},
    "firewalls": {"google_compute_firewall": _named},
    "images": {"google_compute_image": _named},
    "networks": {"google_compute_network": _named},
    "repositories": {"google_artifact_registry_repository": _repository},
    "routers": {"google_compute_router": _named},
    "serviceAccounts": {"google_service_account": _service_account},
    "subnetworks": {"google_compute_subnetwork": _subnetwork},
}
