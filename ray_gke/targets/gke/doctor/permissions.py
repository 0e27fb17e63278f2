"""What Terraform's stacks and ray-gke may have to be allowed, by what it is for.

Sources: the methods' reference pages of each API ("Authorization"); Terraform "Backend
Type: gcs"; IAM "Roles and
permissions" (which role has which permission); GKE "Customize your network isolation"
(container.clusters.connect for the DNS-based endpoint) and "IAM policies" (permissions
in a cluster). A node pool is made by an update of its cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

from ray_gke.targets.gke.doctor.needs import Needs

ENABLE = "serviceusage.services.enable"


@dataclass(frozen=True)
class Purpose:
    """What permissions are for, and a role that has them all.

    `makes` are the types of Terraform's resources that they make: what is there
    already need not be made. `up` are what `up` needs for that, `down` what takes it
    away again.
    """

    what: str
    role: str
    makes: tuple[str, ...]
    up: tuple[str, ...]
    down: tuple[str, ...] = ()


def _of(resource: str, *verbs: str) -> tuple[str, ...]:
    return tuple(f"{resource}.{verb}" for verb in verbs)


NETWORK = Purpose(
    "make the network",
    "roles/compute.networkAdmin",
    (
        "google_compute_network",
        "google_compute_subnetwork",
        "google_compute_router",
        "google_compute_router_nat",
    ),
    (
        *_of("compute.networks", "create", "get", "updatePolicy"),
        *_of("compute.subnetworks", "create", "get"),
        *_of("compute.routers", "create", "get", "update"),
        "compute.globalOperations.get",
        "compute.regionOperations.get",
    ),
    (
        "compute.networks.delete",
        "compute.subnetworks.delete",
        "compute.routers.delete",
    ),
)
_ALWAYS = (
    Purpose(
        "see which APIs are on",
        "roles/serviceusage.serviceUsageAdmin",
        ("google_project_service",),
        _of("serviceusage.services", "get", "list"),
    ),
    Purpose(
        "make the cluster and its node pools",
        "roles/container.admin",
        ("google_container_cluster", "google_container_node_pool"),
        (
            *_of("container.clusters", "create", "get", "update"),
            "container.operations.get",
        ),
        ("container.clusters.delete",),
    ),
    Purpose(
        "fill the cluster",
        "roles/container.admin",
        ("google_container_cluster",),
        (
            "container.clusters.connect",
            "container.namespaces.create",
            "container.customResourceDefinitions.create",
            "container.clusterRoles.create",
            "container.clusterRoleBindings.create",
            "container.deployments.create",
            "container.thirdPartyObjects.create",
        ),
    ),
    Purpose(
        "make the nodes' service account",
        "roles/iam.serviceAccountAdmin",
        ("google_service_account",),
        _of("iam.serviceAccounts", "create", "get"),
        ("iam.serviceAccounts.delete",),
    ),
    Purpose(
        "let nodes run as their service account",
        "roles/iam.serviceAccountUser",
        ("google_service_account",),
        ("iam.serviceAccounts.actAs",),
    ),
    Purpose(
        "give the nodes' service account its roles",
        "roles/resourcemanager.projectIamAdmin",
        ("google_project_iam_member",),
        _of("resourcemanager.projects", "getIamPolicy", "setIamPolicy"),
    ),
    Purpose(
        "make the registry",
        "roles/artifactregistry.admin",
        (
            "google_artifact_registry_repository",
            "google_artifact_registry_repository_iam_member",
        ),
        _of(
            "artifactregistry.repositories",
            "create",
            "get",
            "getIamPolicy",
            "setIamPolicy",
        ),
        ("artifactregistry.repositories.delete",),
    ),
    Purpose(
        "remove what a cluster leaves behind",
        "roles/compute.admin",
        (),
        (),
        (
            *_of("compute.disks", "list", "delete"),
            *_of("compute.networkEndpointGroups", "list", "delete"),
            *_of("compute.firewalls", "list", "delete"),
            "compute.networks.updatePolicy",
            *_of("compute.forwardingRules", "list", "delete"),
            "compute.globalForwardingRules.delete",
            *_of("compute.addresses", "list", "delete"),
            "compute.globalAddresses.delete",
            "compute.globalOperations.get",
            "compute.regionOperations.get",
            "compute.zoneOperations.get",
        ),
    ),
)
COPIES = Purpose(
    "copy images",
    "roles/artifactregistry.writer",
    ("google_artifact_registry_repository",),
    _of("artifactregistry.repositories", "downloadArtifacts", "uploadArtifacts"),
)
STATE = frozenset(_of("storage.objects", "create", "delete", "get", "list"))
"""What Terraform's backend needs in its bucket: it locks, writes, and unlocks."""


def purposes(needs: Needs) -> tuple[Purpose, ...]:
    """Return what permissions are needed for."""
    network = () if needs.existing else (NETWORK,)
    return (*_ALWAYS, *network, *((COPIES,) if needs.copies else ()))


def asked(found: tuple[Purpose, ...]) -> frozenset[str]:
    """Return all permissions to ask about, that of enabling APIs among them."""
    every = (permission for one in found for permission in (*one.up, *one.down))
    return frozenset((ENABLE, *every))
