"""From answers to findings: pure, one topic after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ray_gke.errors import Problem
from ray_gke.targets.gke.doctor import (
    addresses,
    images,
    machine,
    names,
    project,
    quotas,
    version,
    zones,
)
from ray_gke.targets.gke.doctor.asking import Answers, Cloud
from ray_gke.targets.gke.doctor.findings import Finding, Report, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs

_SUBJECT = "Application Default Credentials"
_NETWORK = "check the network, and HTTPS_PROXY"
_LOGIN = "gcloud auth application-default login"
_NOT_ACCEPTED = re.compile(
    r"(invalid|missing required) authentication credential|cannot be refreshed"
    r"|refresh the access token|invalid_grant|invalid_rapt"
)
"""What Google and google-auth say of a token that has expired, or never was one."""


def judge(needs: Needs, answers: Answers) -> Report:
    """Return everything that follows from the answers."""
    cloud = answers.cloud
    findings = (*_of_cloud(needs, answers), *_of_machine(needs, answers))
    may = cloud is not None and _login(answers) is None and project.may_enable(cloud)
    return Report(findings, project.off(cloud) if cloud and may else ())


def _of_machine(needs: Needs, answers: Answers) -> Iterator[Finding]:
    yield from machine.terraform(answers.terraform)
    backend = needs.backend
    where = f"gs://{backend['bucket']}/{backend['prefix']}" if backend else ""
    yield from machine.state(answers.ours, where)
    # Of one that is not there, or not for us, it is told already.
    if answers.cloud and answers.ours.bucket and not answers.ours.bucket.problem:
        yield project.bucket(needs, answers.cloud)


def _of_cloud(needs: Needs, answers: Answers) -> Iterator[Finding]:
    cloud = answers.cloud
    if (problem := _login(answers)) or cloud is None:
        why = problem or Problem("nobody is logged in", hint=_LOGIN)
        yield refused("credentials", _SUBJECT, why.message, why.hint)
        return
    if away := _away(cloud):
        yield warning(
            "credentials", _SUBJECT, f"Google Cloud cannot be asked: {away}", _NETWORK
        )
        yield from images.images(needs, answers)
        return
    yield ok("credentials", _SUBJECT, "Google takes them")
    there = project.project(needs, cloud)
    yield there
    if there.status != "refused":
        yield from _of_project(needs, answers, cloud)


def _of_project(needs: Needs, answers: Answers, cloud: Cloud) -> Iterator[Finding]:
    ours = answers.ours
    yield project.billing(needs, cloud)
    yield project.apis(needs, cloud)
    yield from project.allowed(needs, cloud, ours)
    yield from quotas.quotas(needs, cloud, ours)
    yield from zones.zones(needs, cloud)
    yield from version.version(needs, cloud, ours)
    yield from addresses.addresses(needs, cloud)
    yield from names.names(needs, cloud, ours)
    yield from images.images(needs, answers)


def _away(cloud: Cloud) -> str:
    """Return why Google answers nothing at all; empty where it answers something."""
    unread = cloud.unread()
    if any(one.reason != "unreachable" for one in unread) or cloud.answered:
        return ""
    return unread[0].message


def _login(answers: Answers) -> Problem | None:
    """Return why there is no valid login: there is none, or Google takes it not."""
    if answers.login or answers.cloud is None:
        return answers.login
    for one in answers.cloud.unread():
        if _NOT_ACCEPTED.search(one.message):
            return Problem(
                f"Google does not accept the login: {one.message}", hint=_LOGIN
            )
    return None
