"""Terraform, its providers, and where its state is."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ray_gke.errors import Problem
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.here import Chart, Provider, Terraform
from ray_gke.targets.gke.doctor.state import Ours

_MIRROR = (
    "name a mirror as provider_installation in the file of TF_CLI_CONFIG_FILE, or a "
    "proxy in HTTPS_PROXY"
)


def terraform(found: Terraform) -> Iterator[Finding]:
    """Yield whether there is a Terraform, and from where its parts come."""
    program = found.program
    if isinstance(program, Problem):
        yield refused("terraform", "terraform", program.message, program.hint)
    else:
        yield ok("terraform", program.command[0], program.version)
    for provider in found.providers:
        yield _provider(provider)
    for chart in found.charts:
        yield _chart(chart)


def _provider(one: Provider) -> Finding:
    sites = ", ".join(one.sites)
    match one.status:
        case "here":
            return ok("terraform", one.name, "its provider is on this machine")
        case "there":
            return ok("terraform", one.name, f"its provider is to be had: {sites}")
        case "silent":
            told = (
                f"the provider {one.name} may be out of reach: {sites} does not answer "
                f"({one.reason})"
            )
            return warning(
                "terraform", one.name, told, f"curl -I https://{sites}; {_MIRROR}"
            )
        case "nowhere":
            told = (
                f"the provider {one.name} ({one.versions}) is for this machine in none "
                "of the folders that Terraform's configuration names, which names "
                "nothing else"
            )
            return refused("terraform", one.name, told, _MIRROR)


def _chart(one: Chart) -> Finding:
    host = urlsplit(one.url).hostname or one.url
    if one.reason is None:
        return ok("terraform", one.name, f"its chart is to be had: {host}")
    told = (
        f"the chart {one.name} may be out of reach: {host} does not answer "
        f"({one.reason})"
    )
    return warning(
        "terraform", one.name, told, f"curl -I {one.url}; name a proxy in HTTPS_PROXY"
    )


def state(ours: Ours, where: str) -> Iterator[Finding]:
    """Yield whether the bucket of the state can be used, if there is one."""
    bucket = ours.bucket
    if bucket is None:
        return
    if bucket.problem is None:
        yield ok("state", where, "can be read")
        return
    problem = bucket.problem
    yield Finding("state", where, bucket.status, problem.message, problem.hint)
