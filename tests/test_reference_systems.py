"""The talk's two reference systems: what they had is there, what was wrong is not.

What must be there is written from what the originals made, and from GKE's documents;
the README of each system names the defects that are repaired.
"""

from __future__ import annotations

import json

import pytest
import yaml

from tests.fluent_bit import FluentBit
from tests.reference_systems.systems import (
    GIB,
    REPOSITORIES,
    RUNS,
    System,
    copies,
    requests,
)
from tests.reference_systems.workers import GROUPS, HEADS, ROOM

# Blueprints, and the platform file.
VALID = {"kuberay_example": "4 valid\n", "ai_on_gke": "2 valid\n"}
GKE = "cloud.google.com/gke-"
RAY = "rayproject/ray:2.60.0-py311-gpu"


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, System]:
    return copies(tmp_path_factory.mktemp("ray_gke"))


@pytest.fixture(params=sorted(RUNS))
def system(systems: dict[str, System], request: pytest.FixtureRequest) -> System:
    return systems[request.param]


def test_files_are_valid_and_plans_have_no_warning(system: System) -> None:
    assert system.validate() == VALID[system.name]
    assert not system.plan["warnings"]
    assert {group["run"] for group in system.plan["groups"]} == RUNS[system.name]
    assert set(system.clusters()) == RUNS[system.name]


def test_workers_select_pools_of_their_gpu_and_nothing_is_left_out(
    system: System,
) -> None:
    """The original's selectors had no accelerator: any shared GPU would do."""
    for run, name, group in system.groups():
        wanted = GROUPS[run, name]
        pod = group["template"]["spec"]
        selected = dict(pod["nodeSelector"])
        pool = system.pool(pod)
        del selected[f"{GKE}nodepool"]
        assert selected == {f"{GKE}{k}": v for k, v in wanted.selector.items()}
        assert pool["machine"]["type"] == wanted.machine
        assert pool["autoscaling"]["total_max_node_count"] == wanted.nodes
        assert (group["minReplicas"], group["maxReplicas"]) == wanted.replicas
        tolerated = {one["key"]: one.get("value") for one in pod["tolerations"]}
        spot = {f"{GKE}spot": "true"} if wanted.spot else {}
        assert tolerated == {"nvidia.com/gpu": None, **spot}


def test_every_worker_fits_at_its_maximum(system: System) -> None:
    """Of eight workers of 4 CPUs each only four had room on the original's T4 node."""
    for run, name, group in system.groups():
        wanted = GROUPS[run, name]
        cpu, memory, gpus = requests(group["template"]["spec"])
        assert gpus == 1
        assert cpu * wanted.devices <= ROOM[wanted.machine][0]
        assert memory * wanted.devices <= ROOM[wanted.machine][1]
    most: dict[str, int] = {}
    room: dict[str, int] = {}
    for run, name, group in system.groups():
        pool = group["template"]["spec"]["nodeSelector"][f"{GKE}nodepool"]
        most[pool] = most.get(pool, 0) + group["maxReplicas"]
        room[pool] = GROUPS[run, name].devices * GROUPS[run, name].nodes
    assert most == room


def test_the_demos_ranges_hold_its_nodes_pods_and_services(
    systems: dict[str, System],
) -> None:
    """Nodes: 3 of the system's, 3 of heads, 2 + 1 + 1 + 2 with GPUs."""
    ranges = {
        one["purpose"]: (one["range"], one["size"], one["at_maximum"])
        for one in systems["kuberay_example"].plan["address_ranges"]
    }
    assert ranges == {
        "nodes": ("10.10.0.0/20", 4096, 12 + 4),
        "pods": ("10.10.32.0/19", 8192, 12 * 256),
        "services": ("10.10.16.0/20", 4096, 9),
    }


def test_heads_have_no_gpu_and_do_not_use_a_gpus_node(system: System) -> None:
    for run, spec in system.clusters().items():
        template = spec["headGroupSpec"]["template"]
        pod = template["spec"]
        cpu, memory, gpus = requests(pod)
        assert gpus == 0
        pool = system.pool(pod)
        assert "gpu" not in pool
        assert "provisioning" not in pool
        assert pool["machine"]["type"] == HEADS[run]
        # The autoscaler, which the operator adds, is beside the head.
        assert cpu + 500 <= ROOM[HEADS[run]][0]
        assert memory + GIB // 2 <= ROOM[HEADS[run]][1]
        annotations = template["metadata"]["annotations"]
        assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
        assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_ray_scales_its_workers_and_is_of_today(system: System) -> None:
    """The demo's autoscaling was off, and so was that of ai-on-gke's clusters."""
    for spec in system.clusters().values():
        assert spec["enableInTreeAutoscaling"] is True
        assert spec["autoscalerOptions"]["version"] == "v2"
        assert spec["rayVersion"] == "2.60.0"
        assert spec["authOptions"] == {"mode": "token"}
        assert spec["headGroupSpec"]["serviceType"] == "ClusterIP"
    for one in system.manifests:
        if one["kind"] in ("RayCluster", "RayService"):
            assert one["apiVersion"] == "ray.io/v1"


def test_logs_have_a_sidecar_wherever_ray_runs(system: System) -> None:
    """The original's RayService mounted a volume of logs that nobody read."""
    for _, pod in system.pods():
        (sidecar,) = pod["initContainers"]
        (ray,) = pod["containers"]
        assert sidecar["restartPolicy"] == "Always"
        mounts = [
            {one["name"] for one in c["volumeMounts"] if one["mountPath"] == "/tmp/ray"}
            for c in (ray, sidecar)
        ]
        assert mounts == [{"ray-logs"}, {"ray-logs"}]
    for name, config in system.kind("ConfigMap").items():
        if not name.endswith("-fluent-bit"):
            continue
        fluent_bit = FluentBit.of(config)
        # The id of a job of a RayJob, which the originals' pattern did not know.
        file = "/tmp/ray/session_latest/logs/job-driver-train-x7k2p.log"
        assert fluent_bit.reads(file)
        assert fluent_bit.fields(file)["submission_id"] == "train-x7k2p"
        assert fluent_bit.filter_of("log_file")["preserve_key"] is True


def test_images_come_from_the_registry(system: System) -> None:
    """The demo's were copied by hand, and others were run."""
    prefix = REPOSITORIES[system.name]
    for run, pod in system.pods():
        (ray,), (sidecar,) = pod["containers"], pod["initContainers"]
        assert sidecar["image"] == f"{prefix}-docker-hub/fluent/fluent-bit:5.1.1"
        assert ray["image"] == (
            f"{prefix}-images/stable-diffusion:2.60.0"
            if run == "stable-diffusion"
            else f"{prefix}-docker-hub/{RAY}"
        )


def test_every_run_has_its_own_service_account(system: System) -> None:
    """That of ai-on-gke was annotated in another namespace than its user's."""
    accounts = {
        (one["metadata"]["namespace"], name)
        for name, one in system.kind("ServiceAccount").items()
    }
    namespaces = {
        "l4-cluster": "demo",
        "stable-diffusion": "demo",
        "slices-and-spot": "demo",
        "ada-cluster": "ada",
        "grace-cluster": "grace",
    }
    assert accounts == {(namespaces[run], run) for run in RUNS[system.name]}
    for run, pod in system.pods():
        assert pod["serviceAccountName"] == run
    for one in system.manifests:
        if one["kind"] in ("RayCluster", "RayService"):
            name, namespace = one["metadata"]["name"], one["metadata"]["namespace"]
            assert namespace == namespaces[name]


def test_managed_prometheus_reads_all_three_ports(system: System) -> None:
    monitors = system.kind("PodMonitoring")
    assert set(monitors) == RUNS[system.name]
    for name, monitor in monitors.items():
        selector = monitor["spec"]["selector"]["matchLabels"]
        assert selector == {"ray-gke/run": name}
        ports = {one["port"] for one in monitor["spec"]["endpoints"]}
        assert ports == {"metrics", "as-metrics", "dash-metrics"}


def test_each_replica_of_stable_diffusion_has_a_worker_of_its_own(
    systems: dict[str, System],
) -> None:
    (service,) = systems["kuberay_example"].kind("RayService").values()
    (application,) = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]
    (deployment,) = application["deployments"]
    (group,) = service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    assert deployment["ray_actor_options"] == {"num_cpus": 1, "num_gpus": 1}
    assert group["rayStartParams"]["num-gpus"] == "1"
    scaling = deployment["autoscaling_config"]
    workers = (group["minReplicas"], group["maxReplicas"])
    assert (scaling["min_replicas"], scaling["max_replicas"]) == workers
    # The images are drawn by a file that every pod has.
    (files,) = (
        one["data"]
        for name, one in systems["kuberay_example"].kind("ConfigMap").items()
        if "-files-" in name
    )
    module, _, attribute = application["import_path"].partition(":")
    assert f"def {attribute}(" in files[f"{module}.py"]


def test_two_slices_are_kept_warm_by_balloons_like_workers(
    systems: dict[str, System],
) -> None:
    """The talk showed placeholders; its demo had none."""
    system = systems["kuberay_example"]
    (balloon,) = system.kind("Deployment").values()
    assert balloon["spec"]["replicas"] == 2
    pod = balloon["spec"]["template"]["spec"]
    (worker,) = (
        group["template"]["spec"]
        for _, name, group in system.groups()
        if name == "slices"
    )
    assert requests(pod) == requests(worker)
    for key in ("nodeSelector", "tolerations"):
        assert pod[key] == worker[key]
    priority = system.kind("PriorityClass")[pod["priorityClassName"]]
    assert priority["value"] == -10


def test_no_user_can_ask_for_more_than_a_cluster_of_two_gpus(
    systems: dict[str, System],
) -> None:
    file = systems["ai_on_gke"].variables("addons")
    namespaces = json.loads(file.read_text())["namespaces"]
    for run, _, group in systems["ai_on_gke"].groups():
        quota = namespaces[run.removesuffix("-cluster")]["quota"]
        assert quota == {"requests.nvidia.com/gpu": str(group["maxReplicas"])}
