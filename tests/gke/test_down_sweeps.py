"""`down` looks for what the cluster left behind, also when it holds up the network."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.cluster.processes import eventually
from tests.gke import small_platform
from tests.gke.seen import kubectl, run
from tests.gke.world import World

pytestmark = pytest.mark.cluster

_ZONE, _REGION = "europe-west4-a", "europe-west4"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_VOLUME = "pvc-0259a8b1-e797-40f4-960f-129d7f942907"
_KEPT = "pvc-47bfcb93-e570-4a2c-937f-e2679f651444"
_DRIVER = "pd.csi.storage.gke.io"
_USAGE = 2


@pytest.fixture
def small(gke: World) -> World:
    """A world with a small platform that is up, and volumes of its cluster."""
    small_platform.write(gke)
    run(gke, "up")
    policies = {_VOLUME: "Delete", _KEPT: "Retain"}
    volumes = [_volume(name, policy) for name, policy in policies.items()]
    gke.bed.kubectl("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, volumes)))
    return gke


@pytest.fixture(autouse=True)
def _no_volumes_stay(gke: World) -> Any:
    yield
    gke.bed.kubectl("delete", "pv", "--ignore-not-found", _VOLUME, _KEPT)


def _volume(name: str, policy: str) -> dict[str, Any]:
    handle = f"projects/my-project/zones/{_ZONE}/disks/{name}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": _DRIVER},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "100Gi"},
            "csi": {"driver": _DRIVER, "volumeHandle": handle},
            "persistentVolumeReclaimPolicy": policy,
        },
    }


def _disk(name: str, volume: str) -> dict[str, Any]:
    told = {
        "kubernetes.io/created-for/pv/name": volume,
        "storage.gke.io/created-by": _DRIVER,
    }
    return {
        "name": name,
        "description": json.dumps(told),
        "sizeGb": "100",
        "type": f"projects/my-project/zones/{_ZONE}/diskTypes/pd-balanced",
    }


def _digest(text: str) -> str:
    found = hashlib.sha256(text.encode()).digest()
    return "".join(_DIGITS[byte % 36] for byte in found[:8])


def _address(world: World) -> str:
    """Return what a controller would call the address of a Service vision/web."""
    uid = kubectl(world, "namespace", "kube-system")["metadata"]["uid"]
    cluster = _digest(uid)
    return f"k8s2-tcp-{cluster}-vision-web-{_digest(f'{cluster};vision;web')}"


def _firewall(world: World) -> dict[str, Any]:
    (cluster,) = world.apis.there("clusters")
    begin = f"gke-{cluster['name']}-{cluster['id'][:8]}"
    return {
        "name": f"{begin}-all",
        "network": f"projects/my-project/global/networks/{cluster['network']}",
        "targetTags": [f"{begin}-node"],
    }


def _names(world: World, kind: str) -> set[str]:
    return {one["name"] for one in world.apis.there(kind)}


def test_what_holds_up_the_network_is_left_until_it_may_be_removed(
    small: World,
) -> None:
    name = _address(small)
    address = f"projects/my-project/regions/{_REGION}/addresses/{name}"
    described = json.dumps({"kubernetes.io/service-name": "vision/web"})
    values = {"network": "demo", "project": "my-project", "description": described}
    small.cloud.put("google_compute_address", address, values)
    small.apis.put("firewalls", "global", _firewall(small))
    by_hand = {**_firewall(small), "name": f"{_firewall(small)['name']}-by-hand"}
    small.apis.put("firewalls", "global", by_hand)
    for disk in (_disk(_VOLUME, _VOLUME), _disk(_KEPT, _KEPT), _disk("mine", _VOLUME)):
        small.apis.put("disks", _ZONE, disk)
    said = run(small, "down", code=1)
    assert f"left behind: disk {_VOLUME} in {_ZONE}" in said
    assert "about 10.00 USD a month" in said
    assert f"left behind: address {name} in {_REGION}" in said
    assert f"disk {_KEPT} in {_ZONE} stays, its reclaim policy is Retain" in said
    assert "ray-gke down --sweep" in said
    assert "is still used by" in said
    assert small.cloud.objects("google_compute_address")
    assert small.cloud.objects("google_compute_network")
    assert len(_names(small, "disks")) == 3
    run(small, "down", "--sweep")
    assert small.cloud.objects() == []
    assert _names(small, "disks") == {_KEPT, "mine"}
    assert _names(small, "firewalls") == {by_hand["name"]}
    small_platform.leaves_nothing(small)
    assert "nothing" in run(small, "down", code=_USAGE)


def test_what_is_left_is_found_after_a_kill(small: World) -> None:
    """The cluster is gone by then, and cannot be asked any more what it had."""
    small.apis.put("disks", _ZONE, _disk(_VOLUME, _VOLUME))
    small.apis.put("firewalls", "global", _firewall(small))
    small.apis.delay_seconds = 3
    started = small.start("down", "--sweep")
    eventually("the end of the cloud", lambda: not small.cloud.objects())
    started.kill()
    started.communicate()
    small.apis.delay_seconds = 0
    assert _names(small, "disks") == {_VOLUME}
    run(small, "down", "--sweep")
    assert _names(small, "disks") == _names(small, "firewalls") == set()
    small_platform.leaves_nothing(small)
