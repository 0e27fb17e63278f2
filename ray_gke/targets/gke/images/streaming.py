"""Whether nodes can stream an image, judged by what was read of cloud and registries.

Sources: GKE "Use Image streaming to pull container images" (requirements);
Batch "Use Image streaming" (the location contains that of the machines).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ray_gke.gke.image_names import ImageName, parse
from ray_gke.gke.image_registry import UPSTREAMS, ImageRegistry, is_googles
from ray_gke.planning.capacity import NodePool
from ray_gke.planning.pool_names import SYSTEM_POOL
from ray_gke.targets.gke.images import manifests
from ray_gke.targets.gke.images.manifests import Finding, Seen
from ray_gke.targets.gke.images.places import Place, contains, place
from ray_gke.targets.google.answers import Repository, Unread

NODE_IMAGE = "COS_CONTAINERD"
"""What Terraform's node pools run; images stream to no other."""
API = "containerfilesystem.googleapis.com"
USES_SERVICES = "roles/serviceusage.serviceUsageConsumer"
READS_IMAGES = "roles/artifactregistry.reader"
BYTES_PER_SECOND = 25_000_000
ASSUMPTION = (
    "a full pull is estimated at 25 MB of compressed layers a second, with unpacking: "
    "what containerd's issue 2886 measured on a machine of one CPU; larger ones are "
    "faster"
)

_BASIC = frozenset({"roles/owner", "roles/editor"})
_USES_SERVICES = _BASIC | {USES_SERVICES, "roles/serviceusage.serviceUsageAdmin"}
_READS_IMAGES = _BASIC | {
    READS_IMAGES,
    "roles/viewer",
    "roles/artifactregistry.writer",
    "roles/artifactregistry.repoAdmin",
    "roles/artifactregistry.admin",
}
_ADVISED_BYTES = 16 * 2**30
_OURS = ("images", "docker-hub", *UPSTREAMS.values())


@dataclass(frozen=True)
class Cloud:
    """What Google Cloud says: by project, and by project and location.

    `private_access` is that of a subnetwork that was there before; None where
    Terraform makes it, with Private Google Access.
    """

    streaming_api: bool | Unread
    repositories: Mapping[tuple[str, str], tuple[Repository, ...] | Unread]
    roles: Mapping[str, frozenset[str] | Unread]
    private_access: bool | Unread | None = None


@dataclass(frozen=True)
class Streaming:
    """One image: whether it can be streamed, and what a full pull would take.

    `image` is what nodes pull, `original` what files say, `read` the one whose
    manifest was read. Amounts are null where that could not be.
    """

    image: str
    original: str
    streams: Literal["yes", "no", "unknown"]
    findings: tuple[Finding, ...]
    read: str | None
    compressed_bytes: int | None
    pull_seconds: float | None


@dataclass(frozen=True)
class Judge:
    """What all images of a platform are judged by."""

    registry: ImageRegistry
    node_account: str
    cloud: Cloud

    def judged(self, image: str, original: str, seen: Seen) -> Streaming:
        """Return whether nodes can stream an image, and if not why."""
        findings = tuple(self._findings(parse(image), original, seen))
        states = {one.state for one in findings}
        size = None
        if seen.read and not seen.schema_1:
            size = seen.config_bytes + sum(one.size for one in seen.layers)
        return Streaming(
            image,
            original,
            "no" if "no" in states else "unknown" if "unknown" in states else "yes",
            findings,
            seen.read,
            size,
            None if size is None else round(size / BYTES_PER_SECOND, 1),
        )

    def _findings(
        self, name: ImageName, original: str, seen: Seen
    ) -> Iterator[Finding]:
        at = place(name)
        if at is None:
            yield _elsewhere(name)
        else:
            there = self._repository(at)
            yield from self._of_place(at, there)
            if isinstance(there, Repository):
                yield from self._of_cloud(at)
                yield from _of_image(name, there, seen)
        yield from manifests.findings(name, original, seen)

    def _repository(self, at: Place) -> Repository | Unread | None:
        found = self.cloud.repositories[at.project, at.location]
        if isinstance(found, Unread):
            return found
        return next((one for one in found if one.name == at.repository), None)

    def _of_place(
        self, at: Place, there: Repository | Unread | None
    ) -> Iterator[Finding]:
        if isinstance(there, Unread):
            text = f"the repositories of {at.project} may not be read: {there.message}"
            yield Finding("unknown", text)
        elif there is None and self._is_ours(at):
            text = (
                f"ray-gke up makes the repository {at.repository}, turns on {API} and "
                "lets the nodes read"
            )
            yield Finding("note", text)
        elif there is None:
            text = f"{at.project} has no repository {at.repository} in {at.location}"
            yield Finding("no", text, "create it, and push the image")
        else:
            yield from _of_kind(there)
        if not contains(at.location, self.registry.location):
            text = (
                f"the repository is in {at.location} and the nodes are in "
                f"{self.registry.location}: images of another place may not stream"
            )
            hint = f"copy it next to the cluster, to {self.registry.images}"
            yield Finding("warning", text, hint)

    def _is_ours(self, at: Place) -> bool:
        mine = self.registry
        names = {f"{mine.name}-{key}" for key in _OURS}
        where = (mine.project, mine.location)
        return (at.project, at.location) == where and at.repository in names

    def _of_cloud(self, at: Place) -> Iterator[Finding]:
        """What the place of the nodes, and their account, must have."""
        project, api = self.registry.project, self.cloud.streaming_api
        if isinstance(api, Unread):
            text = f"whether {API} is on may not be read: {api.message}"
            yield Finding("unknown", text)
        elif not api:
            hint = f"gcloud services enable {API} --project {project}"
            yield Finding("no", f"{API} is off in {project}", hint)
        yield from self._of_account(at)
        access = self.cloud.private_access
        if isinstance(access, Unread):
            text = f"whether the subnetwork has Private Google Access: {access.message}"
            yield Finding("unknown", text)
        elif access is False:
            text = "the subnetwork of the nodes has no Private Google Access"
            hint = "gcloud compute networks subnets update SUBNETWORK "
            yield Finding("no", text, hint + "--enable-private-ip-google-access")

    def _of_account(self, at: Place) -> Iterator[Finding]:
        roles = self.cloud.roles[at.project]
        if isinstance(roles, Unread):
            text = f"the roles of the nodes' account may not be read: {roles.message}"
            yield Finding("unknown", text)
            return
        # What a role of one's own allows does not stand in the policy.
        own = any(not role.startswith("roles/") for role in roles)
        if not roles & _USES_SERVICES:
            yield Finding(
                "unknown" if own else "no",
                f"{self.node_account} has not {USES_SERVICES} in {at.project}",
                self._to_give(USES_SERVICES, at.project),
            )
        if not (self._is_ours(at) or roles & _READS_IMAGES):
            yield Finding(
                "unknown",
                f"{self.node_account} has not {READS_IMAGES} in {at.project}; whether "
                f"it has it on {at.repository} is not read",
                self._to_give(READS_IMAGES, at.project),
            )

    def _to_give(self, role: str, project: str) -> str:
        return (
            f"gcloud projects add-iam-policy-binding {project} --member "
            f"serviceAccount:{self.node_account} --role {role}"
        )


def small_machines(pools: Sequence[NodePool]) -> Iterator[str]:
    """Yield a warning for each pool whose machines are smaller than Google advises."""
    for pool in pools:
        if pool.name != SYSTEM_POOL and pool.machine.memory_bytes <= _ADVISED_BYTES:
            yield (
                f"{pool.machine_type} of the node pool {pool.name} has "
                f"{pool.machine.memory_bytes / 2**30:g} GiB: Google advises more than "
                "16 GiB where images stream"
            )


def _elsewhere(name: ImageName) -> Finding:
    if is_googles(name.host):
        text = f"{name.host} is one of Google's own, and tells nobody its place"
        return Finding("unknown", text)
    return Finding(
        "no",
        f"{name.host} is not Artifact Registry: nodes download the image",
        "image_registry: {mode: mirror} and ray-gke images mirror put a copy next to "
        "the cluster",
    )


def _of_kind(there: Repository) -> Iterator[Finding]:
    if there.format != "DOCKER":
        text = f"the repository {there.name} is of format {there.format}, not DOCKER"
        yield Finding("no", text, "push the image to a repository of format DOCKER")
    if there.mode not in {"STANDARD_REPOSITORY", "REMOTE_REPOSITORY"}:
        text = f"the repository {there.name} is {there.mode}"
        yield Finding("no", text, "pull from one of the repositories behind it")


def _of_image(name: ImageName, there: Repository, seen: Seen) -> Iterator[Finding]:
    if seen.there is not False:
        return
    if there.mode == "REMOTE_REPOSITORY" and seen.read:
        yield Finding("unknown", f"{name} is not there yet, though its original is")
    else:
        yield Finding("no", f"{name} is not there", "ray-gke images mirror copies it")
