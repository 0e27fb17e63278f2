"""The stand-in providers, over tiny configurations, by Terraform itself."""

from __future__ import annotations

import json

from tests.terraform.cloud import Cloud
from tests.terraform.configurations import (
    ALL,
    IN_A_CLUSTER,
    NETWORK,
    POOL_ID,
    REPOSITORY,
)
from tests.terraform.conftest import Root


def _created(cloud: Cloud) -> list[str]:
    return sorted(c.name for c in cloud.calls("create") if c.outcome == "done")


def test_terraform_goes_its_whole_way(cloud: Cloud, root: Root) -> None:
    root.write(ALL)
    root.succeeds("validate")
    assert "Plan: 3 to add" in root.succeeds("plan")
    assert cloud.objects() == []
    root.succeeds("apply")
    assert [(o.type, o.id) for o in cloud.objects()] == [
        ("google_compute_network", "projects/some-project/global/networks/ray"),
        (
            "google_container_cluster",
            "projects/some-project/locations/us-central1-a/clusters/ray",
        ),
        ("google_container_node_pool", POOL_ID),
    ]
    assert root.run("plan", "-detailed-exitcode").returncode == 0
    root.succeeds("destroy")
    assert cloud.objects() == []
    assert _created(cloud) == ["a100", "ray", "ray"]


def test_a_pool_is_made_as_it_is_written(cloud: Cloud, root: Root) -> None:
    root.write(ALL).succeeds("apply")
    (pool,) = cloud.objects("google_container_node_pool")
    (node,) = pool.values["node_config"]
    assert pool.name == "a100"
    assert pool.values["location"] == "us-central1-a"
    assert pool.values["autoscaling"][0]["total_max_node_count"] == 3
    assert node["labels"] == {"team": "vision"}
    assert node["guest_accelerator"][0]["gpu_partition_size"] == "1g.5gb"


def test_what_google_decides_is_known_after_apply(root: Root) -> None:
    output = 'output "ca" { value = google_container_cluster.this.master_auth[0]'
    root.write(ALL + output + ".cluster_ca_certificate }\n")
    assert "+ ca = (known after apply)" in root.succeeds("plan")
    root.succeeds("apply")
    assert json.loads(root.succeeds("output", "-json"))["ca"]["value"]


def test_a_misspelt_argument_gets_terraforms_own_answer(root: Root) -> None:
    root.write(ALL.replace("gpu_partition_size", "gpu_partition_sise"))
    error = root.fails("validate")
    assert "Unsupported argument" in error
    assert 'Did you mean "gpu_partition_size"?' in error


def test_what_the_provider_checks_is_checked(root: Root) -> None:
    channel = 'deletion_protection = false\n  release_channel { channel = "FAST" }'
    root.write(ALL.replace("deletion_protection      = false", channel))
    error = root.fails("validate")
    assert "expected release_channel.0.channel" not in error
    assert "expected channel to be one of" in error
    assert "got FAST" in error


def test_what_cannot_change_in_place_is_replaced(cloud: Cloud, root: Root) -> None:
    root.write(ALL).succeeds("apply")
    for written, replaced in (
        ('name               = "a100"', 'name               = "big"'),
        ('"1g.5gb"', '"2g.10gb"'),
        ("spot         = true", "spot         = false"),
    ):
        assert written in ALL
        root.write(ALL.replace(written, replaced))
        assert "Plan: 1 to add, 0 to change, 1 to destroy." in root.succeeds("plan")
    root.succeeds("apply")
    assert [c.type for c in cloud.calls("delete")] == ["google_container_node_pool"]
    assert root.run("plan", "-detailed-exitcode").returncode == 0


def test_what_can_change_in_place_is_changed(cloud: Cloud, root: Root) -> None:
    root.write(ALL).succeeds("apply")
    root.write(ALL.replace('"vision"', '"speech"'))
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in root.succeeds("plan")
    root.succeeds("apply")
    (pool,) = cloud.objects("google_container_node_pool")
    assert pool.values["node_config"][0]["labels"] == {"team": "speech"}
    assert root.run("plan", "-detailed-exitcode").returncode == 0


def test_drift_is_seen(cloud: Cloud, root: Root) -> None:
    root.write(ALL).succeeds("apply")
    limits = {"total_min_node_count": 0, "total_max_node_count": 9}
    cloud.drift("google_container_node_pool", "a100", {"autoscaling": [limits]})
    planned = root.run("plan", "-detailed-exitcode")
    assert planned.returncode == 2
    assert "total_max_node_count = 9 -> 3" in planned.stdout


def test_an_object_that_somebody_removed_is_made_again(
    cloud: Cloud, root: Root
) -> None:
    root.write(ALL).succeeds("apply")
    cloud.drift("google_container_node_pool", "a100", None)
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in root.succeeds("plan")
    root.succeeds("apply")
    assert _created(cloud) == ["a100", "a100", "ray", "ray"]


def test_a_cluster_is_where_the_test_wants_it(cloud: Cloud, root: Root) -> None:
    authority = root.folder / "ca.crt"
    authority.write_text("an authority")
    cloud.serve_clusters_at("127.0.0.1:6443", authority)
    root.write(ALL).succeeds("apply")
    (cluster,) = cloud.objects("google_container_cluster")
    assert cluster.values["endpoint"] == "127.0.0.1:6443"
    (config,) = cluster.values["control_plane_endpoints_config"]
    assert config["dns_endpoint_config"][0]["endpoint"] == "127.0.0.1:6443"


def test_data_sources_see_what_is_there(cloud: Cloud, root: Root) -> None:
    cloud.put(
        "google_compute_network",
        "projects/some-project/global/networks/old",
        {"name": "old", "project": "some-project", "self_link": "the link"},
    )
    root.write(
        """
        data "google_compute_network" "old" { name = "old" }
        data "google_compute_zones" "all" { region = "us-east1" }
        data "google_project" "this" { project_id = "some-project" }
        output "all" {
          value = [
            data.google_compute_network.old.self_link,
            data.google_compute_zones.all.names[0],
            length(data.google_project.this.number),
          ]
        }
        """
    ).succeeds("apply")
    told = json.loads(root.succeeds("output", "-json"))["all"]["value"]
    assert told == ["the link", "us-east1-a", 12]
    root.write('data "google_compute_network" "new" { name = "new" }')
    assert "Error 404: Not found" in root.fails("plan")


def test_labels_of_the_provider_are_on_each_object(cloud: Cloud, root: Root) -> None:
    root.write(ALL + REPOSITORY).succeeds("apply")
    (repository,) = cloud.objects("google_artifact_registry_repository")
    both = {"goog-terraform-provisioned": "true", "team": "vision"}
    assert repository.values["effective_labels"] == both
    root.write(ALL + REPOSITORY.replace("vision", "speech")).succeeds("apply")
    (repository,) = cloud.objects("google_artifact_registry_repository")
    assert repository.values["effective_labels"]["team"] == "speech"


def test_without_a_cluster_its_objects_are_kept_too(cloud: Cloud, root: Root) -> None:
    root.write(IN_A_CLUSTER).succeeds("apply")
    assert [(o.type, o.id) for o in cloud.objects()] == [
        ("helm_release", "vision/kuberay-operator"),
        ("kubernetes_namespace_v1", "vision"),
    ]
    assert root.run("plan", "-detailed-exitcode").returncode == 0
    root.succeeds("destroy")
    assert cloud.objects() == []


def test_terraforms_own_tests_run_with_and_without_the_cloud(
    cloud: Cloud, root: Root
) -> None:
    root.write(NETWORK)
    asserted = 'run "applies" {\n  assert {\n    condition = %s\n    %s\n  }\n}\n'
    message = 'error_message = "It is not."'
    real = asserted % ('endswith(output.id, "/networks/ray")', message)
    (root.folder / "real.tftest.hcl").write_text(real)
    mocked = asserted % ("length(output.id) == 8", message)
    (root.folder / "mocked.tftest.hcl").write_text(
        f'mock_provider "google" {{}}\n{mocked}'
    )
    output = 'output "id" { value = google_compute_network.this.id }\n'
    root.write(NETWORK + output)
    assert "2 passed, 0 failed" in root.succeeds("test")
    assert _created(cloud) == ["ray"]
    assert cloud.objects() == []
