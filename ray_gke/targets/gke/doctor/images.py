"""Whether the container images of all runs are where nodes pull them from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ray_gke.errors import Problem
from ray_gke.targets.gke.doctor.asking import Answers
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.state import Ours
from ray_gke.targets.gke.doctor.unread import QUESTIONS, unread
from ray_gke.targets.google.answers import Unread

_REPOSITORY = "google_artifact_registry_repository"


def images(needs: Needs, answers: Answers) -> Iterator[Finding]:
    """Yield how each image is, and each disk image with container images.

    Those that one registry does not tell of for one reason are one finding.
    """
    silent: dict[str, list[str]] = {}
    for name, there in answers.images.items():
        if isinstance(there, Problem):
            silent.setdefault(there.message, []).append(name)
        else:
            yield _image(name, needs, answers.ours, there=there)
    for why, names in silent.items():
        yield _untold(names, why, needs)
    disks = answers.cloud.disks if answers.cloud else {}
    for disk in needs.boot_disks:
        yield _disk(disk, needs, there=disks.get(disk))


def _image(name: str, needs: Needs, ours: Ours, *, there: bool | None) -> Finding:
    if there:
        return ok("images", name, "is there")
    original = needs.original(name) or name
    if there is None:
        told = (
            f"whether there is an image {original}, its registry does not tell, "
            "or not to you"
        )
        return warning("images", name, told, f"docker manifest inspect {original}")
    if _to_be_pushed(name, needs, ours):
        told = f"{name} is to be in a repository that ray-gke up makes first"
        return warning("images", name, told, f"then docker push {name}")
    told = f"there is no image {original}"
    repair = f"correct its name or tag in the blueprint, or docker push {original}"
    return refused("images", name, told, repair)


def _untold(names: Sequence[str], why: str, needs: Needs) -> Finding:
    originals = [needs.original(name) or name for name in names]
    told = f"whether these are there is not known: {', '.join(originals)} ({why})"
    repair = f"docker manifest inspect {originals[0]}"
    subject = names[0] if len(names) == 1 else f"{len(names)} images"
    return warning("images", subject, told, repair)


def _to_be_pushed(name: str, needs: Needs, ours: Ours) -> bool:
    """Tell whether an image is one of the users', in a repository yet to come."""
    made = (_REPOSITORY, f"{needs.cluster}-images") in ours.resources
    own = name.startswith(f"{needs.registry.images}/") and name not in needs.copies
    return own and not made


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
