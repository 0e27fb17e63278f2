"""What `ray-gke render` writes for Terraform is what `ray-gke plan` has shown.

Terraform plans the stacks from the rendered variables, over providers that stand in.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.testing import RayGke
from tests import terraform_docs
from tests.terraform import program
from tests.terraform.cloud import Cloud

GOLDENS = Path(__file__).parent / "goldens"
RENDERED = ("platform.tfvars.json", "addons.tfvars.json")
PURPOSES = ("nodes", "pods", "services")

Object = dict[str, Any]

# After the two reference systems: a service on slices of an A100 and on shares of a
# T4, of a regional cluster; training on Spot GPUs, in one zone.
SERVING: Object = {
    "project": "my-project",
    "region": "europe-west4",
    "zones": ["europe-west4-a", "europe-west4-b"],
    "cluster": {"name": "ray", "version": "1.34"},
    "network": {
        "nodes": "10.10.0.0/20",
        "pods": "10.32.0.0/14",
        "services": "10.16.0.0/20",
        "max_pods_per_node": 64,
    },
    "kuberay": {"version": "1.6.2"},
    "teams": {"vision": {"namespace": "vision"}},
    "blueprints": [
        {
            "blueprint": "mig-service/stable-diffusion",
            "name": "stable-diffusion",
            "team": "vision",
        },
        {"blueprint": "time-shared/notebooks", "namespace": "notebooks"},
    ],
}
TRAINING: Object = {
    "project": "my-project",
    "region": "us-central1",
    "zones": ["us-central1-a"],
    "cluster": {"location": "zonal", "release_channel": "RAPID"},
    "namespace": "training",
    "blueprints": [{"blueprint": "spot-training/train"}],
}


def write(folder: Path, spec: Object, target: str = "gke") -> None:
    """Write a platform file whose blueprints are those of the goldens."""
    runs = [one | {"blueprint": f"./{one['blueprint']}"} for one in spec["blueprints"]]
    for one in spec["blueprints"]:
        shutil.copytree(
            GOLDENS / one["blueprint"], folder / one["blueprint"], dirs_exist_ok=True
        )
    document = {
        "apiVersion": "ray-gke/v1",
        "kind": "Platform",
        "metadata": {"name": "reference"},
        "spec": {**spec, "target": target, "blueprints": runs},
    }
    (folder / "ray-gke.yaml").write_text(yaml.safe_dump(document))


def rendered(ray_gke: RayGke, folder: Path, *more: str) -> Path:
    ray_gke("render", *more, "--output-dir", "out", cwd=folder)
    return folder / "out" / "terraform"


class Stacks:
    """The stacks in a folder of their own, each initialised when it is used."""

    def __init__(self, folder: Path) -> None:
        self.cloud = Cloud(folder / "cloud")
        self.folder = folder / "terraform"
        ignored = shutil.ignore_patterns(".terraform*", "terraform.tfstate*", "tests")
        shutil.copytree(terraform_docs.ROOT, self.folder, ignore=ignored)

    def planned(self, stack: str, variables: Path) -> list[Object]:
        """Return the resources that Terraform plans, in no order that counts."""
        plan = self.folder / f"{stack}.plan"
        if not (self.folder / stack / ".terraform").exists():
            self._run(stack, "init")
        said = self._run(stack, "plan", f"-out={plan}", f"-var-file={variables}")
        # A variable that the stack does not have is a warning only.
        assert "Warning" not in said
        shown = json.loads(self._run(stack, "show", "-json", str(plan)))
        found: list[Object] = []
        modules = [shown["planned_values"]["root_module"]]
        while modules:
            module = modules.pop()
            found += module.get("resources", [])
            modules += module.get("child_modules", [])
        return found

    def _run(self, stack: str, command: str, *arguments: str) -> str:
        root = self.folder / stack
        done = self.cloud.terraform(root, command, "-no-color", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    try:
        program.terraform()
        return Stacks(tmp_path_factory.mktemp("stacks"))
    except program.MissingProgram as missing:
        pytest.skip(str(missing))


def values(resources: list[Object], kind: str) -> list[Object]:
    return [one["values"] for one in resources if one["type"] == kind]


def of_terraform(pool: Object) -> Object:
    """What a planned node pool is, in the words of `ray-gke plan -o json`."""
    (node,) = pool["node_config"]
    (scaling,) = pool["autoscaling"]
    gpus = node["guest_accelerator"] or [{}]
    sharing = (gpus[0].get("gpu_sharing_config") or [{}])[0]
    strategy = sharing.get("gpu_sharing_strategy")
    return {
        "machine_type": node["machine_type"],
        "boot_disk_gib": node["disk_size_gb"],
        "accelerator": gpus[0].get("type"),
        "gpus_per_node": gpus[0].get("count", 0),
        "partition": gpus[0].get("gpu_partition_size"),
        "sharing_strategy": {"TIME_SHARING": "time-sharing"}.get(strategy, strategy),
        "max_shared_clients_per_gpu": sharing.get("max_shared_clients_per_gpu"),
        "provisioning": "spot" if node["spot"] else "standard",
        "initial_node_count": pool["initial_node_count"],
        "total_min_node_count": scaling["total_min_node_count"],
        "total_max_node_count": scaling["total_max_node_count"],
        "location_policy": scaling["location_policy"],
        "zones": sorted(pool["node_locations"]),
        "taints": {(one["key"], one["value"], one["effect"]) for one in node["taint"]},
    }


def of_plan(pool: Object) -> Object:
    effects = {"NoSchedule": "NO_SCHEDULE"}
    same = {
        "machine_type",
        "boot_disk_gib",
        "accelerator",
        "gpus_per_node",
        "partition",
        "sharing_strategy",
        "max_shared_clients_per_gpu",
        "provisioning",
        "initial_node_count",
        "total_min_node_count",
        "total_max_node_count",
        "location_policy",
    }
    return {key: pool[key] for key in same} | {
        "zones": sorted(pool["zones"]),
        "taints": {
            (one["key"], one["value"], effects[one["effect"]]) for one in pool["taints"]
        },
    }


@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        (
            SERVING,
            {("nvidia-tesla-a100", "1g.5gb", None), ("nvidia-tesla-t4", None, 4)},
        ),
        (TRAINING, {("nvidia-l4", None, None)}),
    ],
    ids=["mig-service", "spot-training"],
)
def test_terraform_plans_the_node_pools_of_the_plan(
    ray_gke: RayGke, tmp_path: Path, stacks: Stacks, spec: Object, shapes: set[Any]
) -> None:
    write(tmp_path, spec)
    variables = rendered(ray_gke, tmp_path) / "platform.tfvars.json"
    answer = json.loads(ray_gke("plan", "-o", "json", cwd=tmp_path).stdout)
    resources = stacks.planned("platform", variables)
    made = {
        pool["name"]: pool for pool in values(resources, "google_container_node_pool")
    }
    wanted = {pool["name"]: pool for pool in answer["pools"]}
    system, of_system = made.pop("system"), wanted.pop("system")
    assert {name: of_terraform(pool) for name, pool in made.items()} == {
        name: of_plan(pool) for name, pool in wanted.items()
    }
    assert shapes == {
        (one["accelerator"], one["partition"], one["max_shared_clients_per_gpu"])
        for one in map(of_terraform, made.values())
        if one["accelerator"]
    }
    (node,) = system["node_config"]
    assert node["machine_type"] == of_system["machine_type"]
    assert node["disk_size_gb"] == of_system["boot_disk_gib"]
    nodes = system["node_count"] * len(spec["zones"])
    assert nodes == of_system["nodes_at_minimum"] == of_system["nodes_at_maximum"]
    (cluster,) = values(resources, "google_container_cluster")
    assert_cluster(cluster, spec)
    (subnetwork,) = values(resources, "google_compute_subnetwork")
    secondary = [one["ip_cidr_range"] for one in subnetwork["secondary_ip_range"]]
    planned = {subnetwork["ip_cidr_range"], *secondary}
    ranges = spec.get("network", {})
    assert planned >= {ranges[key] for key in PURPOSES if key in ranges}


def assert_cluster(cluster: Object, spec: Object) -> None:
    given = spec["cluster"]
    zonal = given.get("location") == "zonal"
    assert cluster["name"] == given.get("name", "reference")
    assert cluster["location"] == (spec["zones"][0] if zonal else spec["region"])
    assert cluster["deletion_protection"] is True
    channel = given.get("release_channel", "REGULAR")
    assert cluster["release_channel"] == [{"channel": channel}]
    network = spec.get("network", {})
    pods = network.get("max_pods_per_node", 110)
    assert cluster["default_max_pods_per_node"] == pods


def test_terraform_plans_the_namespaces_and_the_operator(
    ray_gke: RayGke, tmp_path: Path, stacks: Stacks
) -> None:
    write(tmp_path, SERVING)
    variables = rendered(ray_gke, tmp_path) / "addons.tfvars.json"
    resources = stacks.planned("addons", variables)
    levels = {
        one["metadata"][0]["name"]: one["metadata"][0]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for one in values(resources, "kubernetes_namespace_v1")
    }
    assert levels == {
        "vision": "restricted",
        "notebooks": "restricted",
        "kuberay-system": "restricted",
    }
    (operator,) = (
        one
        for one in values(resources, "helm_release")
        if one["name"] == "kuberay-operator"
    )
    assert (operator["version"], operator["namespace"]) == ("1.6.2", "kuberay-system")


# Whatever of a platform reaches the stacks and the reference systems do not say.
PARTICULAR: Object = {
    "project": "my-project",
    "region": "europe-west4",
    "zones": ["europe-west4-a"],
    "state": {"bucket": "our-terraform"},
    "labels": {"cost-center": "4711"},
    "cluster": {"deletion_protection": False, "ray_operator": True},
    "logs": {"mode": "gke"},
    "network": {
        "existing": {
            "network": "shared",
            "subnetwork": "ray",
            "pods_range_name": "ray-pods",
            "services_range_name": "ray-services",
            "network_project_id": "host-project",
        }
    },
    "teams": {
        "text": {"quota": {"requests.nvidia.com/gpu": 8, "limits.memory": "1Ti"}}
    },
    "blueprints": [{"blueprint": "spot-training/train", "namespace": "training"}],
}


def test_terraform_plans_what_is_particular_about_a_platform(
    ray_gke: RayGke, tmp_path: Path, stacks: Stacks
) -> None:
    ranges = [{"range_name": f"ray-{one}"} for one in ("pods", "services")]
    stacks.cloud.put(
        "google_compute_subnetwork",
        "projects/host-project/regions/europe-west4/subnetworks/ray",
        {"private_ip_google_access": True, "secondary_ip_range": ranges},
    )
    write(tmp_path, PARTICULAR)
    resources = stacks.planned(
        "platform", rendered(ray_gke, tmp_path) / "platform.tfvars.json"
    )
    (cluster,) = values(resources, "google_container_cluster")
    assert cluster["deletion_protection"] is False
    assert cluster["network"] == "projects/host-project/global/networks/shared"
    labels = {"cost-center": "4711", "managed-by": "ray-gke"}
    assert cluster["resource_labels"].items() >= labels.items()
    (addons,) = cluster["addons_config"]
    (operator,) = addons["ray_operator_config"]
    assert operator["enabled"] is True
    assert operator["ray_cluster_logging_config"] == [{"enabled": True}]
    assert operator["ray_cluster_monitoring_config"] == [{"enabled": False}]
    assert not values(resources, "google_compute_network")


def test_terraform_plans_quotas_and_no_operator_beside_gkes(
    ray_gke: RayGke, tmp_path: Path, stacks: Stacks
) -> None:
    write(tmp_path, PARTICULAR)
    resources = stacks.planned(
        "addons", rendered(ray_gke, tmp_path) / "addons.tfvars.json"
    )
    assert not values(resources, "helm_release")
    names = {
        one["metadata"][0]["name"]
        for one in values(resources, "kubernetes_namespace_v1")
    }
    assert names == {"text", "training"}
    (quota,) = values(resources, "kubernetes_resource_quota_v1")
    assert quota["metadata"][0]["namespace"] == "text"
    assert quota["spec"][0]["hard"] == {
        "requests.nvidia.com/gpu": "8",
        "limits.memory": "1Ti",
    }


@pytest.mark.parametrize("spec", [SERVING, PARTICULAR], ids=["serving", "particular"])
def test_every_variable_is_one_of_its_stack(
    ray_gke: RayGke, tmp_path: Path, spec: Object
) -> None:
    write(tmp_path, spec)
    folder = rendered(ray_gke, tmp_path)
    for stack in ("platform", "addons"):
        file = terraform_docs.ROOT / stack / "variables.tf"
        blocks = list(terraform_docs.blocks(file, "variable"))
        given = set(json.loads((folder / f"{stack}.tfvars.json").read_text()))
        needed = {one.name for one in blocks if "default" not in one.arguments}
        assert needed <= given <= {one.name for one in blocks}


def test_a_gpu_shared_by_mps_needs_the_nodes_ipc(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    write(tmp_path, SERVING)
    blueprint = tmp_path / "time-shared/notebooks/blueprint.yaml"
    text = blueprint.read_text()
    blueprint.write_text(text.replace("strategy: time-sharing", "strategy: mps"))
    variables = json.loads(
        (rendered(ray_gke, tmp_path) / "addons.tfvars.json").read_text()
    )
    assert variables["namespaces"] == {
        "vision": {"pod_security": "restricted"},
        "notebooks": {"pod_security": "privileged"},
    }


def test_the_same_platform_gives_the_same_bytes(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    write(tmp_path, SERVING)
    first = [(rendered(ray_gke, tmp_path) / name).read_bytes() for name in RENDERED]
    backwards = SERVING | {"blueprints": SERVING["blueprints"][::-1]}
    write(tmp_path, backwards)
    ray_gke.env["PYTHONHASHSEED"] = "7"
    assert first == [
        (rendered(ray_gke, tmp_path) / name).read_bytes() for name in RENDERED
    ]
    assert all(text.endswith(b"}\n") for text in first)


def test_variables_are_of_whole_platforms_on_gke_only(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    """With the pools of one run Terraform would delete those of the others."""
    write(tmp_path, SERVING)
    out = rendered(ray_gke, tmp_path, "stable-diffusion")
    assert list(out.parent.glob("*.yaml"))
    assert not out.exists()
    assert "tfvars" not in ray_gke("render", cwd=tmp_path).stdout
    write(tmp_path, SERVING, target="kubernetes")
    assert not rendered(ray_gke, tmp_path).exists()
    write(tmp_path, SERVING)
    written = ray_gke("render", "--output-dir", "out", cwd=tmp_path).stdout.split()
    assert written[-2:] == [f"out/terraform/{name}" for name in RENDERED]
    kept = (out / "platform.tfvars.json").read_bytes()
    rendered(ray_gke, tmp_path, "stable-diffusion")
    assert (out / "platform.tfvars.json").read_bytes() == kept
