"""What is known of a project, a region and its clusters."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.targets.google.answers import (
    Granted,
    Project,
    Repository,
    Subnetwork,
    Unread,
)
from ray_gke.targets.google.client import Google
from tests.fake_gke import facts
from tests.google.apis import GoogleApis
from tests.google.questions import COMPUTE, MEMBER, OURS, REGION


def test_a_project_and_who_pays_for_it(apis: GoogleApis, google: Google) -> None:
    assert google.project() == Project(OURS, "415104041262", active=True)
    assert google.billing_enabled() is True
    apis.state.project_state = "DELETE_REQUESTED"
    apis.state.billing_enabled = False
    assert google.project() == Project(OURS, "415104041262", active=False)
    assert google.billing_enabled() is False


def test_apis_are_found_and_turned_on(apis: GoogleApis, google: Google) -> None:
    names = {f"api{number}.googleapis.com" for number in range(70)}
    off = {f"api{number}.googleapis.com" for number in range(0, 70, 2)}
    apis.turn_off(*off)
    assert google.enabled_apis(names) == frozenset(names - off)
    google.enable_apis(off)
    assert google.enabled_apis(names) == frozenset(names)


def test_more_permissions_than_one_request_takes(
    apis: GoogleApis, google: Google
) -> None:
    asked = {f"compute.things{number}.list" for number in range(230)}
    apis.revoke("compute.things7.*", "compute.things229.list")
    lacking = {"compute.things7.list", "compute.things229.list"}
    assert google.granted(asked) == frozenset(asked - lacking)


def test_roles_without_those_under_a_condition(
    apis: GoogleApis, google: Google
) -> None:
    apis.bind("roles/container.defaultNodeServiceAccount", MEMBER)
    apis.bind("roles/owner", "user:somebody@example.com")
    apis.bind("roles/artifactregistry.reader", MEMBER, condition="request.time < 1")
    assert google.project_roles(MEMBER) == frozenset(
        {"roles/container.defaultNodeServiceAccount"}
    )


def test_a_region_with_its_quotas(apis: GoogleApis, google: Google) -> None:
    apis.grant("NVIDIA_L4_GPUS", 8, 3, region=REGION)
    apis.grant("NVIDIA_T4_GPUS", 4)
    apis.grant("NVIDIA_T4_GPUS", 1, region="europe-west4")
    apis.grant("GPUS_ALL_REGIONS", 16, 5)
    here, there = google.region(REGION), google.region("europe-west4")
    assert here
    assert there
    assert not isinstance(here, Unread)
    assert not isinstance(there, Unread)
    assert here.zones == {f"us-central1-{letter}" for letter in "abcf"}
    assert here.quotas["NVIDIA_L4_GPUS"] == Granted(8, 3)
    assert here.quotas["NVIDIA_T4_GPUS"] == Granted(4, 0)
    assert there.quotas["NVIDIA_T4_GPUS"] == Granted(1, 0)
    assert "GPUS_ALL_REGIONS" not in here.quotas
    everywhere = google.global_quotas()
    assert not isinstance(everywhere, Unread)
    assert everywhere["GPUS_ALL_REGIONS"] == Granted(16, 5)
    assert "NVIDIA_T4_GPUS" not in everywhere


def test_a_region_that_does_not_exist(google: Google) -> None:
    assert google.region("us-moon1") is None


def test_quotas_by_family_where_they_apply(apis: GoogleApis, google: Google) -> None:
    apis.grant("", 2, gpu_family="NVIDIA_H100")
    apis.grant("", 16, gpu_family="NVIDIA_H100", region=REGION)
    apis.grant("", 0, gpu_family="NVIDIA_H200", region="europe-west4")
    here, there = google.family_quotas(REGION), google.family_quotas("europe-west4")
    assert not isinstance(here, Unread)
    assert not isinstance(there, Unread)
    assert (here["NVIDIA_H100"].limit, there["NVIDIA_H100"].limit) == (16, 2)
    assert here["NVIDIA_H200"].limit > there["NVIDIA_H200"].limit == 0
    assert here["NVIDIA_H100"].used is None
    assert here[""].limit == 0


def test_zones_of_accelerators_and_machine_types(
    apis: GoogleApis, google: Google
) -> None:
    a100 = "nvidia-tesla-a100"
    apis.offer("nvidia-l4", ["us-central1-a", "us-east1-b"])
    apis.offer("e2-standard-4", ["us-central1-c", "europe-west4-a"])
    apis.offer("nvidia-b200", [])
    zones = google.accelerator_zones("europe-west4")
    assert not isinstance(zones, Unread)
    assert zones[a100] == {one for one in facts()["zones"][a100] if "pe-west4-" in one}
    zones = google.accelerator_zones(REGION)
    assert not isinstance(zones, Unread)
    assert zones["nvidia-l4"] == {"us-central1-a"}
    assert "nvidia-b200" not in zones
    asked = ["e2-standard-4", "g2-standard-8", "a4-highgpu-8g", "no-such-type"]
    assert google.machine_type_zones(REGION, asked) == {
        "e2-standard-4": frozenset({"us-central1-c"}),
        "g2-standard-8": frozenset({"us-central1-a"}),
        "a4-highgpu-8g": frozenset(),
        "no-such-type": frozenset(),
    }


def test_versions_by_channel(apis: GoogleApis, google: Google) -> None:
    apis.state.channels = {
        "REGULAR": {"default": "1.9.1-gke.20", "versions": ["1.10.2-gke.1"]},
        "STABLE": {"default": "1.9.1-gke.20", "versions": ["1.9.1-gke.20"]},
    }
    config = google.server_config("us-central1-a")
    assert not isinstance(config, Unread)
    assert config.versions == ("1.10.2-gke.1", "1.9.1-gke.20")
    assert config.channels["REGULAR"].default == "1.9.1-gke.20"
    assert config.channels["REGULAR"].versions == ("1.10.2-gke.1",)
    assert config.channels.keys() == {"REGULAR", "STABLE"}


def test_clusters_of_all_places_or_none(apis: GoogleApis, google: Google) -> None:
    apis.put("clusters", "us-east1", {"name": "ours", "id": "1", "network": "ray"})
    labels = {"team": "a"}
    apis.put("clusters", "us-central1-a", {"name": "ours", "resourceLabels": labels})
    found = google.clusters()
    assert isinstance(found, tuple)
    assert {(one.name, one.location) for one in found} == {
        ("ours", "us-central1-a"),
        ("ours", "us-east1"),
    }
    (zonal,) = (one for one in found if one.location == "us-central1-a")
    (regional,) = (one for one in found if one.location == "us-east1")
    assert zonal.labels == labels
    assert (regional.id, regional.network) == ("1", "ray")
    apis.state.missing_zones = ["europe-west4-b"]
    assert google.clusters() == Unread(
        "failed", "GKE does not answer for europe-west4-b"
    )


def test_networks_of_ours_and_of_a_host(apis: GoogleApis, google: Google) -> None:
    network = f"{COMPUTE}/host-project/global/networks/shared"
    apis.put("networks", "global", {"name": "ray"})
    apis.put("routers", REGION, {"name": "nat"})
    apis.put("routers", "us-east1", {"name": "other"})
    apis.put(
        "subnetworks",
        REGION,
        {
            "name": "nodes",
            "network": network,
            "ipCidrRange": "10.0.0.0/20",
            "privateIpGoogleAccess": True,
            "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}],
        },
        "host-project",
    )
    assert google.networks() == frozenset({"ray"})
    assert google.routers(REGION) == frozenset({"nat"})
    assert google.subnetworks(REGION) == ()
    assert google.subnetworks(REGION, "host-project") == (
        Subnetwork("nodes", "shared", "10.0.0.0/20", {"pods": "10.4.0.0/14"}, True),
    )


@pytest.mark.parametrize(
    ("remote", "upstream"),
    [
        ({"dockerRepository": {"publicRepository": "DOCKER_HUB"}}, "DOCKER_HUB"),
        (
            {"dockerRepository": {"customRepository": {"uri": "https://quay.io"}}},
            "https://quay.io",
        ),
        ({"commonRepository": {"uri": "https://nvcr.io"}}, "https://nvcr.io"),
        ({}, None),
    ],
)
def test_what_a_repository_pulls_from(
    apis: GoogleApis, google: Google, remote: dict[str, Any], upstream: str | None
) -> None:
    told = {"name": "hub", "format": "DOCKER", "mode": "REMOTE_REPOSITORY"}
    labels = {"managed-by": "ray-gke"}
    apis.put(
        "repositories",
        "us",
        {**told, "labels": labels, "remoteRepositoryConfig": remote},
    )
    assert google.repositories(REGION) == ()
    assert google.repositories("us") == (
        Repository("hub", "us", "DOCKER", "REMOTE_REPOSITORY", upstream, labels),
    )


def test_an_image_of_disks(apis: GoogleApis, google: Google) -> None:
    assert google.disk_image("ray") is False
    apis.put("images", "global", {"name": "ray"})
    assert google.disk_image("ray") is True
