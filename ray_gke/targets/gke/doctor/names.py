"""Whether somebody else has what the platform is going to make: names that are taken.

What Terraform's state of this platform has is its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ray_gke.targets.gke.doctor.asking import Cloud
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.state import Ours
from ray_gke.targets.gke.doctor.unread import QUESTIONS, unread
from ray_gke.targets.google.answers import Unread


@dataclass(frozen=True)
class _Kind:
    """What has names: the question that tells them, Terraform's type, and in words.

    `wanted` are the names that the platform takes, `there` those that are taken, and
    `delete` is what takes one away.
    """

    question: str
    type: str
    what: str
    wanted: tuple[str, ...]
    there: frozenset[str] | Unread
    delete: str


def names(needs: Needs, cloud: Cloud, ours: Ours) -> Iterator[Finding]:
    """Yield a finding for each kind of thing, and for each name that is taken."""
    for kind in _kinds(needs, cloud):
        if isinstance(kind.there, Unread):
            question = QUESTIONS[kind.question]
            yield unread("names", kind.what, kind.there, question, needs.project)
            continue
        own = {name for type_, name in ours.resources if type_ == kind.type}
        taken = [name for name in kind.wanted if name in kind.there - own]
        for name in taken:
            yield _taken(kind, name, needs, ours)
        if not taken:
            yield ok("names", kind.what, ", ".join(kind.wanted))


def _taken(kind: _Kind, name: str, needs: Needs, ours: Ours) -> Finding:
    told = f"there is a {kind.what} {name} already"
    repair = (
        f"give cluster.name another value in the platform file, or delete it: "
        f"{kind.delete.format(name=name)} --project {needs.project}"
    )
    if not ours.certain:
        unsure = "this platform may have made it, and Terraform's state does not tell"
        return warning("names", name, f"{told}; {unsure}", repair)
    told = f"{told}, which this platform has not made"
    return refused("names", name, told, repair)


def _kinds(needs: Needs, cloud: Cloud) -> Iterator[_Kind]:
    name, region, clusters = needs.cluster, needs.region, cloud.clusters
    here = f"--location {needs.location}"
    yield _Kind(
        "clusters",
        "google_container_cluster",
        "cluster",
        (name,),
        clusters
        if isinstance(clusters, Unread)
        else frozenset(c.name for c in clusters if c.location == needs.location),
        f"gcloud container clusters delete {{name}} {here}",
    )
    if needs.existing is None:
        yield from _network(needs, cloud)
    found = cloud.repositories
    yield _Kind(
        "repositories",
        "google_artifact_registry_repository",
        "repository",
        needs.repositories,
        found if isinstance(found, Unread) else frozenset(one.name for one in found),
        f"gcloud artifacts repositories delete {{name}} --location {region}",
    )
    account = cloud.account
    yield _Kind(
        "account",
        "google_service_account",
        "service account",
        (needs.node_account,),
        account
        if isinstance(account, Unread)
        else frozenset([account.email] if account else []),
        "gcloud iam service-accounts delete {name}",
    )


def _network(needs: Needs, cloud: Cloud) -> Iterator[_Kind]:
    name, region, subnetworks = needs.cluster, needs.region, cloud.subnetworks
    yield _Kind(
        "networks",
        "google_compute_network",
        "network",
        (name,),
        cloud.networks,
        "gcloud compute networks delete {name}",
    )
    yield _Kind(
        "subnetworks",
        "google_compute_subnetwork",
        "subnetwork",
        (name,),
        subnetworks
        if isinstance(subnetworks, Unread)
        else frozenset(one.name for one in subnetworks),
        f"gcloud compute networks subnets delete {{name}} --region {region}",
    )
    yield _Kind(
        "routers",
        "google_compute_router",
        "router",
        (name,),
        cloud.routers,
        f"gcloud compute routers delete {{name}} --region {region}",
    )
