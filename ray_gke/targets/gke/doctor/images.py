"""Whether the container images of all runs are where nodes pull them from."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.errors import Problem
from ray_gke.targets.gke.doctor.asking import Answers
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.state import Ours
from ray_gke.targets.gke.doctor.unread import QUESTIONS, unread
from ray_gke.targets.google.answers import Unread

_REPOSITORY = "google_artifact_registry_repository"


def images(needs: Needs, answers: Answers) -> Iterator[Finding]:
    """Yield how each image is, and each disk image with container images."""
    for name, there in answers.images.items():
        yield _image(name, needs, answers.ours, there=there)
    disks = answers.cloud.disks if answers.cloud else {}
    for disk in needs.boot_disks:
        yield _disk(disk, needs, there=disks.get(disk))


def _image(
    name: str, needs: Needs, ours: Ours, *, there: bool | Problem | None
) -> Finding:
    if there is True:
        return ok("images", name, "is there")
    original = needs.registry.original(name) or name
    if there is not False:
        why = f": {there.message}" if there else ", or not to you"
        told = f"whether there is an image {original}, its registry does not tell{why}"
        return warning("images", name, told, f"docker manifest inspect {original}")
    if _to_be_pushed(name, needs, ours):
        told = f"{name} is to be in a repository that ray-gke up makes first"
        return warning("images", name, told, f"then {_bring(name, needs)}")
    told = f"there is no image {original}"
    repair = f"correct its name or tag in the blueprint, or {_bring(name, needs)}"
    return refused("images", name, told, repair)


def _to_be_pushed(name: str, needs: Needs, ours: Ours) -> bool:
    """Tell whether an image is one of the users', in a repository yet to come."""
    made = (_REPOSITORY, f"{needs.cluster}-images") in ours.resources
    return name.startswith(f"{needs.registry.images}/") and not made


def _bring(name: str, needs: Needs) -> str:
    """Return the command that brings an image to where it is missing."""
    mirrors = needs.registry.mode == "mirror"
    return "ray-gke images mirror" if mirrors else f"docker push {name}"


def _disk(name: str, needs: Needs, *, there: bool | Unread | None) -> Finding:
    if isinstance(there, Unread):
        return unread("images", name, there, QUESTIONS["disk_image"], needs.project)
    if there:
        return ok("images", name, "is there")
    show = f"gcloud compute images describe {name.rpartition('/')[2]} --project PROJECT"
    if there is None:
        told = f"the disk image {name} is another project's: it is not looked for"
        return warning("images", name, told, show)
    told = f"there is no disk image {name}"
    return refused("images", name, told, "correct secondary_boot_disks, or build it")
