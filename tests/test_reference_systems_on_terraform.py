"""What Terraform makes of the talk's two reference systems, over the stand-in cloud.

What is expected is written from the originals' Terraform, without their mistakes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.reference_systems.systems import REPOSITORIES, Object, System, copies
from tests.terraform import program
from tests.test_terraform_render import Stacks, values

KUBERAY_EXAMPLE, AI_ON_GKE = "kuberay_example", "ai_on_gke"
WITH_BALLOONS = {KUBERAY_EXAMPLE}
"""Their pods are of another registry than Docker Hub's and the operator's."""


@dataclass(frozen=True)
class Planned:
    """What Terraform plans of a system, by stack."""

    system: System
    platform: list[Object]
    addons: list[Object]

    def one(self, kind: str) -> Object:
        (found,) = values(self.platform, kind)
        return found

    def gpu_pools(self) -> list[Object]:
        return [
            pool
            for pool in values(self.platform, "google_container_node_pool")
            if pool["node_config"][0]["guest_accelerator"]
        ]


@pytest.fixture(scope="module")
def all_planned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Planned]:
    try:
        program.terraform()
        stacks = Stacks(tmp_path_factory.mktemp("stacks"))
    except program.MissingProgram as missing:
        pytest.skip(str(missing))
    return {
        name: Planned(
            system,
            stacks.planned("platform", system.variables("platform")),
            stacks.planned("addons", system.variables("addons")),
        )
        for name, system in copies(tmp_path_factory.mktemp("ray_gke")).items()
    }


@pytest.fixture(params=[KUBERAY_EXAMPLE, AI_ON_GKE])
def planned(all_planned: dict[str, Planned], request: pytest.FixtureRequest) -> Planned:
    return all_planned[request.param]


def shape(pool: Object) -> tuple[Any, ...]:
    """Machine, GPUs, partition, clients, Spot, zones and most nodes of a pool."""
    (node,) = pool["node_config"]
    (gpu,) = node["guest_accelerator"]
    shared = gpu["gpu_sharing_config"] or [{"max_shared_clients_per_gpu": 0}]
    return (
        node["machine_type"],
        gpu["type"],
        gpu["count"],
        gpu.get("gpu_partition_size"),
        shared[0]["max_shared_clients_per_gpu"],
        node["spot"],
        "".join(sorted(zone[-1] for zone in pool["node_locations"])),
        pool["autoscaling"][0]["total_max_node_count"],
    )


def test_gpu_pools_are_those_of_the_demo_and_of_the_talk(
    all_planned: dict[str, Planned],
) -> None:
    pools = all_planned[KUBERAY_EXAMPLE].gpu_pools()
    t4, a100 = "nvidia-tesla-t4", "nvidia-tesla-a100"
    assert {shape(pool) for pool in pools} == {
        ("g2-standard-16", "nvidia-l4", 1, None, 0, False, "a", 2),
        ("n1-standard-16", t4, 1, None, 8, False, "b", 1),
        ("a2-highgpu-1g", a100, 1, "1g.5gb", 0, False, "ab", 1),
        ("a2-highgpu-1g", a100, 1, None, 0, True, "ab", 2),
    }
    (shared,) = (pool for pool in pools if shape(pool)[4])
    (gpu,) = shared["node_config"][0]["guest_accelerator"]
    assert gpu["gpu_sharing_config"][0]["gpu_sharing_strategy"] == "TIME_SHARING"


def test_users_share_a_pool_of_nodes_with_two_t4(
    all_planned: dict[str, Planned],
) -> None:
    assert [shape(pool) for pool in all_planned[AI_ON_GKE].gpu_pools()] == [
        ("n1-standard-16", "nvidia-tesla-t4", 2, None, 0, False, "abc", 2)
    ]


def test_gpu_nodes_are_tainted_empty_at_first_and_have_their_driver(
    planned: Planned,
) -> None:
    """No taint was declared, and ai-on-gke's driver came from a branch of GitHub."""
    for pool in planned.gpu_pools():
        (node,) = pool["node_config"]
        taints = {(one["key"], one["value"], one["effect"]) for one in node["taint"]}
        gpu = ("nvidia.com/gpu", "present", "NO_SCHEDULE")
        spot = ("cloud.google.com/gke-spot", "true", "NO_SCHEDULE")
        assert taints == ({gpu, spot} if node["spot"] else {gpu})
        (accelerator,) = node["guest_accelerator"]
        (driver,) = accelerator["gpu_driver_installation_config"]
        assert driver["gpu_driver_version"] in ("DEFAULT", "LATEST")
        assert pool["initial_node_count"] == 0
        assert node["workload_metadata_config"] == [{"mode": "GKE_METADATA"}]


def test_the_demos_cluster_is_as_it_was(all_planned: dict[str, Planned]) -> None:
    """But for its DNS: a domain of its own had to be told to the operator by hand."""
    planned = all_planned[KUBERAY_EXAMPLE]
    cluster = planned.one("google_container_cluster")
    assert (cluster["name"], cluster["location"]) == ("demo-cluster", "europe-west4")
    assert cluster["release_channel"] == [{"channel": "REGULAR"}]
    assert cluster["gateway_api_config"] == [{"channel": "CHANNEL_STANDARD"}]
    (dns,) = cluster["dns_config"]
    assert dns["cluster_dns"] == "CLOUD_DNS"
    assert dns["cluster_dns_scope"] == "CLUSTER_SCOPE"
    subnetwork = planned.one("google_compute_subnetwork")
    assert subnetwork["ip_cidr_range"] == "10.10.0.0/20"
    secondary = {one["ip_cidr_range"] for one in subnetwork["secondary_ip_range"]}
    assert secondary == {"10.10.32.0/19", "10.10.16.0/20"}
    nat = planned.one("google_compute_router_nat")
    assert nat["nat_ip_allocate_option"] == "AUTO_ONLY"


def test_the_users_cluster_is_rapid_and_has_a_network_of_its_own(
    all_planned: dict[str, Planned],
) -> None:
    """The original was in the project's default network."""
    planned = all_planned[AI_ON_GKE]
    cluster = planned.one("google_container_cluster")
    assert (cluster["name"], cluster["location"]) == ("ml-cluster", "us-central1")
    assert cluster["release_channel"] == [{"channel": "RAPID"}]
    network = planned.one("google_compute_network")
    assert network["name"] != "default"
    assert network["auto_create_subnetworks"] is False


def test_clusters_are_closed_observed_and_can_be_taken_down(planned: Planned) -> None:
    cluster = planned.one("google_container_cluster")
    assert cluster["deletion_protection"] is False
    assert cluster["datapath_provider"] == "ADVANCED_DATAPATH"
    assert cluster["enable_shielded_nodes"] is True
    assert cluster["private_cluster_config"][0]["enable_private_nodes"] is True
    (identity,) = cluster["workload_identity_config"]
    assert identity["workload_pool"] == "my-project-1.svc.id.goog"
    (monitoring,) = cluster["monitoring_config"]
    assert monitoring["managed_prometheus"][0]["enabled"] is True
    (logging,) = cluster["logging_config"]
    assert set(logging["enable_components"]) == {"SYSTEM_COMPONENTS", "WORKLOADS"}


def test_images_are_where_pods_look_for_them_and_can_stream(planned: Planned) -> None:
    """The demo's streaming API was off, and its README spoke of Ubuntu."""
    kind = "google_artifact_registry_repository"
    made = {
        f"{one['location']}-docker.pkg.dev/{one['project']}/{one['repository_id']}": (
            one["mode"]
        )
        for one in values(planned.platform, kind)
    }
    prefix = REPOSITORIES[planned.system.name]
    assert made == {
        f"{prefix}-docker-hub": "REMOTE_REPOSITORY",
        f"{prefix}-images": "STANDARD_REPOSITORY",
        f"{prefix}-quay-io": "REMOTE_REPOSITORY",
        **(
            {f"{prefix}-registry-k8s-io": "REMOTE_REPOSITORY"}
            if planned.system.name in WITH_BALLOONS
            else {}
        ),
    }
    apis = {
        one["service"] for one in values(planned.platform, "google_project_service")
    }
    needed = ("artifactregistry", "containerfilesystem", "logging", "monitoring")
    assert apis >= {f"{name}.googleapis.com" for name in needed}
    for pool in values(planned.platform, "google_container_node_pool"):
        (node,) = pool["node_config"]
        assert node["image_type"] == "COS_CONTAINERD"
        assert node["gcfs_config"] == [{"enabled": True}]
    subnetwork = planned.one("google_compute_subnetwork")
    assert subnetwork["private_ip_google_access"] is True


def test_roles_are_added_and_none_is_taken_from_others(planned: Planned) -> None:
    """A binding of ai-on-gke took monitoring.viewer from everybody else."""
    resources = planned.platform
    assert {one["type"] for one in resources if "_iam_" in one["type"]} == {
        "google_project_iam_member",
        "google_artifact_registry_repository_iam_member",
    }
    assert {one["role"] for one in values(resources, "google_project_iam_member")} == {
        "roles/container.defaultNodeServiceAccount",
        "roles/serviceusage.serviceUsageConsumer",
    }
    kind = "google_artifact_registry_repository_iam_member"
    assert {one["role"] for one in values(resources, kind)} == {
        "roles/artifactregistry.reader"
    }


def test_the_operator_is_pinned_and_knows_no_clusters_name(planned: Planned) -> None:
    """It was a candidate, nightly or nothing; the demo's stage 1 named the cluster."""
    releases = {one["name"]: one for one in values(planned.addons, "helm_release")}
    operator = releases["kuberay-operator"]
    assert (operator["version"], operator["namespace"]) == ("1.7.0", "kuberay-system")
    cluster = planned.one("google_container_cluster")["name"]
    said = json.dumps(planned.addons)
    # The registry is named after the cluster, and is beside it.
    repository = f"{REPOSITORIES[planned.system.name]}-quay-io/kuberay/operator"
    assert repository in said
    assert cluster not in said.replace(repository, "")


def test_each_user_has_a_namespace_with_a_quota_of_gpus(
    all_planned: dict[str, Planned],
) -> None:
    """The original limited nobody."""
    resources = all_planned[AI_ON_GKE].addons
    namespaces = {
        one["metadata"][0]["name"]
        for one in values(resources, "kubernetes_namespace_v1")
    }
    assert namespaces == {"ada", "grace", "kuberay-system"}
    quotas = {
        one["metadata"][0]["namespace"]: one["spec"][0]["hard"]
        for one in values(resources, "kubernetes_resource_quota_v1")
    }
    limit = {"requests.nvidia.com/gpu": "2"}
    assert quotas == {"ada": limit, "grace": limit}
