"""The real node itself: what tests of blueprints on it build on."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import parts, ray_image, shared_storage
from tests.cluster.bed import Bed
from tests.cluster.processes import Program, eventually, free_port
from tests.cluster.real_node import RealNode
from tests.node.footprint import footprint, processes_of

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
RAY_PATIENCE = 240
"""Seconds for what takes half a minute when nothing else runs on the machine."""
SECURE = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
}
SECURE_CONTAINER = {
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
}


@pytest.fixture
def restricted(real_cluster: Bed, real_namespace: str) -> str:
    """A namespace that refuses pods which ask for more than they need."""
    level = "pod-security.kubernetes.io/enforce=restricted"
    real_cluster.kubectl("label", "namespace", real_namespace, level)
    return real_namespace


def apply_blueprint(cluster: Bed, namespace: str, name: str) -> dict[str, Any]:
    """Apply what `ray-gke render` prints; return the Ray object.

    But what is for Prometheus: this cluster has none that reads it.
    """
    command = (Path(sys.executable).with_name("ray-gke"), "render", name)
    rendered = subprocess.run(command, capture_output=True, text=True, check=True)
    documents = [
        document
        for document in yaml.safe_load_all(rendered.stdout)
        if not document["apiVersion"].startswith("monitoring.")
    ]
    text = yaml.safe_dump_all(documents)
    cluster.control_plane.apply(text, namespace=namespace)
    return next(d for d in documents if d["apiVersion"] == "ray.io/v1")


def make_pod(
    cluster: Bed, namespace: str, name: str, script: str, more: Mapping[str, Any]
) -> None:
    """Run a script of Python; `more` is for its pod, with what is for `container`."""
    spec = dict(more)
    container = {
        "name": "main",
        "image": ray_image.RAY,
        "command": ["python", "-c", script],
        **SECURE_CONTAINER,
        **spec.pop("container", {}),
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container], "restartPolicy": "Never", **SECURE, **spec},
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(pod))


def status(cluster: Bed, namespace: str, kind: str, name: str) -> dict[str, Any]:
    told = cluster.kubectl("get", kind, name, "-n", namespace, "-o", "json")
    found: dict[str, Any] = json.loads(told).get("status", {})
    return found


@contextlib.contextmanager
def forwarded(cluster: Bed, namespace: str, target: str, port: int) -> Iterator[str]:
    local = free_port()
    url = f"http://127.0.0.1:{local}"
    command = (parts.path("kubectl"), "--kubeconfig", cluster.kubeconfig)
    program = Program(
        "port-forward",
        [*command, "port-forward", "-n", namespace, target, f"{local}:{port}"],
        log=cluster.folder / "logs" / "port-forward.log",
        ready=lambda: code(url) != 0,
    )
    program.start()
    try:
        yield url
    finally:
        program.stop()


def code(url: str) -> int:
    """The status that `url` answers with; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_a_ray_cluster_is_ready_and_reached(real_cluster: Bed, restricted: str) -> None:
    name = apply_blueprint(real_cluster, restricted, "interactive-cluster")["metadata"]

    def is_ready() -> bool:
        found = status(real_cluster, restricted, "raycluster", name["name"])
        return found.get("state") == "ready"

    eventually("the RayCluster to be ready", is_ready, patience=RAY_PATIENCE)
    chosen = ("-n", restricted, "-l", "ray.io/node-type=head", "-o", "name")
    head = real_cluster.kubectl("get", "pods", *chosen).strip()
    ray = ("-c", "ray-head")
    version = real_cluster.kubectl(
        *("exec", head, "-n", restricted, *ray, "--", "ray", "--version")
    )
    assert version.strip() == "ray, version 2.60.0"
    assert "Ray runtime started" in real_cluster.kubectl(
        "logs", head, "-n", restricted, *ray
    )
    with forwarded(real_cluster, restricted, head, 8265) as url:
        assert code(f"{url}/api/version") == 401, "the dashboard asks for a token"


def test_a_ray_job_succeeds(real_cluster: Bed, restricted: str) -> None:
    job = apply_blueprint(real_cluster, restricted, "squares")["metadata"]["name"]

    def has_ended() -> bool:
        found = status(real_cluster, restricted, "rayjob", job)
        return found.get("jobDeploymentStatus") in {"Complete", "Failed"}

    eventually("the RayJob to end", has_ended, patience=RAY_PATIENCE)
    assert status(real_cluster, restricted, "rayjob", job)["jobStatus"] == "SUCCEEDED"
    told = real_cluster.kubectl("logs", "-n", restricted, "-l", "job-name", "--tail=-1")
    assert "[0, 1, 4, 9]\n" in told


def test_an_image_that_does_not_exist_is_not_found(
    real_cluster: Bed, restricted: str
) -> None:
    image = {"image": "rayproject/ray:no-such-tag"}
    make_pod(real_cluster, restricted, "absent", "", {"container": image})

    told: list[str] = []

    def has_failed() -> bool:
        found = status(real_cluster, restricted, "pod", "absent")
        states = [c["state"] for c in found.get("containerStatuses", ())]
        told.extend(s["waiting"].get("message", "") for s in states if "waiting" in s)
        return any("not found" in message for message in told)

    eventually("the pull to fail", has_failed)
    assert "docker.io/rayproject/ray:no-such-tag: not found" in told[-1]


SERVER = """
import http.server, os, pathlib
os.chdir("/shared")
pathlib.Path("word").write_text("hello")
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000)
"""
CLIENT = """
import time, urllib.request
for _ in range(120):
    try:
        print(urllib.request.urlopen("http://words:8000/word", timeout=5).read())
        break
    except OSError as error:
        print(error)
        time.sleep(0.5)
print(open("/shared/word").read())
"""


def test_pods_of_two_nodes_share_network_names_and_storage(
    real_cluster: Bed, real_namespace: str, spot_node: RealNode, tmp_path: Path
) -> None:
    kubectl = functools.partial(real_cluster.kubectl, "-n", real_namespace)
    claim = shared_storage.claim(
        real_cluster.control_plane, real_namespace, tmp_path / "shared"
    )
    shared = {
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}],
        "container": {"volumeMounts": [{"name": "v", "mountPath": "/shared"}]},
    }
    spot = {"tolerations": [{"operator": "Exists"}], "nodeName": spot_node.name}
    make_pod(real_cluster, real_namespace, "server", SERVER, {**shared, **spot})
    make_pod(real_cluster, real_namespace, "client", CLIENT, shared)
    kubectl("label", "pod", "server", "app=server")
    kubectl("expose", "pod", "server", "--port=8000", "--name=words")

    def has_ended() -> bool:
        found = status(real_cluster, real_namespace, "pod", "client")
        return found.get("phase") in {"Succeeded", "Failed"}

    eventually("the client to end", has_ended, patience=120)
    assert kubectl("logs", "client").endswith("b'hello'\nhello\n")


def by_hand(command: str, folder: Path) -> str:
    more = ["--node"] if command == "up" else []
    done = subprocess.run(
        [sys.executable, "-m", "tests.cluster", command, "--folder", folder, *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_is_left(tmp_path: Path, *, killed: bool) -> None:
    folder = tmp_path / "cluster"
    before = footprint(folder)
    kubeconfig = by_hand("up", folder)
    try:
        kubectl = (parts.path("kubectl"), "--kubeconfig", kubeconfig)
        run = ("run", "here", f"--image={ray_image.PAUSE}")
        subprocess.run([*kubectl, *run], check=True, capture_output=True)
        ready = ("wait", "pod/here", "--for=condition=Ready", "--timeout=60s")
        subprocess.run([*kubectl, *ready], check=True, capture_output=True)
        during = footprint(folder)
        assert during["links"] - before["links"]
        assert during["cgroups"] - before["cgroups"]
        assert processes_of(folder)
        if killed:
            record = json.loads((folder / "holder.json").read_text())
            os.kill(record["pid"], signal.SIGKILL)
    finally:
        by_hand("down", folder)
    assert processes_of(folder) == []
    assert footprint(folder) == before
    assert not folder.exists()
