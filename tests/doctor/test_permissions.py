"""The permissions are those of what Terraform makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ray_gke.targets.gke.doctor import needs, permissions
from ray_gke.targets.gke.left_behind import KINDS
from tests.doctor import cases
from tests.doctor.world import Patient

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"
# What making each takes, from the reference pages of the methods that the google
# provider calls.
MAKING = {
    "google_artifact_registry_repository": ["artifactregistry.repositories.create"],
    "google_artifact_registry_repository_iam_member": [
        "artifactregistry.repositories.getIamPolicy",
        "artifactregistry.repositories.setIamPolicy",
    ],
    "google_compute_network": ["compute.networks.create"],
    "google_compute_router": [
        "compute.routers.create",
        "compute.networks.updatePolicy",
    ],
    "google_compute_router_nat": ["compute.routers.update"],
    "google_compute_subnetwork": [
        "compute.subnetworks.create",
        "compute.networks.updatePolicy",
    ],
    "google_container_cluster": [
        "container.clusters.create",
        "iam.serviceAccounts.actAs",
    ],
    "google_container_node_pool": [
        "container.clusters.update",
        "iam.serviceAccounts.actAs",
    ],
    "google_project_iam_member": [
        "resourcemanager.projects.getIamPolicy",
        "resourcemanager.projects.setIamPolicy",
    ],
    "google_project_service": ["serviceusage.services.enable"],
    "google_service_account": ["iam.serviceAccounts.create"],
}


def resource_types() -> set[str]:
    text = "".join(file.read_text() for file in TERRAFORM.rglob("*.tf"))
    return set(re.findall(r'^resource "(google_\w+)"', text, re.MULTILINE))


def test_each_type_of_terraforms_is_known_here() -> None:
    assert resource_types() == set(MAKING)


@pytest.mark.parametrize("kind", sorted(MAKING))
def test_what_makes_it_is_asked_for(kind: str, patient: Patient) -> None:
    purposes = permissions.purposes(patient.needs())
    assert set(MAKING[kind]) <= permissions.asked(purposes)
    assert [one for one in purposes if kind in one.makes]


def test_a_network_that_is_there_needs_no_permission_to_make_one(
    patient: Patient,
) -> None:
    cases.saying(cases.EXISTING)(patient)
    asked = permissions.asked(permissions.purposes(patient.needs()))
    assert not [one for one in asked if re.fullmatch(r"compute\..*\.create", one)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_down_lists_and_deletes_is_asked_for(kind: str, patient: Patient) -> None:
    asked = permissions.asked(permissions.purposes(patient.needs()))
    assert {f"compute.{kind}.list", f"compute.{kind}.delete"} <= asked


def test_who_copies_nothing_needs_no_permission_for_it(patient: Patient) -> None:
    asked = permissions.asked(permissions.purposes(patient.needs()))
    assert not [one for one in asked if one.endswith("Artifacts")]


def test_the_apis_are_those_that_terraform_turns_on() -> None:
    text = (TERRAFORM / "platform" / "main.tf").read_text()
    block = text[text.index("_apis = [") :]
    listed = re.findall(r'"([a-z]+\.googleapis\.com)"', block[: block.index("]")])
    assert set(needs.APIS) == set(listed)
