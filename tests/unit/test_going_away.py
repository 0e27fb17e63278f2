"""What `down` says while something stays, and when it gives up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from ray_gke.errors import FailedError, Problem, RefusedError
from ray_gke.events import Event, Finished, Note
from ray_gke.targets.kubernetes import head, removal, status
from ray_gke.targets.kubernetes.api import ApiError, NotAllowedError
from ray_gke.targets.kubernetes.down import down
from ray_gke.targets.kubernetes.resources import Ref, resource
from tests.memory_cluster import MemoryCluster

LABELS = {"app.kubernetes.io/managed-by": "ray-gke", "ray-gke/run": "demo"}
NAMESPACE = Ref("Namespace", "", "ml")


@dataclass
class Cluster(MemoryCluster):
    """Objects with finalizers stay; `answers` are by path, and may be errors.

    Objects of the kind `forbidden` may not be looked at, and reviews say so.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    forbidden: str = ""
    patiences: set[float] = field(default_factory=set)

    def read(self, path: str, *_arguments: Any, **_options: Any) -> Any:
        found = self.answers.get(path)
        if isinstance(found, Exception):
            self.patiences.add(self.patience)
            raise found
        return found

    def ask(self, _path: str, question: Any) -> Any:
        asked = question.get("spec", {}).get("resourceAttributes", {}).get("resource")
        denied = {"*", resource(self.forbidden).plural} if self.forbidden else set()
        return {"status": {"allowed": asked not in denied}}

    def get(self, ref: Ref) -> Any:
        self._look(ref.kind)
        return super().get(ref)

    def list(self, kind: str, *places: str, **chosen: Any) -> Any:
        self._look(kind)
        return super().list(kind, *places, **chosen)

    def delete(self, ref: Ref, **options: Any) -> None:
        here = self.objects.get(ref, {"metadata": {}})
        if not here["metadata"].get("finalizers"):
            super().delete(ref, **options)

    def _look(self, kind: str) -> None:
        if kind == self.forbidden:
            raise NotAllowedError(f"{kind}: forbidden")

    def has(self, ref: Ref, **metadata: Any) -> None:
        known = {"name": ref.name, "uid": ref.path, **metadata}
        known |= {"namespace": ref.namespace} if ref.namespace else {}
        self.objects[ref] = {"kind": ref.kind, "metadata": known}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "_TELL_SECONDS", -1.0)
    monkeypatch.setattr(removal, "_POLL_SECONDS", 0.01)


def cluster(*finalizers: str, version: str = "v1.34.4", **more: Any) -> Cluster:
    api = Cluster(**more)
    api.answers["/version"] = {"gitVersion": version}
    job = Ref("RayJob", "ml", "demo-1")
    api.has(job, labels=LABELS, finalizers=list(finalizers))
    return api


def failure(api: Cluster, told: list[Event]) -> Problem:
    with pytest.raises(FailedError) as caught:
        down(api, "ml", "demo", told.append)
    (problem,) = caught.value.problems
    return problem


def notes(told: list[Event]) -> list[str]:
    return [one.text for one in told if isinstance(one, Note)]


def test_it_gives_up_soon_where_no_operator_takes_the_finalizer_off() -> None:
    told: list[Event] = []
    problem = failure(cluster("ray.io/rayjob-finalizer", "foregroundDeletion"), told)
    assert problem.message == (
        "RayJob/demo-1 in namespace ml stays: it waits for ray.io/rayjob-finalizer, "
        "and the KubeRay operator is not there, which takes that off"
    )
    assert "helm upgrade --install kuberay-operator" in str(problem.hint)
    assert notes(told) == ["RayJob/demo-1 waits for ray.io/rayjob-finalizer"]


@pytest.mark.parametrize("out_of_sight", ["there", "add-on", "forbidden", "another's"])
def test_it_waits_where_an_operator_may_be(
    monkeypatch: pytest.MonkeyPatch, out_of_sight: str
) -> None:
    waiting: Any = removal.wait_until_gone.__defaults__
    monkeypatch.setattr(removal.wait_until_gone, "__defaults__", (0.1, *waiting[1:]))
    finalizer = "example.com/hold" if out_of_sight == "another's" else "ray.io/any"
    version = "v1.34.1-gke.2037000" if out_of_sight == "add-on" else "v1.34.4"
    forbidden = "Deployment" if out_of_sight == "forbidden" else ""
    api = cluster(finalizer, version=version, forbidden=forbidden)
    if out_of_sight == "there":
        api.has(Ref("Deployment", "kuberay-system", "kuberay-operator"))
    told: list[Event] = []
    problem = failure(api, told)
    assert "is not gone after " in problem.message
    assert problem.message.endswith(f" s: it waits for {finalizer}")
    assert notes(told) == [f"RayJob/demo-1 waits for {finalizer}"]


def of_ours(api: Cluster) -> Cluster:
    api.has(NAMESPACE, labels=LABELS)
    groups = [{"preferredVersion": {"groupVersion": "custom.metrics.k8s.io/v1"}}]
    api.answers["/apis"] = {"groups": groups}
    api.answers["/api/v1"] = {"resources": []}
    return api


def test_a_namespace_that_cannot_be_looked_into_stays_with_a_word() -> None:
    api = of_ours(cluster())
    busy = ApiError("list kinds of it", 503, {"message": "the server is too busy"})
    api.answers["/apis/custom.metrics.k8s.io/v1"] = busy
    told: list[Event] = []
    down(api, "ml", "demo", told.append)
    assert NAMESPACE in api.objects
    (note,) = notes(told)
    assert note == (
        "namespace ml, which ray-gke has made, stays: list kinds of it: the server is "
        "too busy; if nothing is in it, kubectl delete namespace ml removes it"
    )
    assert api.patiences == {20.0}
    assert isinstance(told[-1], Finished)


def test_an_empty_namespace_goes_without_a_word() -> None:
    api = of_ours(cluster())
    told: list[Event] = []
    down(api, "ml", "demo", told.append)
    assert NAMESPACE not in api.objects
    assert notes(told) == []


def test_all_that_is_not_allowed_is_told_before_anything_is_looked_at() -> None:
    with pytest.raises(RefusedError) as caught:
        down(cluster(forbidden="RayJob"), "ml", "demo", lambda _: None)
    (problem,) = caught.value.problems
    assert problem.message.splitlines()[1:] == [
        f"  {verb} rayjobs.ray.io in namespace ml" for verb in ("delete", "get", "list")
    ]
    assert "--verb=delete,get,list --resource=rayjobs.ray.io" in str(problem.hint)


@pytest.mark.parametrize(
    "look",
    [
        lambda api: head.find(api, "ml", "demo"),
        lambda api: status.runs(api, "ml"),
    ],
)
def test_who_may_not_look_is_told_all_that_is_missing(look: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        look(cluster(forbidden="ConfigMap"))
    (problem,) = caught.value.problems
    assert problem.message.splitlines()[1:] == [
        "  get configmaps in namespace ml",
        "  list configmaps in namespace ml",
    ]
