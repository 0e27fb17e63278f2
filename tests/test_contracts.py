"""What a golden cannot say: for each one the intent it stands for, and what holds for
all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render

GOLDENS = Path(__file__).parent / "goldens"
CASES = sorted(path.name for path in GOLDENS.iterdir() if path.is_dir())
CLUSTER_KEY = {"RayJob": "rayClusterSpec", "RayService": "rayClusterConfig"}

Object = dict[str, Any]


def objects(case: str) -> list[Object]:
    return list(yaml.safe_load_all((GOLDENS / case / "manifests.yaml").read_text()))


def one(case: str, kind: str) -> Object:
    (found,) = (o for o in objects(case) if o["kind"] == kind)
    return found


def files_of(case: str) -> Object:
    (found,) = (o for o in objects(case) if o.get("immutable"))
    return found


def cluster(case: str) -> Object:
    (found,) = (o for o in objects(case) if o["apiVersion"] == "ray.io/v1")
    spec: Object = found["spec"]
    inner: Object = spec.get(CLUSTER_KEY.get(found["kind"], ""), spec)
    return inner


def workers(case: str) -> list[Object]:
    groups: list[Object] = cluster(case)["workerGroupSpecs"]
    return groups


def pod(group: Object) -> Object:
    spec: Object = group["template"]["spec"]
    return spec


def pods(case: str) -> Iterator[tuple[str, Object]]:
    yield "head", pod(cluster(case)["headGroupSpec"])
    for group in workers(case):
        yield group["groupName"], pod(group)
    for found in objects(case):
        if found["kind"] == "Deployment":
            yield found["metadata"]["name"], pod(found["spec"])
        if found["kind"] == "RayJob":
            yield "submitter", found["spec"]["submitterPodTemplate"]["spec"]


# The intent of each golden ------------------------------------------------------


def test_cpu_job_runs_its_file_on_the_head_and_cleans_up() -> None:
    job = one("cpu-job", "RayJob")["spec"]
    assert cluster("cpu-job")["workerGroupSpecs"] == []
    assert cluster("cpu-job")["headGroupSpec"]["rayStartParams"]["num-cpus"] == "2"
    assert (job["shutdownAfterJobFinishes"], job["submissionMode"]) == (
        True,
        "K8sJobMode",
    )
    container = pod(cluster("cpu-job")["headGroupSpec"])["containers"][0]
    assert container["workingDir"] == "/home/ray/blueprint"
    files = files_of("cpu-job")
    assert files["data"]["squares.py"].startswith("import ray\n")
    assert pod(cluster("cpu-job")["headGroupSpec"])["volumes"][0] == {
        "name": "blueprint",
        "configMap": {
            "name": files["metadata"]["name"],
            "defaultMode": 0o555,
            "items": [{"key": "squares.py", "path": "squares.py"}],
        },
    }


def test_mig_service_gives_each_worker_one_slice_and_keeps_two_warm() -> None:
    (group,) = workers("mig-service")
    balloon = one("mig-service", "Deployment")["spec"]
    assert pod(group)["nodeSelector"] == {
        "cloud.google.com/gke-accelerator": "nvidia-tesla-a100",
        "cloud.google.com/gke-gpu-partition-size": "1g.5gb",
    }
    limits = pod(group)["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "1500m", "memory": "9Gi", "nvidia.com/gpu": "1"}
    assert balloon["replicas"] == 2
    service = one("mig-service", "RayService")["spec"]
    # Else a new cluster would be given the traffic before any of its pods answers.
    assert service["excludeHeadPodFromServeSvc"] is False


def test_an_edit_of_the_serve_config_changes_nothing_else(
    planned: Callable[..., Plan],
) -> None:
    """Any change below rayClusterConfig makes KubeRay bring up a new cluster."""

    def rendered(route: bytes) -> list[Object]:
        config = b"applications: [{name: a, import_path: 'a:app', route_prefix: /%b}]"
        files = {"config/serve.yaml": config % route, "a.py": b"app = None\n"}
        plan = planned("service: {serve_config: ./config/serve.yaml}", files=files)
        return list(render(plan, kuberay_version="1.5.1"))

    before, after = rendered(b"one"), rendered(b"two")
    (files,) = (o for o in before if o.get("immutable"))
    assert files["data"] == {"a.py": "app = None\n"}
    for objects, route in ((before, "/one"), (after, "/two")):
        (service,) = (o for o in objects if o["kind"] == "RayService")
        assert route in service["spec"].pop("serveConfigV2")
    assert before == after


def test_spot_training_tolerates_spot_and_drains_in_time() -> None:
    (group,) = workers("spot-training")
    assert {"key": "cloud.google.com/gke-spot", "operator": "Equal"}.items() <= (
        pod(group)["tolerations"][1].items()
    )
    env = {e["name"]: e["value"] for e in pod(group)["containers"][0]["env"]}
    drain = int(env["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"])
    assert drain < pod(group)["terminationGracePeriodSeconds"] <= 15
    assert group["labels"]["ray.io/market-type"] == "spot"
    assert cluster("spot-training")["autoscalerOptions"]["version"] == "v2"


def test_scale_from_zero_starts_no_worker_and_may_grow() -> None:
    limits = [(g["minReplicas"], g["maxReplicas"]) for g in workers("scale-from-zero")]
    assert limits == [(0, 10), (0, 2)]
    assert cluster("scale-from-zero")["enableInTreeAutoscaling"] is True
    env = pod(workers("scale-from-zero")[0])["containers"][0]["env"]
    # Kubernetes makes $ of $$ and leaves no reference to replace.
    assert {"name": "PROMPT", "value": "$$(whoami) pays $$$$"} in env


def test_time_shared_asks_for_one_gpu_of_a_shared_node() -> None:
    (group,) = workers("time-shared")
    assert (
        pod(group)["nodeSelector"]["cloud.google.com/gke-gpu-sharing-strategy"]
        == "time-sharing"
    )
    limits = pod(group)["containers"][0]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == "1"
    assert "autoscalerOptions" not in cluster("time-shared")


def test_priority_is_there_for_the_kuberay_that_has_it() -> None:
    assert [g.get("priority") for g in workers("kuberay-1.7.0")] == [10, None]
    assert [g.get("priority") for g in workers("kuberay-1.5.1")] == [None, None]


# What holds for all of them -----------------------------------------------------

each_case = pytest.mark.parametrize("case", CASES)


@each_case
def test_every_worker_s_selector_is_on_its_nodes(case: str) -> None:
    """The labels of GKE's nodes, written down here a second time."""
    for group in workers(case):
        spec, labels = pod(group), group["labels"]
        selector = spec.get("nodeSelector", {})
        name = selector.get("cloud.google.com/gke-accelerator")
        assert (name is None) == (
            "nvidia.com/gpu" not in spec["containers"][0]["resources"]["limits"]
        )
        spot = labels["ray.io/market-type"] == "spot"
        assert (selector.get("cloud.google.com/gke-provisioning") == "spot") == spot
        if name:
            assert labels["ray.io/accelerator-type"] == ACCELERATORS[name].ray_type


@each_case
def test_every_taint_of_its_nodes_is_tolerated(case: str) -> None:
    for _, spec in pods(case):
        tolerated = {t["key"] for t in spec.get("tolerations", ())}
        limits = spec["containers"][0]["resources"]["limits"]
        if "nvidia.com/gpu" in limits:
            assert "nvidia.com/gpu" in tolerated
        if "cloud.google.com/gke-provisioning" in spec.get("nodeSelector", {}):
            assert "cloud.google.com/gke-spot" in tolerated


@each_case
def test_every_pod_passes_pod_security_restricted(case: str) -> None:
    for _, spec in pods(case):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
        for host in ("hostNetwork", "hostPID", "hostIPC"):
            assert host not in spec
    autoscaler = cluster(case).get("autoscalerOptions")
    if autoscaler:
        assert autoscaler["securityContext"]["allowPrivilegeEscalation"] is False


@each_case
def test_the_head_is_on_demand_and_not_evicted(case: str) -> None:
    head = cluster(case)["headGroupSpec"]
    (term,) = pod(head)["affinity"]["nodeAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]["nodeSelectorTerms"]
    (refused,) = term["matchExpressions"]
    assert refused["operator"] == "NotIn"
    assert "spot" in refused["values"]
    annotations = head["template"]["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


@each_case
def test_autoscaler_v2_and_restarts_go_together(case: str) -> None:
    spec = cluster(case)
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    elastic = any(
        g["minReplicas"] != g["maxReplicas"] for g in spec["workerGroupSpecs"]
    )
    assert spec["enableInTreeAutoscaling"] is elastic
    assert ("autoscalerOptions" in spec) is elastic
    for group in groups[1:]:
        # An applied number would undo what the autoscaler has decided.
        assert ("replicas" in group) is (group["minReplicas"] == group["maxReplicas"])
    assert {pod(g).get("restartPolicy") for g in groups} == (
        {"Never"} if elastic else {None}
    )


@each_case
def test_authentication_is_on_and_nothing_is_open_to_the_world(case: str) -> None:
    assert cluster(case)["authOptions"] == {"mode": "token"}
    text = (GOLDENS / case / "manifests.yaml").read_text()
    assert not re.search(r"LoadBalancer|NodePort|enableIngress|kind: Ingress", text)
    assert not re.search(r"auth_token|RAY_AUTH_TOKEN", text)


@each_case
def test_requests_are_limits_and_ray_gets_less_memory_than_its_pod(case: str) -> None:
    spec = cluster(case)
    for _, one_pod in pods(case):
        resources = one_pod["containers"][0]["resources"]
        assert resources["requests"] == resources["limits"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        gibibytes = pod(group)["containers"][0]["resources"]["limits"]["memory"]
        given = int(gibibytes.removesuffix("Gi")) * 2**30
        assert 0.69 < int(group["rayStartParams"]["memory"]) / given <= 0.7
        assert "resources" not in group


@each_case
def test_ray_s_container_is_first_and_lists_every_port(case: str) -> None:
    spec = cluster(case)
    first = pod(spec["headGroupSpec"])["containers"][0]
    assert first["name"] == "ray-head"
    assert {p["name"]: p["containerPort"] for p in first["ports"]} == {
        "gcs-server": 6379,
        "dashboard": 8265,
        "client": 10001,
        "metrics": 8080,
        "as-metrics": 44217,
        "dash-metrics": 44227,
        "serve": 8000,
    }
    for group in spec["workerGroupSpecs"]:
        worker = pod(group)["containers"][0]
        names = {p["name"] for p in worker["ports"]}
        assert worker["name"] == "ray-worker"
        assert names == {"metrics", *(["serve"] if "service" in case else [])}


@each_case
def test_a_balloon_fits_where_its_worker_does_and_gives_way(case: str) -> None:
    found = {o["kind"]: o for o in objects(case)}
    if "Deployment" not in found:
        assert "PriorityClass" not in found
        return
    group = next(
        g
        for g in workers(case)
        if found["Deployment"]["metadata"]["name"].endswith(f"{g['groupName']}-balloon")
    )
    balloon, worker = pod(found["Deployment"]["spec"]), pod(group)
    for key in ("nodeSelector", "tolerations", "affinity"):
        assert balloon.get(key) == worker.get(key)
    # 1500m and 9Gi of Ray, 50m and 128Mi of its sidecar.
    amounts = {"cpu": "1550m", "memory": "9344Mi", "nvidia.com/gpu": 1}
    assert balloon["containers"][0]["resources"]["requests"] == amounts
    ray, sidecar = worker["containers"][0], worker["initContainers"][0]
    assert ray["resources"]["requests"]["memory"] == "9Gi"
    assert sidecar["resources"]["requests"] == {"cpu": "50m", "memory": "128Mi"}
    assert balloon["terminationGracePeriodSeconds"] == 0
    ranks: Mapping[str, Any] = found["PriorityClass"]
    assert (ranks["value"], ranks["globalDefault"], ranks["preemptionPolicy"]) == (
        -10,
        False,
        "Never",
    )
    assert balloon["priorityClassName"] == ranks["metadata"]["name"]


@each_case
def test_everything_says_whose_it_is_and_no_selector_of_kuberay_is_touched(
    case: str,
) -> None:
    for found in objects(case):
        labels = found["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "ray-gke"
        assert labels["ray-gke/blueprint"]
    text = (GOLDENS / case / "manifests.yaml").read_text()
    assert "app.kubernetes.io/name:" not in text
    assert "ray.io/cluster:" not in text


@pytest.mark.parametrize(
    ("case", "group", "resources", "labels"),
    [
        (
            "spot-training",
            "spot",
            {"CPU": 7, "GPU": 1, "memory": 19_542_101_196, "scratch": 1},
            {"ray.io/market-type": "spot", "ray.io/accelerator-type": "L4"},
        ),
        (
            "mig-service",
            "gpu",
            {"CPU": 2, "GPU": 1, "memory": 6_764_573_491},
            {
                "ray.io/market-type": "on-demand",
                "ray.io/accelerator-type": "A100",
                "ray-gke/gpu-partition": "1g.5gb",
            },
        ),
        (
            "scale-from-zero",
            "headgroup",
            {"CPU": 0, "memory": 6_012_954_214},
            {"ray.io/market-type": "on-demand"},
        ),
    ],
)
def test_ray_s_autoscaler_reads_the_groups_as_we_mean_them(
    case: str, group: str, resources: Object, labels: Object
) -> None:
    from ray.autoscaler._private.kuberay import autoscaling_config

    custom_resource = {
        "metadata": {"name": "x", "namespace": "y"},
        "spec": cluster(case),
    }
    config = autoscaling_config._derive_autoscaling_config_from_ray_cr(custom_resource)
    node_type = config["available_node_types"][group]
    assert (node_type["resources"], node_type["labels"]) == (resources, labels)
