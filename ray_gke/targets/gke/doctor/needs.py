"""What a platform needs of Google Cloud and of this machine, as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ray_gke.catalog.image_registry import beside_cluster
from ray_gke.catalog.networks import ExistingNetwork
from ray_gke.catalog.platform import Platform, PlatformSpec
from ray_gke.gke.image_names import ImageName
from ray_gke.gke.image_registry import ImageRegistry
from ray_gke.gke.quotas import GPU_FAMILY
from ray_gke.planning.capacity import Capacity, NodePool, Quota
from ray_gke.rendering import terraform_variables
from ray_gke.rendering.image_references import images_of
from ray_gke.rendering.templates import Manifest

APIS = (
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "containerfilesystem.googleapis.com",
    "dns.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "serviceusage.googleapis.com",
)
"""Those that Terraform's stack `platform` turns on."""

_LONGEST_PLAIN_NAME, _CUT, _DIGEST = 24, 17, 6


@dataclass(frozen=True)
class Needs:
    """What `up` is going to ask for.

    `images` are the container images of all runs and of KubeRay, as nodes pull them,
    `copies` those that `up` copies there, with what they are copied from.
    `repositories` are those of Artifact Registry that are made. `backend` says where
    Terraform's state is, empty where it is in a folder.
    """

    platform: str
    spec: PlatformSpec
    capacity: Capacity
    images: tuple[str, ...]
    copies: Mapping[str, str]
    repositories: tuple[str, ...]
    backend: Mapping[str, str]

    @classmethod
    def of(
        cls,
        platform: Platform,
        capacity: Capacity,
        manifests: Sequence[Manifest],
        kuberay_version: str,
        copies: Iterable[tuple[ImageName, ImageName]] = (),
    ) -> Needs:
        """Return those of a platform, with all its runs as Kubernetes objects.

        `copies` are images and their copies.
        """
        spec, name = platform.spec, platform.name
        operator = terraform_variables.operator_image(spec, kuberay_version, name)
        images = {*images_of(manifests), *([operator] if operator else [])}
        variables = terraform_variables.platform(capacity, spec, name, manifests)
        upstreams = variables.get("image_registry", {}).get("upstreams", {})
        return cls(
            name,
            spec,
            capacity,
            tuple(sorted(images)),
            {str(copy): str(source) for source, copy in copies},
            tuple(
                f"{spec.cluster.name or name}-{key}"
                for key in ("images", "docker-hub", *sorted(upstreams))
            ),
            terraform_variables.backend(spec, name, "platform"),
        )

    def original(self, image: str) -> str | None:
        """Return what an image is pulled through or copied from, None without that."""
        return self.registry.original(image) or self.copies.get(image)

    @property
    def project(self) -> str:
        """The project's id."""
        return self.spec.project or ""

    @property
    def region(self) -> str:
        """The region of everything."""
        return self.capacity.region

    @property
    def location(self) -> str:
        """Where the cluster's control plane is: the region, or its only zone."""
        zonal = self.spec.cluster.location == "zonal"
        return self.spec.zones[0] if zonal else self.region

    @property
    def cluster(self) -> str:
        """The name of the cluster, and of all that is made with it."""
        return self.spec.cluster.name or self.platform

    @property
    def existing(self) -> ExistingNetwork | None:
        """The network that is there, None where one is made."""
        return self.spec.network.existing

    @property
    def node_account(self) -> str:
        """The address of the nodes' service account, as the module `cluster` has it."""
        name = self.cluster
        if len(name) > _LONGEST_PLAIN_NAME:
            digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
            name = f"{name[:_CUT].removesuffix('-')}-{digest}"
        # The id of a project in a domain is DOMAIN:NAME.
        domain, _, project = self.project.rpartition(":")
        where = f"{project}.{domain}" if domain else project
        return f"{name}-nodes@{where}.iam.gserviceaccount.com"

    @property
    def registry(self) -> ImageRegistry:
        """Where nodes find images."""
        found = beside_cluster(self.spec, self.platform)
        assert found  # a platform of GKE has project and region
        return found

    @property
    def machine_types(self) -> frozenset[str]:
        """The machine types of all pools."""
        return frozenset(pool.machine_type for pool in self.capacity.pools)

    @property
    def accelerators(self) -> frozenset[str]:
        """The GPUs of all pools."""
        return frozenset(p.accelerator for p in self.capacity.pools if p.accelerator)

    @property
    def quotas(self) -> tuple[Quota, ...]:
        """The quotas of nodes, and of the network and its Cloud NAT if they are made.

        Source: Compute Engine's API, projects.get (quotas).
        """
        nodes = self.capacity.quotas
        if self.existing:
            return tuple(one for one in nodes if one.metric != "IN_USE_ADDRESSES")
        made = {"NETWORKS": "network", "SUBNETWORKS": "subnetwork", "ROUTERS": "router"}
        return (
            *nodes,
            *(
                Quota(metric, None, {}, 1, 1, f"{what}s", f"1 {what}")
                for metric, what in made.items()
            ),
        )

    @property
    def gpu_families(self) -> bool:
        """Tell whether a quota is one of those that Cloud Quotas alone tells."""
        return any(
            one.metric == GPU_FAMILY and one.dimensions for one in self.capacity.quotas
        )

    @property
    def boot_disks(self) -> tuple[str, ...]:
        """The disk images with container images."""
        disks = {d for pool in self.capacity.pools for d in pool.secondary_boot_disks}
        return tuple(sorted(disks))

    def zones(self, pool: NodePool) -> tuple[str, ...]:
        """Return the zones of a pool; none where GKE chooses them."""
        return pool.zones or self.capacity.zones
