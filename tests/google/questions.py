"""All that is asked of Google, with the API that is asked."""

from __future__ import annotations

from collections.abc import Callable

from ray_gke.targets.google.client import Google

OURS = "my-project"
REGION = "us-central1"
COMPUTE = "https://www.googleapis.com/compute/v1/projects"
ACCOUNT = f"nodes@{OURS}.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{ACCOUNT}"
KINDS = ("addresses", "disks", "firewalls", "forwardingRules", "networkEndpointGroups")
COMPUTE_API = "compute.googleapis.com"
QUESTIONS: dict[str, tuple[str, Callable[[Google], object]]] = {
    "project": (
        "cloudresourcemanager.googleapis.com",
        lambda google: google.project(),
    ),
    "billing": (
        "cloudbilling.googleapis.com",
        lambda google: google.billing_enabled(),
    ),
    "apis": (
        "serviceusage.googleapis.com",
        lambda google: google.enabled_apis(["run.googleapis.com"]),
    ),
    "permissions": (
        "cloudresourcemanager.googleapis.com",
        lambda google: google.granted(["compute.disks.list"]),
    ),
    "roles": (
        "cloudresourcemanager.googleapis.com",
        lambda google: google.project_roles(MEMBER),
    ),
    "service account": (
        "iam.googleapis.com",
        lambda google: google.service_account(ACCOUNT),
    ),
    "family quotas": (
        "cloudquotas.googleapis.com",
        lambda google: google.family_quotas(REGION),
    ),
    "versions": (
        "container.googleapis.com",
        lambda google: google.server_config(REGION),
    ),
    "clusters": ("container.googleapis.com", lambda google: google.clusters()),
    "repositories": (
        "artifactregistry.googleapis.com",
        lambda google: google.repositories(REGION),
    ),
    "region": (COMPUTE_API, lambda google: google.region(REGION)),
    "global quotas": (COMPUTE_API, lambda google: google.global_quotas()),
    "accelerators": (COMPUTE_API, lambda google: google.accelerator_zones(REGION)),
    "machine types": (
        COMPUTE_API,
        lambda google: google.machine_type_zones(REGION, ["e2-standard-4"]),
    ),
    "networks": (COMPUTE_API, lambda google: google.networks()),
    "routers": (COMPUTE_API, lambda google: google.routers(REGION)),
    "subnetworks": (COMPUTE_API, lambda google: google.subnetworks(REGION)),
    "disk image": (COMPUTE_API, lambda google: google.disk_image("ray")),
    "disks": (COMPUTE_API, lambda google: google.left_behind("disks")),
    "firewalls": (COMPUTE_API, lambda google: google.left_behind("firewalls")),
}
