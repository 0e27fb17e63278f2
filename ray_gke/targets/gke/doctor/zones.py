"""Whether the zones of the node pools have their GPUs and machine types.

Sources: GKE answers "Accelerator type … does not exist in zone …" for a pool with such
a zone; google_container_node_pool (without node_locations GKE takes the cluster's).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ray_gke.targets.gke.doctor.asking import Cloud
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.unread import QUESTIONS, unread
from ray_gke.targets.google.answers import Region, Unread

_AI_ZONE = re.compile(r"-ai\d+[a-z]$")
"""Nodes get into such a zone only where somebody names it."""

_Offered = Mapping[str, frozenset[str]]
_Wanted = dict[str, set[tuple[str, ...]]]


def zones(needs: Needs, cloud: Cloud) -> Iterator[Finding]:
    """Yield where the platform's zones, its GPUs and its machine types are."""
    region = cloud.region
    if region is None:
        yield refused(
            "zones",
            needs.region,
            f"there is no region {needs.region}, or not for this project",
            f"gcloud compute regions list --project {needs.project} shows all; correct "
            "region in the platform file",
        )
        return
    if isinstance(region, Unread):
        project = needs.project
        yield unread("zones", needs.region, region, QUESTIONS["region"], project)
    else:
        yield _named(needs, region)
    yield from _offered("accelerators", _gpus(needs), needs, cloud)
    yield from _offered("machine_types", _machines(needs), needs, cloud)


def _named(needs: Needs, region: Region) -> Finding:
    asked = {zone for pool in needs.capacity.pools for zone in needs.zones(pool)}
    if missing := sorted(asked - region.zones):
        return refused(
            "zones",
            needs.region,
            f"{needs.region} has no zone {', '.join(missing)}; it has "
            f"{', '.join(sorted(region.zones))}",
            "correct zones in the platform file or the blueprint",
        )
    return ok("zones", needs.region, ", ".join(sorted(asked)) or "GKE chooses")


def _gpus(needs: Needs) -> _Wanted:
    return _wanted(needs, {p.name: p.accelerator for p in needs.capacity.pools})


def _machines(needs: Needs) -> _Wanted:
    return _wanted(needs, {p.name: p.machine_type for p in needs.capacity.pools})


def _wanted(needs: Needs, by_pool: Mapping[str, str | None]) -> _Wanted:
    """Return in which zones each is wanted; an empty tuple is where GKE chooses."""
    found: _Wanted = {}
    for pool in needs.capacity.pools:
        if name := by_pool[pool.name]:
            found.setdefault(name, set()).add(needs.zones(pool))
    return found


def _offered(
    question: str, wanted: _Wanted, needs: Needs, cloud: Cloud
) -> Iterator[Finding]:
    answer: _Offered | Unread = getattr(cloud, question)
    if isinstance(answer, Unread):
        if wanted:
            subject, project = needs.region, needs.project
            yield unread("zones", subject, answer, QUESTIONS[question], project)
        return
    kind = question.replace("accelerators", "accelerator-types").replace("_", "-")
    list_them = f"gcloud compute {kind} list --project {needs.project}"
    for name, places in sorted(wanted.items()):
        have = answer.get(name, frozenset())
        yield (
            _nowhere(name, places, have, needs.region, list_them)
            or _perhaps(name, places, have, cloud)
            or ok("zones", name, f"in {', '.join(sorted(have))}")
        )


def _nowhere(
    name: str,
    places: set[tuple[str, ...]],
    have: frozenset[str],
    region: str,
    list_them: str,
) -> Finding | None:
    """Return where GKE would refuse a pool."""
    lacking = sorted({zone for place in places for zone in place} - have)
    if have and not lacking:
        return None
    there = f"; it is in {', '.join(sorted(have))}" if have else ""
    told = f"{name} is not in {', '.join(lacking) or region}{there}"
    repair = (
        f"{list_them} --filter name={name} tells where it is; name such zones, in the "
        "platform file or the blueprint"
    )
    return refused("zones", name, told, repair)


def _perhaps(
    name: str, places: set[tuple[str, ...]], have: frozenset[str], cloud: Cloud
) -> Finding | None:
    """Return where GKE may choose a zone without it."""
    if () not in places or not (others := _eligible(cloud) - have):
        return None
    there = ", ".join(sorted(have))
    told = (
        f"{name} is in {there} only, and GKE, which chooses the zones where none is "
        f"named, may choose {', '.join(sorted(others))}"
    )
    return warning("zones", name, told, f"name zones in the platform file: {there}")


def _eligible(cloud: Cloud) -> frozenset[str]:
    region = cloud.region
    found = region.zones if isinstance(region, Region) else frozenset()
    return frozenset(zone for zone in found if not _AI_ZONE.search(zone))
