"""From nothing to Ray pods on the nodes that the plan named, and back to nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.gke.seen import kubectl, planned_pools, pools_of_pods, run
from tests.gke.world import World

pytestmark = pytest.mark.cluster

PLATFORM = """
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: demo}
spec:
  target: gke
  project: my-project
  region: europe-west4
  zones: [europe-west4-a, europe-west4-b]
  kuberay: {namespace: kuberay-of-demo}
  labels: {cost-center: '4711'}
  teams:
    vision: {quota: {requests.nvidia.com/gpu: 16}}
    speech: {}
  catalogs: [{path: catalog}]
  blueprints:
    - {blueprint: slices, team: vision}
    - {blueprint: shares, team: speech}
"""
SLICES = """
  worker_groups:
    - name: gpu
      min_replicas: 2
      max_replicas: 7
      cpu: 1500m
      memory: 9Gi
      gpu: {accelerator: nvidia-tesla-a100, partition: 1g.5gb}
  cluster: {}
"""
SHARES = """
  worker_groups:
    - name: gpu
      min_replicas: 1
      max_replicas: 4
      cpu: 1
      memory: 4Gi
      gpu:
        accelerator: nvidia-tesla-t4
        sharing: {strategy: time-sharing, max_shared_clients_per_gpu: 4}
      provisioning: spot
  cluster: {}
"""
BLUEPRINTS = {"slices": SLICES, "shares": SHARES}


@pytest.fixture
def demo(gke: World) -> World:
    """A world with a platform of two teams."""
    write(gke, PLATFORM, BLUEPRINTS)
    return gke


def write(world: World, platform: str, blueprints: Mapping[str, str]) -> None:
    (world.folder / "ray-gke.yaml").write_text(platform)
    for name, spec in blueprints.items():
        folder = world.folder / "catalog" / name
        folder.mkdir(parents=True, exist_ok=True)
        head = "apiVersion: ray-gke/v1\nkind: Blueprint\n"
        text = f"{head}metadata: {{name: {name}, summary: A test}}\nspec:{spec}"
        (folder / "blueprint.yaml").write_text(text)
        (folder / "README.md").write_text(f"# {name}\n")


def test_from_nothing_to_pods_and_back(demo: World) -> None:
    before = json.loads(run(demo, "plan", "-o", "json"))
    assert before["changes"] is None
    run(demo, "plan", "--detailed-exitcode", code=5)
    assert demo.cloud.calls() == []
    events = [json.loads(x) for x in run(demo, "up", "-o", "json").splitlines()]
    assert {e["name"] for e in events if e["event"] == "ready"} == {"slices", "shares"}
    for name, team in (("slices", "vision"), ("shares", "speech")):
        assert pools_of_pods(demo, team, name) == planned_pools(before, name)
    quota = kubectl(demo, "resourcequota", "-n", "vision")["items"][0]["spec"]["hard"]
    assert quota == {"requests.nvidia.com/gpu": "16"}
    _has_no_secret(demo)
    _second_up_changes_nothing(demo)
    _other_commands_find_the_cluster(demo)
    _drift_is_shown_and_set_back(demo)
    _runs_on_a_pool_that_goes_are_named(demo)
    _down_of_one_run_keeps_the_rest(demo)
    _a_protected_cluster_stays(demo)
    _load_balancers_of_others_are_not_lost_silently(demo)
    run(demo, "down", "--yes-delete-cluster")
    assert demo.cloud.objects() == []
    assert not demo.autoscaler.nodes("system")
    assert not (demo.folder / ".ray-gke").exists()
    spaces = kubectl(demo, "namespaces")["items"]
    assert not {"vision", "speech", "kuberay-of-demo"} & {
        one["metadata"]["name"] for one in spaces
    }
    assert "nothing" in run(demo, "down", code=2)


def _has_no_secret(world: World) -> None:
    """Whoever reads the folder, or the state, finds no token."""
    tokens = {world.bed.control_plane.token, "private_key"}
    for path in (world.folder / ".ray-gke").rglob("*"):
        if path.is_file() and "providers" not in path.parts:
            text = path.read_bytes()
            assert not [token for token in tokens if token.encode() in text], path


def _second_up_changes_nothing(world: World) -> None:
    calls = len(list(_changes(world)))
    versions = _versions(world)
    assert "no changes" in world.ray_gke("up").stderr
    assert len(list(_changes(world))) == calls
    assert _versions(world) == versions
    run(world, "plan", "--detailed-exitcode")
    plan = json.loads(run(world, "plan", "-o", "json"))
    assert plan["changes"]["resources"] == plan["changes"]["drift"] == []


def _changes(world: World) -> Iterator[Any]:
    return (c for c in world.cloud.calls() if c.operation != "read")


def _versions(world: World) -> dict[str, str]:
    kinds = "configmaps,networkpolicies,rayclusters,resourcequotas,serviceaccounts"
    return {
        one["metadata"]["uid"]: str(one["metadata"]["generation"])
        if "generation" in one["metadata"]
        else one["metadata"]["resourceVersion"]
        for space in ("vision", "speech")
        for one in kubectl(world, kinds, "-n", space)["items"]
        if one["kind"] != "ResourceQuota"
    }


def _other_commands_find_the_cluster(world: World) -> None:
    runs = json.loads(run(world, "status", "-o", "json"))
    assert {(r["name"], r["namespace"], r["status"]) for r in runs} == {
        ("slices", "vision", "RUNNING"),
        ("shares", "speech", "RUNNING"),
    }
    assert "slices" in run(world, "status", "slices")
    assert "slices" in run(world, "explain", "slices")
    config = run(world, "kubeconfig")
    assert world.bed.control_plane.url in config
    assert "gke-gcloud-auth-plugin" in config
    assert world.bed.control_plane.token not in config


def _drift_is_shown_and_set_back(world: World) -> None:
    (slices,) = [
        one
        for one in world.cloud.objects("google_container_node_pool")
        if "1g-5gb" in one.name
    ]
    world.cloud.drift(slices.type, slices.name, {"autoscaling": []})
    plan = json.loads(run(world, "plan", "-o", "json"))
    (drift,) = plan["changes"]["drift"]
    assert slices.name in drift["address"]
    assert drift["attributes"] == ["autoscaling"]
    text = run(world, "plan", "--detailed-exitcode", code=5)
    assert text == ""
    assert "Changed by others" in run(world, "plan")
    run(world, "up")
    (again,) = [
        one for one in world.cloud.objects(slices.type) if one.name == slices.name
    ]
    assert again.values["autoscaling"] == slices.values["autoscaling"]


def _runs_on_a_pool_that_goes_are_named(world: World) -> None:
    fewer = SHARES.replace("gpu: 4}", "gpu: 2}")
    assert fewer != SHARES
    write(world, PLATFORM, {"shares": fewer})
    said = run(world, "up", "slices", code=4)
    assert "this would delete " in said
    assert "on whose nodes are shares in namespace speech: bring these up" in said
    write(world, PLATFORM, {"shares": SHARES})


def _down_of_one_run_keeps_the_rest(world: World) -> None:
    run(world, "down", "shares")
    assert [r["name"] for r in json.loads(run(world, "status", "-o", "json"))] == [
        "slices"
    ]
    kubectl(world, "namespace", "speech")
    assert world.cloud.objects("google_container_cluster")


def _a_protected_cluster_stays(world: World) -> None:
    said = run(world, "down", code=4)
    assert "protected" in said
    assert "--yes-delete-cluster" in said
    assert "deletion_protection: false" in said
    assert json.loads(run(world, "status", "-o", "json"))


def _load_balancers_of_others_are_not_lost_silently(world: World) -> None:
    """They would keep the network from being deleted; their disks would stay."""
    file = world.folder / "ray-gke.yaml"
    unprotected = PLATFORM.replace(
        "  kuberay:", "  cluster: {deletion_protection: false}\n  kuberay:"
    )
    file.write_text(unprotected)
    world.bed.kubectl("apply", "-n", "vision", "-f", "-", stdin=OUTSIDE)
    said = run(world, "down", code=4)
    assert "Service/web in namespace vision" in said
    assert "PersistentVolumeClaim/data in namespace vision" in said
    assert json.loads(run(world, "status", "-o", "json"))
    file.write_text(PLATFORM)


OUTSIDE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, ports: [{port: 80}], selector: {app: web}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: web, volumeMounts: [{name: data, mountPath: /data}]}
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""


def test_who_is_not_logged_in_any_more_hears_it_at_once(demo: World) -> None:
    demo.identity.refuse()
    said = run(demo, "up", code=4)
    assert "invalid_rapt" in said
    assert "gcloud auth application-default login" in said
    assert not (demo.folder / ".ray-gke").exists()
    demo.identity.accept()
    demo.identity.expires_in = 1
    run(demo, "up", "slices")
    assert demo.identity.requests > 3
