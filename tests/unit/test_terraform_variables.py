from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from ray_gke.catalog.platform import PlatformSpec
from ray_gke.planning.capacity import Capacity, NodePool
from ray_gke.planning.pools import capacity
from ray_gke.rendering import terraform_variables
from tests import terraform_docs
from tests.pool_plans import SITE

Object = dict[str, Any]

# The chart's own image of KubeRay's operator is there.
OPERATORS: Object = {"upstreams": {"quay-io": "https://quay.io"}}

NOTHING = capacity([], SITE)
(SYSTEM,) = NOTHING.pools
POOL = replace(
    SYSTEM,
    name="mine",
    machine_type="a2-highgpu-1g",
    accelerator="nvidia-tesla-a100",
    gpus_per_node=1,
    zones=(),
    initial_node_count=0,
    total_min_node_count=0,
    total_max_node_count=3,
    location_policy="ANY",
    labels={
        "cloud.google.com/gke-accelerator": "nvidia-tesla-a100",
        "cloud.google.com/gke-nodepool": "mine",
        "cloud.google.com/gke-provisioning": "standard",
    },
)
PLAIN: Object = {
    "machine": {"type": "a2-highgpu-1g"},
    "gpu": {"accelerator": "nvidia-tesla-a100"},
    "autoscaling": {"total_max_node_count": 3, "location_policy": "ANY"},
}


_NETWORK = (terraform_docs.ROOT / "modules/network/variables.tf").read_text()


def spec(**given: Any) -> PlatformSpec:
    needed = {"target": "gke", "project": "my-project", "region": "us-central1"}
    return PlatformSpec.model_validate(needed | given)


def with_pools(*pools: NodePool) -> Capacity:
    return replace(NOTHING, pools=(SYSTEM, *pools))


def platform(found: Capacity = NOTHING, **given: Any) -> Object:
    return terraform_variables.platform(found, spec(**given), "vision")


def manifest(namespace: str | None, **pod: Any) -> Object:
    """A Deployment whose only pod satisfies "restricted", but for `pod`."""
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "a", "image": "a:1", "securityContext": context}
    metadata = {"name": "demo"} | ({"namespace": namespace} if namespace else {})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": {"spec": {"containers": [container], **pod}}},
    }


def test_a_platform_says_only_what_is_particular() -> None:
    assert platform() == {
        "project_id": "my-project",
        "region": "us-central1",
        "cluster": {"name": "vision", "deletion_protection": True},
        "image_registry": OPERATORS,
    }


def test_cluster_and_network_of_the_platform_file() -> None:
    found = platform(
        zones=["us-central1-b"],
        cluster={
            "name": "ray",
            "location": "zonal",
            "release_channel": "RAPID",
            "version": "1.34",
        },
        network={
            "nodes": "10.0.0.0/20",
            "pods": "10.4.0.0/14",
            "services": "10.8.0.0/20",
            "max_pods_per_node": 64,
        },
    )
    assert found == {
        "project_id": "my-project",
        "region": "us-central1",
        "zones": ["us-central1-b"],
        "cluster": {
            "name": "ray",
            "location": "zonal",
            "release_channel": "RAPID",
            "version": "1.34",
            "deletion_protection": True,
        },
        "network": {
            "ranges": {
                "nodes": "10.0.0.0/20",
                "pods": "10.4.0.0/14",
                "services": "10.8.0.0/20",
            },
            "max_pods_per_node": 64,
        },
        "image_registry": OPERATORS,
    }


def test_a_range_that_is_not_given_is_left_to_the_module() -> None:
    found = platform(network={"pods": "10.4.0.0/14"})
    assert found["network"] == {"ranges": {"pods": "10.4.0.0/14"}}


@pytest.mark.parametrize("key", ["nodes", "pods", "services"])
def test_a_range_is_compared_with_what_the_module_takes_for_others(key: str) -> None:
    """The defaults have two authors: the module, and the check of the platform file."""
    written = re.search(rf'{key} += optional\(string, "(.+?)"\)', _NETWORK)
    assert written
    other = "services" if key != "services" else "pods"
    inside = f"{written[1].partition('/')[0]}/{28 if other == 'services' else 22}"
    whose = f"overlaps the default range of the {key}, {written[1]}"
    with pytest.raises(ValueError, match=re.escape(whose)):
        platform(network={other: inside})


def test_an_existing_network_has_its_own_ranges() -> None:
    existing = {
        "network": "shared",
        "subnetwork": "ray",
        "pods_range_name": "ray-pods",
        "services_range_name": "ray-services",
    }
    found = platform(network={"existing": existing, "max_pods_per_node": 32})
    assert found["network"] == {"existing": existing, "max_pods_per_node": 32}
    shared = existing | {"network_project_id": "host-project"}
    assert platform(network={"existing": shared})["network"] == {"existing": shared}


def test_a_cluster_that_comes_and_goes() -> None:
    found = platform(cluster={"deletion_protection": False})
    assert found["cluster"] == {"name": "vision", "deletion_protection": False}


def test_labels_are_those_of_the_platform() -> None:
    found = platform(labels={"owner": "vision", "cost-center": "4711"})
    assert found["labels"] == {"owner": "vision", "cost-center": "4711"}


@pytest.mark.parametrize(
    ("mode", "collected"), [(None, False), ("sidecar", False), ("gke", True)]
)
def test_gkes_operator_collects_what_nobody_else_does(
    mode: str | None, collected: bool
) -> None:
    given: Object = {"cluster": {"ray_operator": True}, "logs": {"mode": mode}}
    assert platform(**given)["cluster"]["features"] == {
        "ray_operator": True,
        "ray_logging": collected,
        "ray_monitoring": False,
    }
    found = terraform_variables.addons([], spec(**given), "1.5.1")
    assert found == {"kuberay": {"install": False}}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, {}),
        (
            {"bucket": "our-terraform"},
            {"bucket": "our-terraform", "prefix": "vision/addons"},
        ),
        (
            {"bucket": "our-terraform", "prefix": "ray/prod"},
            {"bucket": "our-terraform", "prefix": "ray/prod/addons"},
        ),
    ],
)
def test_each_stack_has_its_own_state(state: Object | None, expected: Object) -> None:
    found = terraform_variables.backend(spec(state=state), "vision", "addons")
    assert found == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        (
            {"partition": "1g.5gb"},
            {"gpu": {"accelerator": "nvidia-tesla-a100", "partition_size": "1g.5gb"}},
        ),
        (
            {
                "machine_type": "n1-standard-16",
                "accelerator": "nvidia-tesla-t4",
                "gpus_per_node": 2,
                "sharing_strategy": "time-sharing",
                "max_shared_clients_per_gpu": 8,
            },
            {
                "machine": {"type": "n1-standard-16"},
                "gpu": {
                    "accelerator": "nvidia-tesla-t4",
                    "count": 2,
                    "sharing": {
                        "strategy": "TIME_SHARING",
                        "max_shared_clients_per_gpu": 8,
                    },
                },
            },
        ),
        (
            {
                "partition": "3g.20gb",
                "sharing_strategy": "mps",
                "max_shared_clients_per_gpu": 2,
            },
            {
                "gpu": {
                    "accelerator": "nvidia-tesla-a100",
                    "partition_size": "3g.20gb",
                    "sharing": {"strategy": "MPS", "max_shared_clients_per_gpu": 2},
                }
            },
        ),
        ({"provisioning": "spot"}, {"provisioning": {"mode": "spot"}}),
        ({"provisioning": "flex-start"}, {"provisioning": {"mode": "flex-start"}}),
        (
            {
                "provisioning": "reservation",
                "reservation": "training",
                "location_policy": "BALANCED",
            },
            {
                "provisioning": {"mode": "reservation", "reservation": "training"},
                "autoscaling": {
                    "total_max_node_count": 3,
                    "location_policy": "BALANCED",
                },
            },
        ),
        (
            {
                "queued_provisioning": True,
                "labels": {**POOL.labels, "cloud.google.com/gke-queued": "true"},
            },
            {"provisioning": {"queued": True}},
        ),
        (
            {"placement_policy": "COMPACT", "zones": ("us-central1-a",)},
            {"placement": {"type": "COMPACT"}, "zones": ["us-central1-a"]},
        ),
        (
            {"secondary_boot_disks": ("global/images/ray", "global/images/model")},
            {
                "nodes": {
                    "secondary_boot_disks": ["global/images/ray", "global/images/model"]
                }
            },
        ),
        (
            {"labels": {**POOL.labels, "team": "vision", "example.com/fast": "1"}},
            {"nodes": {"labels": {"team": "vision", "example.com/fast": "1"}}},
        ),
        (
            {"initial_node_count": 1, "total_min_node_count": 2},
            {
                "autoscaling": {
                    "total_min_node_count": 2,
                    "total_max_node_count": 3,
                    "initial_node_count": 1,
                    "location_policy": "ANY",
                }
            },
        ),
        (
            {"boot_disk_gib": 200},
            {"machine": {"type": "a2-highgpu-1g", "boot_disk_gib": 200}},
        ),
    ],
)
def test_a_node_pool(changes: Object, expected: Object) -> None:
    found = platform(with_pools(replace(POOL, **changes)))
    assert found["node_pools"] == {"mine": PLAIN | expected}


def test_a_node_pool_without_gpus() -> None:
    plain = replace(POOL, machine_type="e2-standard-8", accelerator=None)
    found = platform(with_pools(plain))["node_pools"]["mine"]
    assert found == {
        "machine": {"type": "e2-standard-8"},
        "autoscaling": {"total_max_node_count": 3, "location_policy": "ANY"},
    }


def test_zones_of_a_pool_where_they_are_not_those_of_the_platform() -> None:
    zones = ("us-central1-a", "us-central1-b")
    same = replace(POOL, name="same", zones=zones)
    fewer = replace(POOL, name="fewer", zones=zones[1:])
    pools = platform(with_pools(same, fewer), zones=list(zones))["node_pools"]
    assert "zones" not in pools["same"]
    assert pools["fewer"]["zones"] == ["us-central1-b"]


def test_the_systems_own_pool_is_the_clusters() -> None:
    larger = replace(SYSTEM, machine_type="e2-standard-8", boot_disk_gib=50)
    found = platform(replace(NOTHING, pools=(larger,)))
    assert "node_pools" not in found
    assert found["cluster"]["system_pool"] == {
        "machine_type": "e2-standard-8",
        "boot_disk_gib": 50,
    }


@pytest.mark.parametrize(
    ("folder", "variable", "default"),
    [
        ("platform", "cluster", 'location += optional(string, "regional")'),
        ("platform", "network", "max_pods_per_node += optional(number, 110)"),
        ("modules/cluster", "release", 'channel += optional(string, "REGULAR")'),
        (
            "modules/cluster",
            "system_pool",
            'machine_type += optional(string, "e2-standard-4")',
        ),
        ("modules/cluster", "system_pool", "boot_disk_gib += optional(number, 100)"),
        ("modules/gpu-node-pool", "machine", "boot_disk_gib += optional(number, 100)"),
        ("modules/gpu-node-pool", "gpu", "count += optional(number, 1)"),
        (
            "modules/gpu-node-pool",
            "provisioning",
            'mode += optional(string, "standard")',
        ),
        ("modules/gpu-node-pool", "provisioning", "queued += optional(bool, false)"),
        (
            "modules/gpu-node-pool",
            "autoscaling",
            "total_min_node_count += optional(number, 0)",
        ),
        (
            "modules/gpu-node-pool",
            "autoscaling",
            "initial_node_count += optional(number, 0)",
        ),
    ],
)
def test_what_is_left_out_is_the_default_of_the_modules(
    folder: str, variable: str, default: str
) -> None:
    text = (terraform_docs.ROOT / folder / "variables.tf").read_text()
    (body,) = re.findall(
        rf'^variable "{variable}" {{\n(.*?)^}}', text, re.MULTILINE | re.DOTALL
    )
    name, value = default.split(" += ")
    assert re.search(rf"^ +{name} += {re.escape(value)},?$", body, re.MULTILINE)


def test_the_clusters_default_profile_is_that_of_the_plan() -> None:
    file = terraform_docs.ROOT / "modules/cluster/variables.tf"
    blocks = {one.name: one for one in terraform_docs.blocks(file, "variable")}
    default = blocks["autoscaling_profile"].arguments["default"]
    assert default == f'"{NOTHING.autoscaling_profile}"'
    other = platform(replace(NOTHING, autoscaling_profile="BALANCED"))
    assert other["cluster"]["autoscaling_profile"] == "BALANCED"


def test_addons_of_a_platform_without_runs() -> None:
    assert terraform_variables.addons([], spec(), "1.5.1") == {
        "kuberay": {"install": True, "namespace": "kuberay-system", "version": "1.5.1"}
    }


def test_addons_name_the_operators_namespace_of_the_platform() -> None:
    given = spec(kuberay={"namespace": "operators"})
    found = terraform_variables.addons([], given, "1.7.0")
    assert found["kuberay"] == {
        "install": True,
        "namespace": "operators",
        "version": "1.7.0",
    }


def test_the_operator_gets_the_gates_that_some_run_needs() -> None:
    def values(*manifests: Object, **given: Any) -> Any:
        found = terraform_variables.addons(manifests, spec(**given), "1.7.0")
        text = found["kuberay"].get("values")
        return text and yaml.safe_load(text)

    def run(kind: str, key: str | None, **cluster: Any) -> Object:
        inside = {key: cluster} if key else cluster
        return {"kind": kind, "metadata": {"name": "demo"}, "spec": inside}

    plain = run("RayCluster", None)
    job = run("RayJob", "rayClusterSpec", historyServerOptions={"collectorOptions": {}})
    service = run("RayService", "rayClusterConfig", tlsOptions={"enabled": False})
    assert values(manifest("a"), plain) is None
    assert values(plain, job) == {
        "featureGates": [{"name": "RayClusterHistoryServer", "enabled": True}]
    }
    names = [gate["name"] for gate in values(job, service)["featureGates"]]
    assert names == ["RayClusterHistoryServer", "RayClusterMTLS"]
    # Nothing of ours tells GKE's own operator what it should have on.
    assert values(job, cluster={"ray_operator": True}) is None


def test_a_namespace_is_restricted_but_where_that_refuses_a_pod() -> None:
    manifests = [
        manifest("strict"),
        manifest("strict"),
        manifest("shared", hostIPC=True),
        manifest("shared"),
    ]
    found = terraform_variables.addons(manifests, spec(), "1.5.1")
    assert found["namespaces"] == {
        "strict": {"pod_security": "restricted"},
        "shared": {"pod_security": "privileged"},
    }


def test_teams_have_namespaces_and_quotas_without_runs() -> None:
    teams = {
        "vision": {"quota": {"requests.nvidia.com/gpu": 8, "limits.memory": "64Gi"}},
        "text": {"namespace": "shared", "quota": {"requests.cpu": 0.5}},
        "speech": {"namespace": "shared"},
        "old": {"namespace": "default"},
    }
    manifests = [manifest("shared", hostIPC=True), manifest("own")]
    found = terraform_variables.addons(manifests, spec(teams=teams), "1.5.1")
    assert found["namespaces"] == {
        "vision": {
            "pod_security": "restricted",
            "quota": {"requests.nvidia.com/gpu": "8", "limits.memory": "64Gi"},
        },
        "shared": {"pod_security": "privileged", "quota": {"requests.cpu": "0.5"}},
        "own": {"pod_security": "restricted"},
    }


@pytest.mark.parametrize("there", [None, "default", "kube-system"])
def test_namespaces_that_are_there_are_not_made(there: str | None) -> None:
    found = terraform_variables.addons([manifest(there)], spec(), "1.5.1")
    assert "namespaces" not in found


def test_the_same_bytes_for_the_same_variables() -> None:
    text = terraform_variables.text({"b": {"d": 1, "c": []}, "a": True})
    assert text == '{\n  "a": true,\n  "b": {\n    "c": [],\n    "d": 1\n  }\n}\n'
