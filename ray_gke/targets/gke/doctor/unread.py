"""What nobody could read, in words: which permission or API is missing.

Sources of the permissions: the methods' reference pages of each API, "Authorization".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ray_gke.targets.gke.doctor.findings import Check, Finding, warning
from ray_gke.targets.google.answers import Unread


@dataclass(frozen=True)
class Question:
    """What is asked for, the permission it takes, and a role that has it."""

    what: str
    permission: str
    role: str


_COMPUTE = "roles/compute.viewer"
_CLUSTERS = "roles/container.viewer"
_CONSUMER = "roles/serviceusage.serviceUsageConsumer"
QUESTIONS: Mapping[str, Question] = {
    "project": Question("the project", "resourcemanager.projects.get", "roles/browser"),
    "billing": Question(
        "the project's billing account", "resourcemanager.projects.get", "roles/browser"
    ),
    "apis": Question(
        "which APIs are on",
        "serviceusage.services.get",
        "roles/serviceusage.serviceUsageViewer",
    ),
    "granted": Question(
        "what you may do", "resourcemanager.projects.get", "roles/browser"
    ),
    "region": Question("the region and its quotas", "compute.regions.get", _COMPUTE),
    "global_quotas": Question("the global quotas", "compute.projects.get", _COMPUTE),
    "family_quotas": Question(
        "the quotas of newer GPUs",
        "cloudquotas.quotas.get",
        "roles/cloudquotas.viewer",
    ),
    "accelerators": Question(
        "where the GPUs are", "compute.acceleratorTypes.list", _COMPUTE
    ),
    "machine_types": Question(
        "where the machine types are", "compute.machineTypes.list", _COMPUTE
    ),
    "versions": Question("GKE's versions", "container.clusters.list", _CLUSTERS),
    "clusters": Question("the clusters", "container.clusters.list", _CLUSTERS),
    "networks": Question("the networks", "compute.networks.list", _COMPUTE),
    "subnetworks": Question("the subnetworks", "compute.subnetworks.list", _COMPUTE),
    "existing": Question("the subnetworks", "compute.subnetworks.list", _COMPUTE),
    "routers": Question("the routers", "compute.routers.list", _COMPUTE),
    "repositories": Question(
        "the repositories of Artifact Registry",
        "artifactregistry.repositories.list",
        "roles/artifactregistry.reader",
    ),
    "account": Question(
        "the service accounts",
        "iam.serviceAccounts.get",
        "roles/iam.serviceAccountViewer",
    ),
    "bucket": Question(
        "what you may do in the state's bucket",
        "storage.buckets.get",
        "roles/storage.objectUser",
    ),
    "disk_image": Question("the disk image", "compute.images.get", _COMPUTE),
}


def unread(
    check: Check,
    subject: str,
    answer: Unread,
    question: Question,
    project: str,
) -> Finding:
    """Return the warning that something could not be read, in Google's words too."""
    why, repair = _why(answer, question, project)
    message = f"{question.what} may not be read: {why}"
    # Of an API that is off Google tells no more, at great length.
    if answer.message and not answer.api:
        message = f"{message} ({answer.message})"
    return warning(check, subject, message, repair)


def grant(project: str, role: str) -> str:
    """Return the command that gives somebody a role."""
    return (
        f"gcloud projects add-iam-policy-binding {project} --member MEMBER "
        f"--role {role}"
    )


def enable(project: str, *apis: str) -> str:
    """Return the command that turns APIs on."""
    return f"gcloud services enable {' '.join(apis)} --project {project}"


def _why(answer: Unread, question: Question, project: str) -> tuple[str, str | None]:
    match answer.reason:
        case "denied":
            permission = f"the permission {question.permission} is missing"
            return permission, grant(project, question.role)
        case "api_off":
            return _off(answer, project)
        case "quota_project":
            return _of_quota_project(answer, project)
        case "throttled":
            return "too many requests a minute", "wait a minute"
        case "unreachable":
            return "Google cannot be reached", "check the network, and HTTPS_PROXY"
        case "failed":
            return "Google gave no answer", "try again in a while"


def _off(answer: Unread, project: str) -> tuple[str, str]:
    api, repair = answer.api or "an API", enable(project, answer.api or "API")
    if not answer.consumer:
        return f"{api} is off", repair
    unsure = f"if {answer.consumer} is not the number of {project}"
    told = f"{api} is off in the project {answer.consumer}, whose quota is used"
    return told, f"{repair}; {unsure}: {_count_against(project)}"


def _of_quota_project(answer: Unread, project: str) -> tuple[str, str]:
    other = answer.consumer or "another project"
    if answer.api:
        told = f"{answer.api} is off in the project {other}, whose quota is used"
    else:
        told = f"you may not use the quota of the project {other}"
    return told, _count_against(project)


def _count_against(project: str) -> str:
    """Return what lets requests count against a project.

    Source: Google Cloud "Set the quota project".
    """
    return (
        f"gcloud auth application-default set-quota-project {project}, or where nobody "
        f"logs in GOOGLE_CLOUD_QUOTA_PROJECT={project}; the role "
        f"{_CONSUMER} on {project} is needed for it"
    )
