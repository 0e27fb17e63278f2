"""All that is asked of Google Cloud, and all that is changed there, by one object.

Terraform makes the platform; this is for what is known before it, and left after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google import (
    clusters,
    compute,
    left_behind,
    projects,
    quotas,
    storage,
)
from ray_gke.targets.google.answers import (
    CloudResource,
    ClusterSeen,
    Granted,
    Project,
    Region,
    Repository,
    ServerConfig,
    ServiceAccount,
    Subnetwork,
    Unread,
)
from ray_gke.targets.google.connections import Connections


class Google:
    """Google Cloud as one project sees it; may be asked from several threads at once.

    A question that Google does not answer is asked again for about 20 s, and its
    answer then is Unread. Each loads the client that it needs.
    """

    def __init__(self, credentials: Credentials, project: str) -> None:
        self._to = Connections(credentials, project)

    def project(self) -> Project | Unread | None:
        """Return the project. Google mostly denies one that is not there."""
        return projects.project(self._to)

    def billing_enabled(self) -> bool | Unread:
        """Tell whether an account pays for the project."""
        return projects.billing_enabled(self._to)

    def enabled_apis(self, names: Collection[str]) -> frozenset[str] | Unread:
        """Return which of the APIs are on, by names such as compute.googleapis.com."""
        return projects.enabled_apis(self._to, names)

    def enable_apis(self, names: Collection[str]) -> None:
        """Turn the APIs on, and wait for it. Raises FailedError."""
        projects.enable_apis(self._to, names)

    def granted(self, permissions: Collection[str]) -> frozenset[str] | Unread:
        """Return which of the permissions we have on the project."""
        return projects.granted(self._to, permissions)

    def region(self, name: str) -> Region | Unread | None:
        """Return a region's zones, and its quotas with what is used of them."""
        return compute.region(self._to, name)

    def global_quotas(self) -> Mapping[str, Granted] | Unread:
        """Return the quotas of all regions together, such as GPUS_ALL_REGIONS."""
        return compute.global_quotas(self._to)

    def family_quotas(self, region: str) -> Mapping[str, Granted] | Unread:
        """Return a region's quotas by family of GPUs, without what is used.

        The family "" is any that has no quota of its own.
        """
        return quotas.family_quotas(self._to, region)

    def accelerator_zones(self, region: str) -> Mapping[str, frozenset[str]] | Unread:
        """Return the zones of a region that offer each type of accelerator."""
        return compute.accelerator_zones(self._to, region)

    def machine_type_zones(
        self, region: str, names: Collection[str]
    ) -> Mapping[str, frozenset[str]] | Unread:
        """Return the zones of a region that offer each of the machine types."""
        return compute.machine_type_zones(self._to, region, names)

    def server_config(self, location: str) -> ServerConfig | Unread:
        """Return the versions of GKE that a region or zone offers."""
        return clusters.server_config(self._to, location)

    def clusters(self) -> tuple[ClusterSeen, ...] | Unread:
        """Return all clusters, or Unread when one location alone does not answer."""
        return clusters.clusters(self._to)

    def networks(self) -> frozenset[str] | Unread:
        """Return the names of the networks."""
        return compute.networks(self._to)

    def routers(self, region: str) -> frozenset[str] | Unread:
        """Return the names of a region's Cloud Routers."""
        return compute.routers(self._to, region)

    def subnetworks(
        self, region: str, project: str | None = None
    ) -> tuple[Subnetwork, ...] | Unread:
        """Return a region's subnetworks, of the host of a Shared VPC where given."""
        return compute.subnetworks(self._to, region, project)

    def repositories(self, location: str) -> tuple[Repository, ...] | Unread:
        """Return the repositories in a region, or in a multi-region such as `us`."""
        return clusters.repositories(self._to, location)

    def project_roles(self, member: str) -> frozenset[str] | Unread:
        """Return the roles of a member on the project, as IAM spells both.

        Roles under a condition are left out, and so are those that a group gives.
        """
        return projects.project_roles(self._to, member)

    def service_account(self, email: str) -> ServiceAccount | Unread | None:
        """Return a service account of the project."""
        return projects.service_account(self._to, email)

    def disk_image(self, name: str) -> bool | Unread:
        """Tell whether the project has an image of Compute Engine's, for disks."""
        return compute.disk_image(self._to, name)

    def object_exists(self, url: str) -> bool | Unread:
        """Tell whether Cloud Storage has an object, `gs://BUCKET/NAME`.

        Unread also where there is no such bucket.
        """
        return storage.object_exists(self._to, url)

    def granted_on_bucket(
        self, bucket: str, permissions: Collection[str]
    ) -> frozenset[str] | Unread:
        """Return which of the permissions we have on a bucket of Cloud Storage."""
        return storage.granted(self._to, bucket, permissions)

    def left_behind(self, kind: str) -> tuple[CloudResource, ...] | Unread:
        """Return all of one of CloudResource's kinds, in all places."""
        return left_behind.left_behind(self._to, kind)

    def delete(self, resource: CloudResource) -> None:
        """Delete it, and wait until it is gone. Raises FailedError."""
        left_behind.delete(self._to, resource)

    def delete_service_account(self, account: ServiceAccount) -> None:
        """Delete this one, never another of its name. Raises FailedError."""
        projects.delete_service_account(self._to, account)
