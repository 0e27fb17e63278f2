"""The project: is it there, is it paid for, are its APIs on, and may you."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.targets.gke.doctor import permissions
from ray_gke.targets.gke.doctor.asking import Cloud
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import APIS, Needs
from ray_gke.targets.gke.doctor.permissions import ENABLE, Purpose
from ray_gke.targets.gke.doctor.state import Ours
from ray_gke.targets.gke.doctor.unread import QUESTIONS, enable, grant, unread
from ray_gke.targets.google.answers import Unread

_CONSOLE = "https://console.cloud.google.com"
_SERVICE_USAGE = "serviceusage.googleapis.com"


def project(needs: Needs, cloud: Cloud) -> Finding:
    """Return how the project is. Where it is refused, nothing else can be known."""
    name, found = needs.project, cloud.project
    if found is None or (_denied(found) and _may_nothing(cloud)):
        said = f" ({found.message})" if isinstance(found, Unread) else ""
        return refused(
            "project",
            name,
            f"there is no project {name}, or not for you{said}",
            "gcloud projects list shows those that you may see; correct project in the "
            "platform file",
        )
    if isinstance(found, Unread):
        return unread("project", name, found, QUESTIONS["project"], name)
    if not found.active:
        return refused(
            "project",
            name,
            f"the project {name} is being deleted",
            f"gcloud projects undelete {name}",
        )
    return ok("project", name, f"number {found.number}")


def _denied(answer: object) -> bool:
    """Tell whether Google answered as it does for what is not there."""
    return isinstance(answer, Unread) and answer.reason == "denied"


def _may_nothing(cloud: Cloud) -> bool:
    """Tell whether nothing at all is allowed, which whoever asks may always know."""
    return cloud.granted == frozenset() or _denied(cloud.granted)


def billing(needs: Needs, cloud: Cloud) -> Finding:
    """Return whether somebody pays."""
    name, found = needs.project, cloud.billing
    if isinstance(found, Unread):
        return unread("billing", name, found, QUESTIONS["billing"], name)
    if not found:
        return refused(
            "billing",
            name,
            f"the project {name} has no billing account that is open",
            "gcloud billing accounts list tells the accounts, gcloud billing projects "
            f"link {name} --billing-account ACCOUNT gives the project one",
        )
    return ok("billing", name, "has a billing account")


def off(cloud: Cloud) -> tuple[str, ...]:
    """Return the APIs that are needed and off."""
    found = cloud.apis
    return () if isinstance(found, Unread) else tuple(sorted({*APIS} - found))


def may_enable(cloud: Cloud) -> bool:
    """Tell whether APIs can be enabled, as far as is known."""
    known = not isinstance(cloud.apis, Unread) and _SERVICE_USAGE in cloud.apis
    return known and (isinstance(cloud.granted, Unread) or ENABLE in cloud.granted)


def apis(needs: Needs, cloud: Cloud) -> Finding:
    """Return whether all APIs are on, and if not, whether `up` can turn them on."""
    name, found = needs.project, cloud.apis
    if isinstance(found, Unread):
        if found.reason == "api_off" and not found.consumer:
            return _without_service_usage(needs, found.message)
        return unread("apis", name, found, QUESTIONS["apis"], name)
    missing = off(cloud)
    if not missing:
        return ok("apis", name, f"all {len(APIS)} are on")
    if _SERVICE_USAGE in missing:
        return _without_service_usage(needs, ", ".join(missing))
    told = f"{len(missing)} APIs are off: {', '.join(missing)}"
    if may_enable(cloud):
        told = f"{told}; ray-gke up turns them on"
        return warning("apis", name, told, enable(name, *missing))
    return refused(
        "apis",
        name,
        f"{told}; the permission {ENABLE}, which turns them on, is missing",
        f"ask an administrator of the project: {enable(name, *missing)}",
    )


def _without_service_usage(needs: Needs, told: str) -> Finding:
    return refused(
        "apis",
        needs.project,
        f"{_SERVICE_USAGE}, which turns on all others, is off ({told})",
        f"{_CONSOLE}/apis/library/{_SERVICE_USAGE}?project={needs.project}",
    )


def allowed(needs: Needs, cloud: Cloud, ours: Ours) -> Iterator[Finding]:
    """Yield what you may not do, for each purpose that takes it."""
    granted = cloud.granted
    if isinstance(granted, Unread):
        yield unread(
            "permissions", needs.project, granted, QUESTIONS["granted"], needs.project
        )
        return
    for purpose in permissions.purposes(needs):
        yield _allowed(purpose, granted, ours, needs.project)


def _allowed(
    purpose: Purpose, granted: frozenset[str], ours: Ours, project: str
) -> Finding:
    lacking = [one for one in purpose.up if one not in granted]
    later = [one for one in purpose.down if one not in granted]
    if not lacking and not later:
        return ok("permissions", purpose.what, f"as {purpose.role} has them")
    repair = grant(project, purpose.role)
    if not lacking:
        told = f"ray-gke down will lack {', '.join(later)}"
        return warning("permissions", purpose.what, told, repair)
    told = f"to {purpose.what}, you lack {', '.join(lacking)}"
    if not ours.certain or ours.types >= frozenset(purpose.makes):
        # Rights on what is there may also come from elsewhere than the project.
        told = f"{told} in the project"
        return warning("permissions", purpose.what, told, repair)
    return refused("permissions", purpose.what, told, repair)


def bucket(needs: Needs, cloud: Cloud) -> Finding:
    """Return whether Terraform can lock and write its state in its bucket."""
    granted, url = cloud.bucket, f"gs://{needs.backend['bucket']}"
    if isinstance(granted, Unread):
        return unread("state", url, granted, QUESTIONS["bucket"], needs.project)
    if lacking := sorted(permissions.STATE - granted):
        return refused(
            "state",
            url,
            f"to keep the state in {url}, you lack {', '.join(lacking)}",
            f"gcloud storage buckets add-iam-policy-binding {url} --member MEMBER "
            f"--role {QUESTIONS['bucket'].role}",
        )
    return ok("state", url, f"as {QUESTIONS['bucket'].role} may")
