"""The autoscaler that stands in, on a test cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests import terraform_docs
from tests.cluster.processes import eventually
from tests.gke.world import World
from tests.gke.written import GPU, ZONES, pod, put_cluster, put_pool
from tests.terraform import program

pytestmark = pytest.mark.cluster

Object = dict[str, Any]
PREFIX = "cloud.google.com/"

BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: both}
spec:
  worker_groups:
  - name: turns
    min_replicas: 0
    max_replicas: 4
    cpu: 1
    memory: 4Gi
    machine_type: n1-standard-8
    gpu:
      accelerator: nvidia-tesla-t4
      sharing: {strategy: time-sharing, max_shared_clients_per_gpu: 4}
  - name: slices
    min_replicas: 0
    max_replicas: 7
    cpu: 1
    memory: 4Gi
    provisioning: spot
    gpu: {accelerator: nvidia-tesla-a100, partition: 1g.5gb}
  cluster: {}
"""
PLATFORM = """\
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: world}
spec:
  target: gke
  project: my-project
  region: europe-west4
  zones: [europe-west4-a, europe-west4-b]
  kuberay: {namespace: ray-operator}
  namespace: vision
  blueprints: [{blueprint: ./both}]
"""


class Stacks:
    """Terraform's stacks with the variables of a platform, as a user runs them."""

    def __init__(self, gke: World) -> None:
        self.gke = gke
        self.folder = gke.folder / "terraform"
        (gke.folder / "both").mkdir()
        (gke.folder / "both/blueprint.yaml").write_text(BLUEPRINT)
        (gke.folder / "ray-gke.yaml").write_text(PLATFORM)
        done = gke.ray_gke("render", "--output-dir", "out")
        assert done.returncode == 0, done.stderr
        ignored = shutil.ignore_patterns(".terraform*", "terraform.tfstate*", "tests")
        shutil.copytree(terraform_docs.ROOT, self.folder, ignore=ignored)

    def vary(self, stack: str, **values: Any) -> None:
        """Add to the rendered variables of a stack."""
        rendered = self.gke.folder / f"out/terraform/{stack}.tfvars.json"
        variables = json.loads(rendered.read_text())
        for name, value in values.items():
            variables[name] = variables.get(name, {}) | value
        (self.folder / stack / "terraform.tfvars.json").write_text(
            json.dumps(variables)
        )

    def run(self, stack: str, command: str, *arguments: str) -> str:
        """Run a command of Terraform that has to succeed."""
        token = {"KUBE_TOKEN": self.gke.identity.token}
        done = subprocess.run(
            [program.terraform(), command, *arguments],
            cwd=self.folder / stack,
            env=self.gke.env() | token,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self, stack: str) -> Object:
        """Apply a stack, and return its outputs."""
        self.run(stack, "init")
        self.run(stack, "apply", "-auto-approve")
        told = json.loads(self.run(stack, "output", "-json"))
        return {name: output["value"] for name, output in told.items()}


def test_a_platform_by_terraform_has_nodes_for_its_pods(gke: World) -> None:
    stacks = Stacks(gke)
    stacks.vary("platform", cluster={"deletion_protection": False})
    outputs = stacks.apply("platform")
    eventually("two system nodes", lambda: len(gke.autoscaler.nodes("system")) == 2)
    assert outputs["cluster"]["host"] == gke.bed.url
    stacks.vary("addons", kube_config={"host": outputs["cluster"]["host"]})
    assert stacks.apply("addons")["namespaces"] == ["vision"]

    pools = {"t4" if "t4" in name else name[:4]: name for name in outputs["node_pools"]}
    for name, kind in (("turns", "t4"), ("slice", "a2-h")):
        chosen = outputs["node_pools"][pools[kind]]
        place = {
            "nodeSelector": chosen["node_selector"],
            "tolerations": chosen["tolerations"],
        }
        asked = pod(name, {"cpu": "1", "memory": "4Gi", GPU: "1"}, **place)
        gke.bed.control_plane.apply(json.dumps(asked), namespace="vision")
    wait = ("wait", "-n", "vision", "--for=condition=Ready", "--timeout=60s")
    gke.bed.kubectl(*wait, "pod/turns", "pod/slice")
    (t4,), (a100,) = (gke.autoscaler.nodes(pools[kind]) for kind in ("t4", "a2-h"))
    assert t4.startswith("gke-world-n1-standard-8")
    check_t4(gke.bed.control_plane.get(f"/api/v1/nodes/{t4}"), pools["t4"])
    check_a100(gke.bed.control_plane.get(f"/api/v1/nodes/{a100}"))

    gke.bed.kubectl("delete", "pod", "turns", "-n", "vision")
    eventually("the node to go", lambda: not gke.autoscaler.nodes(pools["t4"]))
    assert gke.autoscaler.nodes(pools["a2-h"]) == [a100]
    stacks.run("addons", "destroy", "-auto-approve")
    stacks.run("platform", "destroy", "-auto-approve")
    eventually("all nodes to go", lambda: not gke_nodes(gke))
    assert gke.cloud.objects("google_container_cluster") == []


def gke_nodes(gke: World) -> list[str]:
    return [name for name in gke.bed.nodes.names() if name.startswith("gke-")]


def check_t4(node: Object, pool: str) -> None:
    """Compare with what gke.md says of a T4 on n1-standard-8, shared by four."""
    labels = node["metadata"]["labels"]
    assert labels[f"{PREFIX}gke-nodepool"] == pool
    assert labels[f"{PREFIX}gke-accelerator"] == "nvidia-tesla-t4"
    assert labels[f"{PREFIX}gke-gpu-sharing-strategy"] == "time-sharing"
    assert labels[f"{PREFIX}gke-max-shared-clients-per-gpu"] == "4"
    assert labels[f"{PREFIX}gke-provisioning"] == "standard"
    assert labels[f"{PREFIX}gke-image-streaming"] == "true"
    assert labels["topology.kubernetes.io/zone"] in ZONES
    assert f"{PREFIX}gke-spot" not in labels
    assert taints(node) == {"nvidia.com/gpu=present:NoSchedule"}
    assert node["status"]["allocatable"][GPU] == "4"
    assert node["status"]["allocatable"]["cpu"] == "7910m"


def check_a100(node: Object) -> None:
    """Compare with what gke.md says of an A100 on Spot, in slices of 1g.5gb."""
    labels = node["metadata"]["labels"]
    assert labels[f"{PREFIX}gke-gpu-partition-size"] == "1g.5gb"
    assert labels[f"{PREFIX}gke-provisioning"] == "spot"
    assert labels[f"{PREFIX}gke-spot"] == "true"
    assert f"{PREFIX}gke-gpu-sharing-strategy" not in labels
    assert taints(node) == {
        "nvidia.com/gpu=present:NoSchedule",
        "cloud.google.com/gke-spot=true:NoSchedule",
    }
    assert node["status"]["allocatable"][GPU] == "7"
    assert node["status"]["allocatable"]["cpu"] == "11900m"
    memory = int(node["status"]["allocatable"]["memory"]) / 2**30
    assert memory == pytest.approx(78.162, abs=0.001)


def taints(node: Object) -> set[str]:
    found = node["spec"]["taints"]
    return {f"{one['key']}={one['value']}:{one['effect']}" for one in found}


def test_a_pool_keeps_its_minimum_and_goes_with_its_nodes(
    gke: World, namespace: str
) -> None:
    cluster = put_cluster(gke.cloud, "ray")
    put_pool(gke.cloud, cluster, "system", scaling=None, autoscaling=[], node_count=1)
    limits = {"total_min_node_count": 1, "total_max_node_count": 2}
    put_pool(gke.cloud, cluster, "warm", scaling=limits, initial_node_count=1)
    eventually("the first nodes", lambda: len(gke_nodes(gke)) == 4)
    eventually("one to go", lambda: len(gke.autoscaler.nodes("warm")) == 1)

    asked = pod("big", {"cpu": "15"}, nodeSelector={f"{PREFIX}gke-nodepool": "warm"})
    both = [asked, asked | {"metadata": {"name": "other"}}]
    for one in both:
        gke.bed.control_plane.apply(json.dumps(one), namespace=namespace)
    wait = ("wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
    gke.bed.kubectl(*wait, "pod/big", "pod/other")
    assert len(gke.autoscaler.nodes("warm")) == 2
    assert len(gke.autoscaler.nodes("system")) == 2
    gke.cloud.drift("google_container_node_pool", "warm", None)
    eventually("its nodes to go", lambda: not gke.autoscaler.nodes("warm"))
    pods = f"/api/v1/namespaces/{namespace}/pods"
    eventually("its pods to go", lambda: not gke.bed.control_plane.get(pods)["items"])
    assert len(gke.autoscaler.nodes("system")) == 2
    gke.cloud.drift("google_container_cluster", "ray", None)
    eventually("all nodes to go", lambda: not gke_nodes(gke))
