"""The address ranges: a network that is made has its own, one that is there must do."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from ray_gke.catalog.networks import ExistingNetwork
from ray_gke.planning.addresses import hint
from ray_gke.planning.capacity import AddressRange
from ray_gke.targets.gke.doctor.asking import Cloud
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.unread import QUESTIONS, unread
from ray_gke.targets.google.answers import Subnetwork, Unread


def addresses(needs: Needs, cloud: Cloud) -> Iterator[Finding]:
    """Yield whether subnetwork and ranges are there, and large enough."""
    existing = needs.existing
    if existing is None:
        yield ok("addresses", needs.cluster, "a network of its own: none can overlap")
        return
    project = existing.network_project_id or needs.project
    found = cloud.existing
    if isinstance(found, Unread):
        yield unread(
            "addresses", existing.subnetwork, found, QUESTIONS["existing"], project
        )
        return
    there = [one for one in found if one.name == existing.subnetwork]
    if not there:
        yield _missing(needs, existing, project)
        return
    yield from _subnetwork(needs, existing, there[0], project)


def _missing(needs: Needs, existing: ExistingNetwork, project: str) -> Finding:
    told = f"{needs.region} of {project} has no subnetwork {existing.subnetwork}"
    repair = (
        f"gcloud compute networks subnets list --regions {needs.region} "
        f"--project {project} shows all; correct network.existing in the platform file"
    )
    return refused("addresses", existing.subnetwork, told, repair)


def _subnetwork(
    needs: Needs, existing: ExistingNetwork, found: Subnetwork, project: str
) -> Iterator[Finding]:
    name = found.name
    update = (
        f"gcloud compute networks subnets update {name} --region {needs.region} "
        f"--project {project}"
    )
    if found.network != existing.network:
        told = f"the subnetwork {name} is of the network {found.network}"
        repair = f"write network: {found.network} in network.existing"
        yield refused("addresses", name, f"{told}, not of {existing.network}", repair)
    if not found.private_ip_google_access:
        told = (
            f"the subnetwork {name} has no Private Google Access, without which nodes "
            "pull no images"
        )
        yield refused(
            "addresses", name, told, f"{update} --enable-private-ip-google-access"
        )
    ranges = {
        "nodes": (name, found.range),
        "pods": _secondary(found, existing.pods_range_name),
        "services": _secondary(found, existing.services_range_name),
    }
    for need in needs.capacity.address_ranges:
        yield _range(need, *ranges[need.purpose], found, update)


def _secondary(found: Subnetwork, name: str) -> tuple[str, str | None]:
    return name, found.secondary.get(name)


def _range(
    need: AddressRange, name: str, block: str | None, found: Subnetwork, update: str
) -> Finding:
    if block is None:
        others = ", ".join(sorted(found.secondary)) or "none"
        told = (
            f"the subnetwork {found.name} has no secondary range {name} for "
            f"{need.purpose}; it has {others}"
        )
        repair = f"{update} --add-secondary-ranges {name}=RANGE"
        return refused("addresses", name, told, repair)
    size = ip_network(block, strict=False).num_addresses
    told = f"{block} for {need.purpose} has {size} addresses"
    repair = hint(need)
    if size < need.at_minimum:
        told = f"{name}: {told}; {need.at_minimum} are needed at minimum"
        return refused("addresses", name, told, repair)
    if size < need.at_maximum:
        told = f"{name}: {told}; {need.at_maximum} are needed at maximum"
        return warning("addresses", name, told, repair)
    return ok("addresses", name, f"{told}; {need.at_maximum} needed at most")
