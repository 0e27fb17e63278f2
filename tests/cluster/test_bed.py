"""The test cluster itself: what the tests of the target `kubernetes` build on."""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.cluster import parts
from tests.cluster.bed import Bed
from tests.cluster.processes import ProgramError, eventually
from tests.cluster.ray_stand_in import JobCourse

pytestmark = pytest.mark.cluster

SIZE = {"cpu": "1", "memory": "2Gi"}
POD = {
    "spec": {
        "containers": [
            {
                "name": "ray",
                "image": "rayproject/ray:2.60.0",
                "resources": {"requests": SIZE, "limits": SIZE},
            }
        ]
    }
}
RAY: dict[str, Any] = {
    "rayVersion": "2.60.0",
    "headGroupSpec": {"rayStartParams": {}, "template": POD},
    "workerGroupSpecs": [
        {
            "groupName": "small",
            "replicas": 2,
            "minReplicas": 2,
            "maxReplicas": 2,
            "rayStartParams": {},
            "template": POD,
        }
    ],
}
SERVE = "applications: [{name: hello, import_path: 'app:app', route_prefix: /}]"


class Applied:
    """An object that a test has applied."""

    def __init__(self, cluster: Bed, namespace: str, kind: str, spec: Any) -> None:
        self.cluster = cluster
        self.path = f"/apis/ray.io/v1/namespaces/{namespace}/{kind.lower()}s/trial"
        metadata = {"name": "trial", "namespace": namespace}
        api = {"apiVersion": "ray.io/v1", "kind": kind}
        written = json.dumps({**api, "metadata": metadata, "spec": spec})
        cluster.control_plane.apply(written)

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.control_plane.get(self.path)
        return dict(found.get("status", {}))

    def until(self, **wanted: str) -> None:
        def holds() -> bool:
            return wanted.items() <= self.status.items()

        try:
            eventually(f"{self.path} to be {wanted}", holds)
        except ProgramError as error:
            pytest.fail(f"{error}, which is {self.status}")

    def until_condition(self, name: str) -> None:
        def holds() -> bool:
            conditions = self.status.get("conditions", ())
            return any(c["type"] == name and c["status"] == "True" for c in conditions)

        eventually(f"{self.path} to be {name}", holds)


def pods(cluster: Bed, namespace: str) -> dict[str, dict[str, Any]]:
    found = cluster.control_plane.get(f"/api/v1/namespaces/{namespace}/pods")
    return {pod["metadata"]["name"]: pod for pod in found["items"]}


def test_a_ray_cluster_becomes_ready_with_its_workers(
    cluster: Bed, namespace: str
) -> None:
    trial = Applied(cluster, namespace, "RayCluster", RAY)
    trial.until(state="ready")
    assert trial.status["readyWorkerReplicas"] == 2
    phases = [p["status"]["phase"] for p in pods(cluster, namespace).values()]
    assert phases == ["Running"] * 3


def test_a_ray_job_succeeds(cluster: Bed, namespace: str) -> None:
    spec = {"entrypoint": "python job.py", "rayClusterSpec": RAY}
    trial = Applied(cluster, namespace, "RayJob", spec)
    trial.until(jobStatus="SUCCEEDED", jobDeploymentStatus="Complete")


@pytest.mark.parametrize("mode", ["K8sJobMode", "HTTPMode"])
def test_a_ray_job_fails_when_it_shall(cluster: Bed, namespace: str, mode: str) -> None:
    assert cluster.stand_in
    cluster.stand_in.jobs[namespace] = JobCourse(status="FAILED", message="it broke")
    spec = {"entrypoint": "false", "submissionMode": mode, "rayClusterSpec": RAY}
    trial = Applied(cluster, namespace, "RayJob", spec)
    trial.until(jobStatus="FAILED", jobDeploymentStatus="Failed", message="it broke")


def test_a_ray_service_becomes_ready(cluster: Bed, namespace: str) -> None:
    spec = {"serveConfigV2": SERVE, "rayClusterConfig": RAY}
    trial = Applied(cluster, namespace, "RayService", spec)
    trial.until_condition("Ready")
    (application,) = trial.status["activeServiceStatus"]["applicationStatuses"]
    assert application == "hello"


GPU_LABEL = "cloud.google.com/gke-accelerator"
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}


@pytest.fixture
def gpu_node(cluster: Bed, namespace: str) -> str:
    """A node with one GPU that only pods of this test may run on."""
    cluster.nodes.add_node(
        f"gpu-{namespace}",
        labels={GPU_LABEL: namespace},
        taints=[GPU_TAINT],
        allocatable={"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"},
    )
    return f"gpu-{namespace}"


def gpu_pod(namespace: str, **more: Any) -> dict[str, Any]:
    limits = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    return {
        "nodeSelector": {GPU_LABEL: namespace},
        "tolerations": [{"key": GPU_TAINT["key"], "operator": "Exists"}],
        "containers": [{"name": "ray", "image": "rayproject/ray:2.60.0", **limits}],
        **more,
    }


def test_a_balloon_gives_way_to_a_worker(
    cluster: Bed, namespace: str, gpu_node: str
) -> None:
    priority = {"metadata": {"name": namespace}, "value": -10}
    api = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    cluster.control_plane.apply(json.dumps({**api, **priority}))
    at_once = {"priorityClassName": namespace, "terminationGracePeriodSeconds": 0}
    balloon = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "balloon", "namespace": namespace},
        "spec": gpu_pod(namespace, **at_once),
    }
    cluster.control_plane.apply(json.dumps(balloon))
    eventually(
        "the balloon to run",
        lambda: pods(cluster, namespace)["balloon"]["status"]["phase"] == "Running",
    )
    spec = copy.deepcopy(RAY)
    spec["workerGroupSpecs"][0] |= {
        "replicas": 1,
        "minReplicas": 1,
        "template": {"spec": gpu_pod(namespace)},
    }
    Applied(cluster, namespace, "RayCluster", spec).until(state="ready")
    there = [
        name
        for name, pod in pods(cluster, namespace).items()
        if pod["spec"]["nodeName"] == gpu_node
    ]
    assert "balloon" not in pods(cluster, namespace)
    assert [name for name in there if "small-worker" in name] == there != []
    cluster.nodes.remove_node(gpu_node)
    assert gpu_node not in cluster.nodes.names()


def test_the_stand_in_forwards_each_request_once(cluster: Bed, namespace: str) -> None:
    assert cluster.stand_in
    where = urlsplit(cluster.stand_in.url)
    ca = ssl.create_default_context(cafile=cluster.control_plane.ca)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    written = json.dumps({"metadata": {"generateName": "one-"}})
    headers = {
        "Authorization": f"Bearer {cluster.control_plane.token}",
        "Content-Type": "application/json",
    }
    connection = http.client.HTTPSConnection(str(where.netloc), context=ca)
    with contextlib.closing(connection):
        for _ in range(20):
            connection.request("POST", path, written, headers)
            response = connection.getresponse()
            assert response.status == 201, response.read()
            response.read()
    found = cluster.control_plane.get(path)["items"]
    created = [m for m in found if m["metadata"]["name"].startswith("one-")]
    assert len(created) == 20


def test_the_api_server_comes_back_with_its_data(cluster: Bed, namespace: str) -> None:
    control_plane = cluster.control_plane
    cluster.kubectl(
        "create", "configmap", "kept", "--from-literal=a=b", "-n", namespace
    )
    control_plane.api_server.stop()
    with pytest.raises(OSError, match="refused"):
        control_plane.get("/version")
    control_plane.api_server.start()
    kept = control_plane.get(f"/api/v1/namespaces/{namespace}/configmaps/kept")
    assert kept["data"] == {"a": "b"}
    Applied(cluster, namespace, "RayCluster", RAY).until(state="ready")


def test_a_user_has_the_rights_that_it_was_given(cluster: Bed, namespace: str) -> None:
    jane = cluster.control_plane.kubeconfig_for("jane", ["developers"])
    for rights in (
        ("create", "role", "reads", "--verb=list", "--resource=pods"),
        ("create", "rolebinding", "reads", "--role=reads", "--group=developers"),
    ):
        cluster.kubectl(*rights, "-n", namespace)

    def asks(*arguments: str) -> str:
        who = ("--kubeconfig", str(jane), "-n", namespace)
        done = subprocess.run(
            [str(parts.path("kubectl")), *who, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    eventually("the right", lambda: "No resources found" in asks("get", "pods"))
    assert 'User "jane" cannot list resource "services"' in asks("get", "services")


def test_the_operator_may_be_missing(cluster: Bed, namespace: str) -> None:
    cluster.operator.stop()
    cluster.operator.remove_deployment()
    trial = Applied(cluster, namespace, "RayCluster", RAY)
    assert cluster.kubectl("get", "deployments", "-A", "-o", "name") == ""
    cluster.heal()
    trial.until(state="ready")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.cluster", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_down_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "by-hand"
    try:
        told = command("up", "--folder", str(folder)).stdout
        assert Path(told.strip()).is_file()
        assert command("up", "--folder", str(folder)).stdout == told
        holder = psutil.Process(json.loads((folder / "holder.json").read_text())["pid"])
        family = [holder, *holder.children(recursive=True)]
        assert len(family) == 7, [p.name() for p in family]
    finally:
        command("down", "--folder", str(folder))
    assert not [p for p in family if runs(p)]
    assert not list(tmp_path.iterdir())


def test_what_a_killed_holder_started_dies_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "by-hand"
    try:
        command("up", "--folder", str(folder))
        holder = psutil.Process(json.loads((folder / "holder.json").read_text())["pid"])
        family = holder.children(recursive=True)
        holder.kill()
        eventually("them to end", lambda: not any(runs(p) for p in family))
    finally:
        command("down", "--folder", str(folder))
    assert not list(tmp_path.iterdir())
