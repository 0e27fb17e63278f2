"""What `status` says of runs, and `logs` of a cluster whose pods write nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ray_gke.errors import RefusedError, UsageError
from ray_gke.targets.kubernetes import head, logs, status
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.inventory import GroupFacts, Inventory, Item
from ray_gke.targets.kubernetes.log_stream import Stream
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.runs import GroupStatus, Run
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.cluster.ray_stand_in import JobCourse, ServeCourse

pytestmark = pytest.mark.cluster

SIZE = {"cpu": "1", "memory": "2Gi"}
CONTAINER = {
    "name": "ray",
    "image": "rayproject/ray:2.60.0",
    "resources": {"requests": SIZE, "limits": SIZE},
}
SERVE = "applications: [{name: hello, import_path: 'app:app', route_prefix: /}]"
GATEWAY = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {plural}.gateway.networking.k8s.io
  annotations:
    api-approved.kubernetes.io: https://github.com/kubernetes-sigs/gateway-api
spec:
  group: gateway.networking.k8s.io
  scope: Namespaced
  names: {{kind: {kind}, plural: {plural}, singular: {singular}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-preserve-unknown-fields: true
"""


@pytest.fixture
def api(cluster: Bed, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    return Api.of(None)


class Runs:
    """Runs that are brought up by hand, as `up` would leave them."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def up(self, name: str, kind: str, spec: Mapping[str, Any]) -> Ref:
        labels = {"app.kubernetes.io/managed-by": "ray-gke", "ray-gke/run": name}
        ray = Ref(kind, self.namespace, f"{name}-1234" if kind == "RayJob" else name)
        known = Inventory(
            name,
            self.namespace,
            kind.removeprefix("Ray").lower(),
            "trial",
            (GroupFacts("small", 1, 3),),
            (Item(ray),),
        )
        self.api.apply(known.manifest())
        self.api.apply(
            {
                "apiVersion": "ray.io/v1",
                "kind": kind,
                "metadata": {
                    "name": ray.name,
                    "namespace": self.namespace,
                    "labels": labels,
                },
                "spec": spec,
            }
        )
        return ray

    def stands(self, name: str, wanted: str) -> Run:
        """The run `name`, once its status is `wanted`."""

        found: list[Run] = []

        def stands() -> bool:
            found.append(status.run(self.api, self.namespace, name))
            return found[-1].status == wanted

        eventually(f"{name} to be {wanted}", stands)
        return found[-1]


@pytest.fixture
def runs(api: Api, namespace: str) -> Runs:
    return Runs(api, namespace)


def ray(name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "ray-gke", "ray-gke/run": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    return {
        "rayVersion": "2.60.0",
        "headGroupSpec": {"rayStartParams": {}, "template": pod},
        "workerGroupSpecs": [
            {
                "groupName": "small",
                "replicas": 2,
                "minReplicas": 1,
                "maxReplicas": 3,
                "rayStartParams": {},
                "template": pod,
            }
        ],
    }


def job(name: str) -> dict[str, Any]:
    return {"entrypoint": "python go.py", "rayClusterSpec": ray(name)}


def service(name: str) -> dict[str, Any]:
    return {"serveConfigV2": SERVE, "rayClusterConfig": ray(name)}


def test_status_of_a_cluster_names_groups_workers_and_addresses(runs: Runs) -> None:
    runs.up("one", "RayCluster", ray("one"))
    run = runs.stands("one", "RUNNING")
    assert run.namespace == runs.namespace
    assert run.since > 0
    assert run.groups == (GroupStatus("small", 1, 3, 2),)
    assert {(w.group, w.phase, w.pid) for w in run.workers} == {
        ("small", "Running", None)
    }
    assert all(worker.node for worker in run.workers)
    host = f"one-head-svc.{runs.namespace}.svc"
    assert run.urls == {
        "dashboard": f"http://{host}:8265",
        "cluster": f"ray://{host}:10001",
    }


def test_status_of_a_job_is_rays_word_until_the_end(cluster: Bed, runs: Runs) -> None:
    assert cluster.stand_in
    cluster.stand_in.jobs[runs.namespace] = JobCourse(3, "FAILED", "it broke\nhere")
    runs.up("work", "RayJob", job("work"))
    running = runs.stands("work", "RUNNING")
    assert running.job_id
    assert "dashboard" in running.urls
    failed = runs.stands("work", "FAILED")
    assert failed.message.startswith("it broke")
    assert "\n" not in failed.message


def test_status_of_a_service_follows_its_applications(cluster: Bed, runs: Runs) -> None:
    runs.up("web", "RayService", service("web"))
    run = runs.stands("web", "RUNNING")
    assert run.urls["service"] == f"http://web-serve-svc.{runs.namespace}.svc:8000"
    assert run.urls["dashboard"].endswith(f".{runs.namespace}.svc:8265")
    assert cluster.stand_in
    cluster.stand_in.services[runs.namespace] = ServeCourse(0, "UNHEALTHY", "bad reply")
    assert runs.stands("web", "UNHEALTHY").message == "bad reply"


def test_status_gives_the_gateways_address_of_a_service(
    cluster: Bed, runs: Runs
) -> None:
    for kind, plural in (("Gateway", "gateways"), ("HTTPRoute", "httproutes")):
        text = GATEWAY.format(kind=kind, plural=plural, singular=kind.lower())
        cluster.kubectl("apply", "-f", "-", stdin=text)
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    runs.up("web", "RayService", service("web"))
    runs.up("other", "RayCluster", ray("other"))
    group = "gateway.networking.k8s.io/v1"
    place = {"namespace": runs.namespace}
    listeners = [
        {"name": "plain", "protocol": "HTTP", "port": 8080},
        {"name": "secure", "protocol": "HTTPS", "port": 443},
    ]
    eventually("the kind to be served", lambda: runs.api.list("Gateway") is not None)
    runs.api.apply(
        {
            "apiVersion": group,
            "kind": "Gateway",
            "metadata": {"name": "door", **place},
            "spec": {"gatewayClassName": "any", "listeners": listeners},
            "status": {"addresses": [{"value": "203.0.113.7"}]},
        }
    )
    route: dict[str, Any] = {
        "apiVersion": group,
        "kind": "HTTPRoute",
        "metadata": {"name": "way", **place},
        "spec": {
            "parentRefs": [{"name": "door", "sectionName": "plain"}],
            "rules": [{"backendRefs": [{"name": "web-serve-svc", "port": 8000}]}],
        },
    }
    runs.api.apply(route)
    assert runs.stands("web", "RUNNING").urls["gateway"] == "http://203.0.113.7:8080"
    route["spec"]["hostnames"] = ["web.example.com"]
    route["spec"]["parentRefs"] = [{"name": "door", "sectionName": "secure"}]
    runs.api.apply(route)
    run = status.run(runs.api, runs.namespace, "web")
    assert run.urls["gateway"] == "https://web.example.com"
    assert "gateway" not in status.run(runs.api, runs.namespace, "other").urls


def test_status_lists_all_runs_and_those_whose_object_is_gone(
    cluster: Bed, runs: Runs
) -> None:
    runs.up("one", "RayCluster", ray("one"))
    gone = runs.up("gone", "RayCluster", ray("gone"))
    runs.stands("one", "RUNNING")
    runs.api.delete(gone)
    runs.stands("gone", "MISSING")
    everywhere = status.runs(runs.api, "")
    here = [run for run in everywhere if run.namespace == runs.namespace]
    assert here == status.runs(runs.api, runs.namespace)
    assert [run.name for run in here] == ["gone", "one"]


def test_a_name_that_is_not_there_is_answered_with_the_nearest(runs: Runs) -> None:
    runs.up("trainer", "RayCluster", ray("trainer"))
    with pytest.raises(UsageError) as caught:
        status.run(runs.api, runs.namespace, "triner")
    assert caught.value.problems[0].hint == "did you mean trainer?"


def test_logs_of_a_group_that_is_not_there_name_the_groups(runs: Runs) -> None:
    runs.up("one", "RayCluster", ray("one"))
    with pytest.raises(UsageError, match="it has head, small"):
        logs.logs(runs.api, runs.namespace, "one", group="smal")


def test_head_is_the_ready_pod_of_the_cluster_that_serves(
    cluster: Bed, runs: Runs
) -> None:
    web = runs.up("web", "RayService", service("web"))
    runs.stands("web", "RUNNING")
    known = head.find(runs.api, runs.namespace, "web")
    name = head.cluster(runs.api, known)
    assert head.pod(runs.api, runs.namespace, name).startswith(name)
    assert head.serving_pod(runs.api, runs.namespace, name).startswith(name)
    runs.api.delete(web)
    with pytest.raises(RefusedError, match="web has no Ray cluster"):
        head.cluster(runs.api, known)


def test_a_pod_without_a_node_has_no_lines_yet(api: Api, namespace: str) -> None:
    api.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "waiting", "namespace": namespace},
            "spec": {"containers": [CONTAINER], "nodeSelector": {"nobody": "has-it"}},
        }
    )
    asked = Stream(api, namespace, "waiting", "ray", follow=False)
    assert list(asked.lines()) == []
