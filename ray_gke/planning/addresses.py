"""The addresses that nodes, pods and Services take of the network's ranges.

Sources: GKE "VPC-native clusters" (each node takes a block of twice its pods, rounded
up to a power of two), VPC "Subnets" (four addresses of a subnet are reserved).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Literal

from ray_gke.errors import Problem
from ray_gke.planning.capacity import AddressRange
from ray_gke.planning.runs import PlatformFacts

_RESERVED = 4
_SERVICES_PER_RUN = 3
"""Those of the head, of Serve, and one while KubeRay replaces a cluster."""


def address_ranges(
    nodes: tuple[int, int], runs: int, platform: PlatformFacts
) -> tuple[AddressRange, ...]:
    """Return what is used of each range; `nodes` is their minimum and maximum."""
    block = pods_block(platform.max_pods_per_node)
    low, high = nodes
    services = runs * _SERVICES_PER_RUN
    return (
        _range("nodes", platform.nodes_range, low + _RESERVED, high + _RESERVED),
        _range("pods", platform.pods_range, low * block, high * block),
        _range("services", platform.services_range, services, services),
    )


def pods_block(max_pods_per_node: int) -> int:
    """Return the addresses that a node takes for its pods: 256 for 110 pods."""
    return 1 << (2 * max_pods_per_node - 1).bit_length()


def faults(
    ranges: Sequence[AddressRange], platform: PlatformFacts
) -> Iterator[Problem]:
    """Yield a problem for each range that not even the minimum fits."""
    for each in ranges:
        if each.size is not None and each.at_minimum > each.size:
            place = platform.places.get(f"{each.purpose}_range")
            yield Problem(_told(each, each.at_minimum, "minimum"), place, hint(each))


def warnings(ranges: Sequence[AddressRange]) -> Iterator[str]:
    """Yield a line for each range that holds the minimum and not the maximum."""
    for each in ranges:
        if each.size is not None and each.at_minimum <= each.size < each.at_maximum:
            yield f"{_told(each, each.at_maximum, 'maximum')}; {hint(each)}"


def _range(
    purpose: Literal["nodes", "pods", "services"],
    block: str | None,
    minimum: int,
    maximum: int,
) -> AddressRange:
    size = ip_network(block, strict=False).num_addresses if block else None
    return AddressRange(purpose, block, size, minimum, maximum)


def _told(each: AddressRange, needed: int, when: str) -> str:
    return (
        f"the range {each.range} for {each.purpose} has {each.size} addresses; "
        f"{needed} are needed at {when}"
    )


def hint(each: AddressRange) -> str:
    """Return which range would hold all that is needed."""
    bits = (each.at_maximum - 1).bit_length()
    return f"use a range of /{32 - bits} or larger"
