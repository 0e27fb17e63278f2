"""What the stand-in google provider refuses, by itself or because a test wants it."""

from __future__ import annotations

import json

from tests.terraform import failures
from tests.terraform.cloud import Cloud
from tests.terraform.configurations import ALL, IN_A_CLUSTER, NETWORK
from tests.terraform.conftest import Root


def _created(cloud: Cloud) -> list[str]:
    return sorted(c.name for c in cloud.calls("create") if c.outcome == "done")


def test_refusals_are_told_and_make_nothing(cloud: Cloud, root: Root) -> None:
    errors = {
        "quota": failures.quota(),
        "gpus": failures.global_gpu_quota(),
        "api": failures.api_disabled(),
        "permission": failures.permission(),
        "operation": failures.operation_in_progress(),
        "token": failures.token_expired(),
    }
    for name, error in errors.items():
        cloud.refuse("google_compute_*", name, error=error, operation="create")
    each = f"for_each = toset({json.dumps(['fine', *errors])})\n  name = each.key"
    root.write(NETWORK.replace('name                    = "ray"', each))
    told = root.fails("apply")
    assert [name for name, error in errors.items() if error not in told] == []
    assert [o.name for o in cloud.objects()] == ["fine"]
    cloud.clear()
    root.succeeds("apply")
    assert _created(cloud) == sorted(["fine", *errors])


def test_a_refused_pool_leaves_the_rest_and_is_made_later(
    cloud: Cloud, root: Root
) -> None:
    root.write(ALL)
    cloud.refuse("google_container_node_pool", error=failures.quota(), times=1)
    root.fails("apply")
    assert _created(cloud) == ["ray", "ray"]
    root.succeeds("apply")
    assert _created(cloud) == ["a100", "ray", "ray"]


def test_a_pool_without_machines_is_there_and_in_the_state(
    cloud: Cloud, root: Root
) -> None:
    root.write(ALL)
    kind = "google_container_node_pool"
    cloud.refuse(kind, error=failures.stock_out(), times=1, leaves="object")
    assert "GCE_STOCKOUT" in root.fails("apply")
    assert [o.name for o in cloud.objects(kind)] == ["a100"]
    assert "google_container_node_pool.this is tainted" in root.succeeds("plan")


def test_a_lost_network_comes_back(cloud: Cloud, root: Root) -> None:
    root.write(ALL).succeeds("apply")
    cloud.lose_network(times=1)
    assert "Temporary failure in name resolution" in root.fails("plan")
    assert root.run("plan", "-detailed-exitcode").returncode == 0


def test_a_protected_cluster_stays(cloud: Cloud, root: Root) -> None:
    protected = ALL.replace("deletion_protection      = false", "")
    root.write(protected).succeeds("apply")
    assert (
        "Cannot destroy cluster because deletion_protection is set to true. Set it to "
        "false to proceed with cluster deletion."
    ) in root.fails("destroy")
    assert cloud.objects("google_container_cluster")
    root.write(ALL).succeeds("apply")
    root.succeeds("destroy")
    assert cloud.objects() == []


def test_a_network_in_use_stays(cloud: Cloud, root: Root) -> None:
    root.write(NETWORK).succeeds("apply")
    rule = "projects/some-project/global/firewalls/k8s-fw-a1b2"
    values = {"network": "ray", "project": "some-project"}
    cloud.put("google_compute_firewall", rule, values)
    assert f"is already being used by '{rule}'" in root.fails("destroy")
    cloud.drift("google_compute_firewall", "k8s-fw-a1b2", None)
    root.succeeds("destroy")


def test_an_api_has_to_be_enabled_first(cloud: Cloud, root: Root) -> None:
    cloud.require_apis()
    root.write(NETWORK)
    assert "Compute API has not been used in project" in root.fails("apply")
    service = 'service = "compute.googleapis.com"'
    waits = 'depends_on = [google_project_service.compute]\n  name   = "ray"'
    root.write(
        f'resource "google_project_service" "compute" {{\n  {service}\n}}\n'
        + NETWORK.replace('name                    = "ray"', waits)
    )
    root.succeeds("apply")


def test_what_was_made_without_an_answer_is_an_orphan(cloud: Cloud, root: Root) -> None:
    root.write(NETWORK)
    error = failures.network_lost()
    cloud.refuse(error=error, operation="create", times=1, leaves="orphan")
    root.fails("apply")
    assert [o.name for o in cloud.objects()] == ["ray"]
    assert "Error 409" in root.fails("apply")
    assert _created(cloud) == ["ray"]


def test_a_cluster_that_does_not_answer(cloud: Cloud, root: Root) -> None:
    nowhere = 'host = "https://127.0.0.1:1"'
    root.write(
        f'provider "kubernetes" {{\n  {nowhere}\n}}\n'
        f'provider "helm" {{\n  kubernetes = {{ {nowhere} }}\n}}\n'
        + IN_A_CLUSTER.replace("kubernetes_namespace_v1.this.metadata[0].name", '"a"')
    )
    error = root.fails("apply")
    assert "Kubernetes cluster unreachable" in error
    assert error.count("connect: connection refused") == 2
    assert cloud.objects() == []
