"""The version of GKE that a cluster has or gets, beside what its node pools need.

Sources: GKE "Release channels" (a new cluster has its channel's default version, and
may have any of the channel's), "About GPUs", "Use secondary boot disks to preload
data or container images", google_container_cluster (ray_operator_config).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ray_gke.gke.machines import MACHINE_TYPES
from ray_gke.targets.gke.doctor.asking import Cloud
from ray_gke.targets.gke.doctor.findings import Finding, ok, refused, warning
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.state import CLUSTER, Ours
from ray_gke.targets.gke.doctor.unread import QUESTIONS, unread
from ray_gke.targets.google.answers import Channel, ServerConfig, Unread

_SECONDARY_BOOT_DISKS = "1.28.3-gke.1067000"
_RAY_OPERATOR = "1.30.0-gke.1747000"
_TIME_SHARING = "1.23.7-gke.1400"


def version(needs: Needs, cloud: Cloud, ours: Ours) -> Iterator[Finding]:
    """Yield whether there is such a version, and whether it suffices."""
    config, where = cloud.versions, needs.location
    if isinstance(config, Unread):
        yield unread("version", where, config, QUESTIONS["versions"], needs.project)
        return
    name = needs.spec.cluster.release_channel
    channel = config.channels.get(name)
    if channel is None:
        told = f"{where} does not tell of a release channel {name}"
        repair = f"choose another of {', '.join(sorted(config.channels))}"
        yield warning("version", where, told, repair)
        return
    there = _of_cluster(needs, cloud)
    if there and ours.may_have_cluster:
        found = refused if CLUSTER in ours.types else warning
        yield from _there(needs, config, channel, there, found)
        return
    if ours.may_have_cluster:
        yield from _perhaps_there(needs, config, channel)
        return
    chosen = _chosen(needs, channel)
    if chosen is None:
        yield _no_such_version(needs, config, channel)
        return
    yield ok("version", where, f"{name} gives a new cluster {chosen}")
    for what, floor in _floors(needs):
        if _parsed(chosen) < _parsed(floor):
            told = f"{what} needs GKE {floor}; a new cluster gets {chosen} of {name}"
            yield refused("version", what, told, _newer(needs, config, floor))


def _of_cluster(needs: Needs, cloud: Cloud) -> str | None:
    """Return the version of the cluster of this name, if there is one for sure."""
    found = () if isinstance(cloud.clusters, Unread) else cloud.clusters
    mine = (needs.cluster, needs.location)
    return next((c.version for c in found if (c.name, c.location) == mine), None)


def _there(
    needs: Needs,
    config: ServerConfig,
    channel: Channel,
    version: str,
    found: Callable[..., Finding],
) -> Iterator[Finding]:
    """Yield what the platform's cluster is too old for, if `up` does not upgrade it."""
    asked = needs.spec.cluster.version and _chosen(needs, channel)
    has = max(version, asked or version, key=_parsed)
    yield ok("version", needs.location, f"the cluster is at {version}")
    for what, floor in _floors(needs):
        if _parsed(has) < _parsed(floor):
            told = f"{what} needs GKE {floor}; the cluster has {has}: upgrade it first"
            upgrade = _upgrade(needs, config, channel, floor)
            yield found("version", what, told, upgrade)


def _perhaps_there(
    needs: Needs, config: ServerConfig, channel: Channel
) -> Iterator[Finding]:
    """Yield what a cluster of which only the channel is known may be too old for."""
    name = needs.spec.cluster.release_channel
    yield ok("version", needs.location, f"the cluster goes on with {name}")
    for what, floor in _floors(needs):
        if _parsed(channel.default) < _parsed(floor):
            told = (
                f"{what} needs GKE {floor}, which the cluster may not have yet: {name} "
                f"is at {channel.default}"
            )
            upgrade = _upgrade(needs, config, channel, floor)
            yield warning("version", what, told, upgrade)


def _upgrade(needs: Needs, config: ServerConfig, channel: Channel, floor: str) -> str:
    """Return how a control plane gets to a version that suffices, the oldest here."""
    for versions in (channel.versions, config.versions, (floor,)):
        if enough := [one for one in versions if _parsed(one) >= _parsed(floor)]:
            break
    return (
        f"gcloud container clusters upgrade {needs.cluster} --master "
        f"--cluster-version {min(enough, key=_parsed)} --location {needs.location} "
        f"--project {needs.project}; if need be one minor version after the other"
    )


def _chosen(needs: Needs, channel: Channel) -> str | None:
    """Return what a new cluster gets: the newest that begins as the one asked for."""
    asked = needs.spec.cluster.version
    if asked is None:
        return channel.default
    return max(_like(asked, channel.versions), key=_parsed, default=None)


def _no_such_version(needs: Needs, config: ServerConfig, channel: Channel) -> Finding:
    """Return what to say of a version that is not its channel's."""
    asked, where = needs.spec.cluster.version or "", needs.location
    name = needs.spec.cluster.release_channel
    told = f"{name} has no GKE {asked} in {where}; it has {', '.join(channel.versions)}"
    repair = "correct cluster.version in the platform file, or leave it out"
    if _like(asked, config.versions):
        return warning("version", where, told, repair)
    return refused("version", where, told, repair)


def _like(asked: str, versions: tuple[str, ...]) -> list[str]:
    return [one for one in versions if re.match(rf"{re.escape(asked)}(?!\d)", one)]


def _floors(needs: Needs) -> list[tuple[str, str]]:
    """Return what needs which version, the highest first."""
    found: dict[str, str] = {}
    for pool in needs.capacity.pools:
        if floor := MACHINE_TYPES[pool.machine_type].min_gke_version:
            found[pool.machine_type] = floor
        if pool.secondary_boot_disks:
            found["a secondary boot disk"] = _SECONDARY_BOOT_DISKS
        if pool.sharing_strategy == "time-sharing":
            found["time-sharing"] = _TIME_SHARING
    if needs.spec.cluster.ray_operator:
        found["cluster.ray_operator"] = _RAY_OPERATOR
    return sorted(found.items(), key=lambda one: _parsed(one[1]), reverse=True)


def _newer(needs: Needs, config: ServerConfig, floor: str) -> str:
    """Return how to get a version that suffices, best in the same release channel."""
    own = needs.spec.cluster.release_channel
    for name in sorted(config.channels, key=lambda one: (one != own, one)):
        versions = config.channels[name].versions
        if new := [one for one in versions if _parsed(one) >= _parsed(floor)]:
            channel = "" if name == own else f"cluster.release_channel: {name} and "
            oldest = min(new, key=_parsed)
            return f"set {channel}cluster.version: '{oldest}' in the platform file"
    return "no release channel has it here yet: choose another machine type"


def _parsed(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
