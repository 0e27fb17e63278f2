"""What only one cluster had: what is taken of it, and how long it is believed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ray_gke.catalog import platform
from ray_gke.events import Event, Note
from ray_gke.targets.gke import fingerprint
from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.gke.fingerprint import Account, Fingerprint, Service, Volume
from ray_gke.targets.gke.stacks import Stacks
from ray_gke.targets.google.client import Google
from ray_gke.targets.kubernetes.api import NotAllowedError
from ray_gke.targets.kubernetes.resources import Ref
from tests.gke.leftovers import ACCOUNT, ACCOUNT_ID, CLUSTER_ID, PROJECT, REGION
from tests.google.apis import GoogleApis

_PLATFORM = """\
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: demo}
spec: {target: gke, project: my-project, region: europe-west4, blueprints: []}
"""
_DRIVER = "pd.csi.storage.gke.io"
_CREATED = "2026-03-01T10:00:00+00:00"


@dataclass
class Cluster:
    """What the API server answers, and what it does not let us read."""

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ingress_uid: dict[str, str] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)

    def get(self, ref: Ref) -> dict[str, Any] | None:
        self._may(ref.kind)
        if ref == Ref("Namespace", "", "kube-system"):
            return {"metadata": {"uid": "the-uid"}}
        if ref == Ref("ConfigMap", "kube-system", "ingress-uid") and self.ingress_uid:
            return {"data": self.ingress_uid}
        return None

    def list(self, kind: str) -> list[dict[str, Any]]:
        self._may(kind)
        return self.objects.get(kind, [])

    def in_parallel(self, do: Callable[[Any], Any], values: Iterable[Any]) -> Any:
        return [do(value) for value in values]

    def _may(self, kind: str) -> None:
        if kind in self.forbidden:
            raise NotAllowedError(f"list {kind}: it is forbidden")


@dataclass
class Taker:
    """A platform that is up, and what was said while its fingerprint was taken."""

    apis: GoogleApis
    stacks: Stacks
    cluster: Cluster = field(default_factory=Cluster)
    events: list[Event] = field(default_factory=list)

    def take(self, *, ending: bool = True) -> list[Fingerprint]:
        google = Google(Credentials.default(), PROJECT)
        api: Any = self.cluster
        tell = self.events.append
        fingerprint.take(self.stacks, google, api, tell, ending=ending)
        return fingerprint.known(self.stacks)

    @property
    def warnings(self) -> str:
        notes = [one for one in self.events if isinstance(one, Note) and one.warning]
        return "\n".join(one.text for one in notes)


@pytest.fixture
def taker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Taker]:
    file = tmp_path / "ray-gke.yaml"
    file.write_text(_PLATFORM)
    stacks = Stacks(platform.load(file), lambda _: {"cluster": {}}, "ray-gke down")
    outputs = {
        "cluster": {"host": "https://host", "name": "demo", "location": REGION},
        "node_service_account": ACCOUNT,
    }
    stacks.copy.folder.mkdir(parents=True)
    (stacks.copy.folder / "outputs.json").write_text(json.dumps(outputs))
    with GoogleApis(project=PROJECT) as apis:
        monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "a-token")
        for name, value in apis.env().items():
            monkeypatch.setenv(name, value)
        made = {"name": "demo", "id": CLUSTER_ID, "createTime": _CREATED}
        network = {"network": "projects/host-project/global/networks/shared"}
        apis.put("clusters", REGION, made | network)
        apis.put("clusters", "us-central1", {"name": "demo", "id": CLUSTER_ID[::-1]})
        account = {"email": ACCOUNT, "uniqueId": ACCOUNT_ID}
        apis.put("serviceAccounts", "global", account)
        yield Taker(apis, stacks)


def _service(name: str, sort: str = "LoadBalancer") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "vision", "uid": f"uid-of-{name}"}
    return {"metadata": metadata, "spec": {"type": sort}}


def _volume(name: str, policy: str = "Delete", **other: Any) -> dict[str, Any]:
    handle = f"projects/{PROJECT}/zones/europe-west4-a/disks/{name}"
    csi = {"driver": _DRIVER, "volumeHandle": handle, **other}
    made = {"pv.kubernetes.io/provisioned-by": _DRIVER}
    return {
        "metadata": {"name": name, "annotations": made},
        "spec": {"csi": csi, "persistentVolumeReclaimPolicy": policy},
    }


def test_it_is_of_the_one_cluster_and_is_kept(taker: Taker) -> None:
    gateway = {"networking.gke.io/forwarding-rules": "/projects/1/global/a, /p/b"}
    taker.cluster.ingress_uid = {"uid": "0123456789abcdef", "provider-uid": "89ab"}
    taker.cluster.objects = {
        "Service": [_service("web"), _service("inner", "ClusterIP")],
        "Gateway": [{"metadata": {"annotations": gateway}}],
        "PersistentVolume": [_volume("pvc-1"), _volume("pvc-2", "Retain")],
    }
    (found,) = taker.take()
    assert found == Fingerprint(
        project=PROJECT,
        cluster="demo",
        location=REGION,
        id=CLUSTER_ID,
        created=_CREATED,
        network="shared",
        system_uid="the-uid",
        ingress_uids=("0123456789abcdef", "89ab"),
        services=(Service("uid-of-web", "vision", "web"),),
        volumes=(
            Volume("pvc-1", "zones/europe-west4-a/disks/pvc-1", "Delete"),
            Volume("pvc-2", "zones/europe-west4-a/disks/pvc-2", "Retain"),
        ),
        gateway_rules=("/p/b", "/projects/1/global/a"),
        account=Account(ACCOUNT, ACCOUNT_ID),
    )
    assert taker.warnings == ""


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"driver": "filestore.csi.storage.gke.io"}, id="not a disk"),
        pytest.param(
            {"volumeHandle": "projects/theirs/zones/europe-west4-a/disks/pvc-1"},
            id="of another project",
        ),
    ],
)
def test_a_volume_of_another_sort_is_none(taker: Taker, other: dict[str, Any]) -> None:
    taker.cluster.objects = {"PersistentVolume": [_volume("pvc-1", **other)]}
    (found,) = taker.take()
    assert found.volumes == ()


def test_a_disk_that_was_there_before_its_volume_is_none(taker: Taker) -> None:
    by_hand = _volume("models")
    del by_hand["metadata"]["annotations"]
    taker.cluster.objects = {"PersistentVolume": [by_hand]}
    (found,) = taker.take()
    assert found.volumes == ()


def test_earlier_looks_and_clusters_are_remembered(taker: Taker) -> None:
    """But no volume that has been taken out of the cluster: its disk may be kept."""
    older = {"name": "demo", "id": "0" * 64, "createTime": _CREATED}
    taker.apis.put("clusters", REGION, older)
    taker.take()
    made = {"name": "demo", "id": CLUSTER_ID, "createTime": _CREATED, "network": "demo"}
    taker.apis.put("clusters", REGION, made)
    taker.cluster.objects = {
        "Service": [_service("web")],
        "PersistentVolume": [_volume("pvc-1"), _volume("pvc-2")],
    }
    taker.take()
    taker.cluster.objects = {
        "Service": [_service("api")],
        "PersistentVolume": [_volume("pvc-2", "Retain")],
    }
    before, now = taker.take()
    assert (before.id, now.id) == ("0" * 64, CLUSTER_ID)
    assert [one.name for one in now.services] == ["web", "api"]
    assert [(v.name, v.reclaim_policy) for v in now.volumes] == [("pvc-2", "Retain")]


def test_of_a_cluster_that_stays_no_volume_is_believed(taker: Taker) -> None:
    taker.cluster.objects = {"PersistentVolume": [_volume("pvc-1")]}
    (found,) = taker.take()
    assert found.volumes
    (found,) = taker.take(ending=False)
    assert found.volumes == ()


def test_an_account_that_the_user_brought_is_none(taker: Taker) -> None:
    given = {"cluster": {"node_service_account": ACCOUNT}}
    taker.stacks = Stacks(taker.stacks.whole, lambda _: given, "ray-gke down")
    (found,) = taker.take()
    assert found.account is None


def test_what_may_not_be_read_is_told_and_the_rest_taken(taker: Taker) -> None:
    taker.cluster.objects = {"Service": [_service("web")]}
    taker.cluster.forbidden = {"PersistentVolume"}
    (found,) = taker.take()
    assert found.system_uid
    assert found.services
    assert "list PersistentVolume: it is forbidden" in taker.warnings


def test_without_google_nothing_is_taken_and_it_is_told(taker: Taker) -> None:
    taker.apis.deny("GET */clusters")
    assert taker.take() == []
    assert "may not be found" in taker.warnings


@pytest.mark.parametrize("text", ["", "{", "[]", '{"clusters": [{"id": "1"}]}'])
def test_a_damaged_file_proves_nothing(taker: Taker, text: str) -> None:
    taker.take()
    taker.stacks.fingerprints.write_text(text)
    assert fingerprint.known(taker.stacks) == []
