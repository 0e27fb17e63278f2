"""Quotas: what is granted, less what is used, beside what the platform needs.

Once something of the platform is there that counts against a quota, it is part of what
is used, and nobody tells which part. All of it may be ours, so that only a limit below
the need proves something; before that, it is the limit less what is used.

Source: Compute Engine "Create and use preemptible VMs" (without a quota of their own
Spot nodes count against the standard one).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from ray_gke.gke.machines import machine
from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.quotas import GPU_FAMILY, PREEMPTIBLE, per_node
from ray_gke.planning.capacity import NodePool, Quota
from ray_gke.targets.gke.doctor.asking import Cloud
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.state import Ours
from ray_gke.targets.gke.doctor.unread import QUESTIONS, unread
from ray_gke.targets.google.answers import Granted, Region, Unread

_PREFIX = "PREEMPTIBLE_"
_CPUS = "CPUS"
_POOL = "google_container_node_pool"
_MADE = {
    "IN_USE_ADDRESSES": "google_compute_router_nat",
    "NETWORKS": "google_compute_network",
    "ROUTERS": "google_compute_router",
    "SUBNETWORKS": "google_compute_subnetwork",
}
"""What no node counts against, and the type of Terraform's that does."""
_Table = Mapping[str, Granted]


@dataclass(frozen=True)
class _Need:
    """A quota's name, and how much is needed of it.

    `minimum` and `maximum` are what binds for sure, `perhaps` what binds at maximum
    besides, if Google counts it here.
    """

    name: str
    place: str
    minimum: int
    maximum: int
    perhaps: int = 0

    @property
    def subject(self) -> str:
        return f"{self.name} {self.place}"

    def __str__(self) -> str:
        """Return the amounts in words."""
        if not self.maximum:
            return f"{self.perhaps} needed, if it counts them"
        least = (
            f"{self.minimum} needed at minimum, " if self.maximum > self.minimum else ""
        )
        most = f"{self.maximum} at maximum" if least else f"{self.maximum} needed"
        more = f", and {self.perhaps} more if it counts them" if self.perhaps else ""
        return f"{least}{most}{more}"


def quotas(needs: Needs, cloud: Cloud, ours: Ours) -> Iterator[Finding]:
    """Yield how each quota is, and what could not be read, once for each table."""
    told: set[str] = set()
    for key, parts in _by_quota(needs).items():
        name, table = _table(parts[0], cloud)
        if table is None:
            continue  # There is no such region, which is told with its zones.
        if not isinstance(table, Unread):
            yield _judged(key, parts, table, needs, ours)
        elif name not in told:
            told.add(name)
            yield _unread(name, table, needs)


def _by_quota(needs: Needs) -> dict[tuple[str, ...], list[Quota]]:
    """Return what is certain and what is not of each quota, together."""
    found: dict[tuple[str, ...], list[Quota]] = {}
    for one in needs.quotas:
        key = (one.metric, *one.dimensions.values(), one.region or "global")
        found.setdefault(key, []).append(one)
    return found


def _need(key: tuple[str, ...], parts: Sequence[Quota]) -> _Need:
    sure = [one for one in parts if one.certain]
    return _Need(
        " ".join(key[:-1]),
        key[-1],
        sum(one.at_minimum for one in sure),
        sum(one.at_maximum for one in sure),
        sum(one.at_maximum for one in parts if not one.certain),
    )


def _table(quota: Quota, cloud: Cloud) -> tuple[str, _Table | Unread | None]:
    """Return the name of the question that tells a quota, and its answer."""
    if quota.metric == GPU_FAMILY:
        return "family_quotas", cloud.family_quotas
    if quota.region is None:
        return "global_quotas", cloud.global_quotas
    region = cloud.region
    return "region", region.quotas if isinstance(region, Region) else region


def _unread(name: str, why: Unread, needs: Needs) -> Finding:
    subject = "global" if name == "global_quotas" else needs.region
    return unread("quota", subject, why, QUESTIONS[name], needs.project)


def _judged(
    key: tuple[str, ...],
    parts: Sequence[Quota],
    table: _Table,
    needs: Needs,
    ours: Ours,
) -> Finding:
    quota, need = parts[0], _need(key, parts)
    granted = _of_family(quota, table) or table.get(quota.metric)
    if quota.metric.startswith(_PREFIX) and not (granted and granted.limit):
        return _of_standard(need, table, needs, ours)
    if granted is None:
        told = f"Google lists no quota {need.name}; {need}"
        return warning("quota", need.subject, told, page(needs))
    return _compared(need, granted, needs, ours)


def _of_family(quota: Quota, table: _Table) -> Granted | None:
    """Return the quota of a family of GPUs, or that of families without their own."""
    family = quota.dimensions.get("gpu_family")
    return table.get(family, table.get("")) if family else None


def _of_standard(spot: _Need, table: _Table, needs: Needs, ours: Ours) -> Finding:
    """Return how Spot nodes fit that have no quota of their own."""
    name = _standard(spot.name)
    granted = table.get(name)
    if granted is None:
        told = f"there is no quota {spot.name}, and none {name}; {spot}"
        return warning("quota", spot.subject, told, page(needs))
    key = (name, spot.place)
    both = _sum(_need(key, _by_quota(needs).get(key, [])), spot)
    if name == _CPUS and _has_spot_a2(needs):
        # CPUs of A2 machines have a quota of their own: then the sum is too much.
        both = replace(both, minimum=0, maximum=0, perhaps=both.maximum)
    found = _compared(both, granted, needs, ours)
    told = f"Spot nodes have no {spot.name} and count against {name}: {found.message}"
    unsure = found.status == "ok" and name != _CPUS
    status = "warning" if unsure else found.status
    repair = None if status == "ok" else page(needs)
    return Finding("quota", spot.subject, status, told, repair)


def _standard(metric: str) -> str:
    """Return what Spot nodes count against that have no such quota."""
    name = metric.removeprefix(_PREFIX)
    return {"LOCAL_SSD_GB": "LOCAL_SSD_TOTAL_GB"}.get(name, name)


def _sum(one: _Need, other: _Need) -> _Need:
    return replace(
        one,
        minimum=one.minimum + other.minimum,
        maximum=one.maximum + other.maximum,
        perhaps=one.perhaps + other.perhaps,
    )


def _compared(need: _Need, granted: Granted, needs: Needs, ours: Ours) -> Finding:
    ours_too = _may_be_ours(need.name, needs, ours)
    free = granted.limit - (0 if ours_too else granted.used or 0)
    told = f"{_granted(need, granted, ours_too=ours_too)}; {need}"
    if free < need.minimum:
        return refused("quota", need.subject, f"{need.name}: {told}", page(needs))
    if free < need.maximum + need.perhaps:
        return warning("quota", need.subject, f"{need.name}: {told}", page(needs))
    return ok("quota", need.subject, told)


def _may_be_ours(metric: str, needs: Needs, ours: Ours) -> bool:
    """Tell whether something of the platform's may be part of what is used."""
    if not ours.certain:
        return True
    if metric in _MADE:
        return _MADE[metric] in ours.types
    pools = {pool.name: pool for pool in needs.capacity.pools}
    there = [name for kind, name in ours.resources if kind == _POOL]
    # What another plan has made may count against anything.
    return any(name not in pools or metric in _counted(pools[name]) for name in there)


def _counted(pool: NodePool) -> set[str]:
    """Return what the nodes of a pool count against, if not all of it for sure."""
    of_pool = machine(pool.machine_type, pool.accelerator, pool.gpus_per_node)
    provisioning = cast("Provisioning", pool.provisioning)
    taken = per_node(of_pool, provisioning, pool.boot_disk_gib)
    names = {metric.name for metric in taken}
    return names | {_standard(name) for name in names}


def _granted(need: _Need, granted: Granted, *, ours_too: bool) -> str:
    where = "globally" if need.place == "global" else f"in {need.place}"
    whose = ", also by this platform" if ours_too else ""
    used = "" if granted.used is None else f" and {granted.used:g} used{whose}"
    return f"{granted.limit:g} granted {where}{used}"


def _has_spot_a2(needs: Needs) -> bool:
    return any(
        pool.provisioning in PREEMPTIBLE and pool.machine_type.startswith("a2-")
        for pool in needs.capacity.pools
    )


def page(needs: Needs) -> str:
    """Return where more is asked for."""
    where = "https://console.cloud.google.com/iam-admin/quotas?project="
    return f"ask for more at {where}{needs.project}, or for less in the blueprints"
