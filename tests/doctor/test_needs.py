"""What a platform needs is called as Terraform calls it."""

from __future__ import annotations

import hashlib

import pytest

from tests.doctor import world
from tests.doctor.world import Patient

LONG = "a-cluster-with-a-long-name-of-37-chars"
CUT = f"a-cluster-with-a-{hashlib.sha256(LONG.encode()).hexdigest()[:6]}"


@pytest.mark.parametrize(
    ("project", "cluster", "address"),
    [
        ("my-project", "demo", "demo-nodes@my-project.iam.gserviceaccount.com"),
        (
            "example.com:my-project",
            "demo",
            "demo-nodes@my-project.example.com.iam.gserviceaccount.com",
        ),
        # Of 17 characters, the last is a hyphen, which Terraform leaves out.
        (
            "my-project",
            LONG,
            f"{CUT}-nodes@my-project.iam.gserviceaccount.com",
        ),
    ],
)
def test_the_nodes_account_has_the_address_that_terraform_gives_it(
    project: str, cluster: str, address: str, patient: Patient
) -> None:
    world.write(patient.folder, world.ZONES + f"  cluster: {{name: {cluster}}}\n")
    file = patient.folder / "ray-gke.yaml"
    file.write_text(
        file.read_text().replace("project: my-project", f"project: {project}")
    )
    needs = patient.needs()
    assert needs.node_account == address
    assert len(address.partition("@")[0]) <= 30
    assert needs.repositories[:2] == (f"{cluster}-images", f"{cluster}-docker-hub")


def test_images_are_those_that_nodes_pull_and_each_is_there_once(
    patient: Patient,
) -> None:
    host = "us-central1-docker.pkg.dev/my-project/demo"
    assert patient.needs().images == (
        f"{host}-docker-hub/fluent/fluent-bit:5.1.1",
        f"{host}-docker-hub/rayproject/ray:2.60.0-py311-gpu",
        f"{host}-quay-io/kuberay/operator:v1.5.1",
    )


@pytest.mark.parametrize(
    ("more", "location"),
    [
        ("  zones: [us-central1-b]\n", "us-central1"),
        ("  zones: [us-central1-b]\n  cluster: {location: zonal}\n", "us-central1-b"),
    ],
)
def test_a_zonal_cluster_is_in_its_zone(
    more: str, location: str, patient: Patient
) -> None:
    world.write(patient.folder, more)
    assert patient.needs().location == location
