"""What a cluster leaves behind is found in all places, and deleted."""

from __future__ import annotations

import pytest

from ray_gke.errors import FailedError
from ray_gke.targets.google.answers import CloudResource, ServiceAccount
from ray_gke.targets.google.client import Google
from tests.google.apis import GoogleApis
from tests.google.questions import ACCOUNT, COMPUTE, KINDS, OURS, REGION


def test_a_disk_with_all_that_is_said_of_it(apis: GoogleApis, google: Google) -> None:
    user = f"{COMPUTE}/{OURS}/zones/us-central1-a/instances/gke-1"
    apis.put(
        "disks",
        "us-central1-a",
        {
            "name": "pvc-1",
            "id": "18446744073709551615",
            "description": '{"kubernetes.io/created-for/pvc/name":"data"}',
            "creationTimestamp": "2026-10-01T02:00:00.000-07:00",
            "labels": {"goog-k8s-cluster-name": "demo"},
            "sizeGb": "100",
            "type": f"{COMPUTE}/{OURS}/zones/us-central1-a/diskTypes/pd-balanced",
            "users": [user],
        },
    )
    told = google.left_behind("disks")
    assert isinstance(told, tuple)
    (disk,) = told
    assert (disk.kind, disk.name, disk.place) == ("disks", "pvc-1", "us-central1-a")
    assert disk.created == "2026-10-01T02:00:00.000-07:00"
    assert disk.description == '{"kubernetes.io/created-for/pvc/name":"data"}'
    assert disk.labels == {"goog-k8s-cluster-name": "demo"}
    assert disk.users == (user,)
    assert disk.values == {
        "id": "18446744073709551615",
        "selfLink": f"{COMPUTE}/{OURS}/zones/us-central1-a/disks/pvc-1",
        "sizeGb": "100",
        "type": f"{COMPUTE}/{OURS}/zones/us-central1-a/diskTypes/pd-balanced",
    }
    with pytest.raises(
        FailedError, match=r"pvc-1 in us-central1-a cannot be deleted: "
    ):
        google.delete(disk)
    assert apis.there("disks")


def test_names_of_fields_are_the_apis_own(apis: GoogleApis, google: Google) -> None:
    rule = {"IPAddress": "203.0.113.9", "IPProtocol": "TCP", "portRange": "80-80"}
    apis.put("forwardingRules", REGION, {"name": "a1", **rule})
    network = f"{COMPUTE}/{OURS}/global/networks/ray"
    group = {"annotations": {"cluster": "demo"}, "size": 3}
    apis.put(
        "networkEndpointGroups",
        "us-central1-a",
        {"name": "k8s1-1", "network": network, **group},
    )
    (found,) = google.left_behind("forwardingRules")  # type: ignore[misc]
    assert rule.items() <= found.values.items()
    (found,) = google.left_behind("networkEndpointGroups")  # type: ignore[misc]
    assert group.items() <= found.values.items()
    assert found.network == "ray"


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("addresses", "global"),
        ("addresses", REGION),
        ("disks", REGION),
        ("disks", "us-central1-a"),
        # Zones for accelerators alone have other names.
        ("disks", "us-central1-ai1a"),
        ("firewalls", "global"),
        ("forwardingRules", "global"),
        ("forwardingRules", REGION),
        ("networkEndpointGroups", "global"),
        ("networkEndpointGroups", REGION),
        ("networkEndpointGroups", "us-central1-f"),
    ],
)
def test_what_is_left_is_found_and_deleted(
    apis: GoogleApis, google: Google, kind: str, place: str
) -> None:
    for other in KINDS:
        apis.put(
            other, "global" if other == "firewalls" else REGION, {"name": "theirs"}
        )
    apis.put(kind, place, {"name": "ours"})
    before = sum(len(apis.there(one)) for one in KINDS)
    found = google.left_behind(kind)
    assert isinstance(found, tuple)
    (ours,) = (one for one in found if one.name == "ours")
    assert (ours.kind, ours.place) == (kind, place)
    google.delete(ours)
    assert [one["name"] for one in apis.there(kind)] == ["theirs"]
    assert sum(len(apis.there(one)) for one in KINDS) == before - 1
    # It is gone: somebody else was quicker, which is as well.
    google.delete(ours)


def test_a_deletion_that_ends_badly_is_told(apis: GoogleApis, google: Google) -> None:
    apis.put("firewalls", "global", {"name": "gke-demo"})
    apis.refuse_deletion("*/firewalls/gke-*", "The firewall is being changed.")
    with pytest.raises(FailedError) as caught:
        google.delete(CloudResource("firewalls", "gke-demo", "global", ""))
    assert str(caught.value) == (
        "firewalls gke-demo in global cannot be deleted: The firewall is being changed."
    )
    assert apis.there("firewalls")


def test_only_the_service_account_that_was_seen_is_deleted(
    apis: GoogleApis, google: Google
) -> None:
    assert google.service_account(ACCOUNT) is None
    about = {"email": ACCOUNT, "displayName": "Nodes", "description": "of demo"}
    apis.put("serviceAccounts", "global", {**about, "uniqueId": "101"})
    seen = google.service_account(ACCOUNT)
    assert seen == ServiceAccount(ACCOUNT, "101", "Nodes", "of demo")
    apis.put("serviceAccounts", "global", {**about, "uniqueId": "102"})
    google.delete_service_account(ServiceAccount(ACCOUNT, "101", "", ""))
    assert [one["uniqueId"] for one in apis.there("serviceAccounts")] == ["102"]
    google.delete_service_account(ServiceAccount(ACCOUNT, "102", "", ""))
    assert google.service_account(ACCOUNT) is None
