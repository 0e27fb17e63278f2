"""Kubernetes' own rules on NetworkPolicies, which a schema cannot say.

The API server would refuse the object. Source: Kubernetes
pkg/apis/networking/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest

_PORTS = range(1, 65_536)


def faults(policy: Manifest) -> Iterator[Fault]:
    """Yield the rules that a policy breaks, whose fields the schemas have passed."""
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(policy["spec"].get(field) or ()):
            path: Path = ("spec", field, index)
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _port(port, (*path, "ports", number))
            for number, peer in enumerate(rule.get(peers) or ()):
                yield from _peer(peer, (*path, peers, number))


def _port(given: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    first, last = given.get("port"), given.get("endPort")
    for key, value in (("port", first), ("endPort", last)):
        if isinstance(value, int) and value not in _PORTS:
            message = f"{value} is not a port"
            yield Fault((*path, key), message, f"use one of 1 to {_PORTS[-1]}")
    if last is None:
        return
    if not isinstance(first, int):
        hint = "say with port, as a number, where the range begins"
        yield Fault((*path, "endPort"), "stands without the number of a port", hint)
    elif last < first:
        message = f"{last} is below port {first}"
        yield Fault((*path, "endPort"), message, "begin the range with the lower port")


def _peer(peer: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    if not peer:
        hint = "name ipBlock, podSelector or namespaceSelector"
        yield Fault(path, "says of nobody who it is", hint)
    block = peer.get("ipBlock")
    if block is None:
        return
    if len(peer) > 1:
        hint = "make it two entries, or leave one of them out"
        yield Fault((*path, "ipBlock"), "stands beside another selector", hint)
    yield from _block(block, (*path, "ipBlock"))


def _block(block: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    hint = "write a range such as 10.0.0.0/8"
    whole = _range(block["cidr"])
    if whole is None:
        yield Fault((*path, "cidr"), f"{block['cidr']!r} is not a range", hint)
    for index, cidr in enumerate(block.get("except") or ()):
        place = (*path, "except", index)
        part = _range(cidr)
        if part is None:
            yield Fault(place, f"{cidr!r} is not a range", hint)
        elif whole and (part == whole or not _is_within(part, whole)):
            yield Fault(place, f"{cidr} is no part of {block['cidr']}", hint)


def _range(cidr: str) -> IPv4Network | IPv6Network | None:
    # Python also takes an address alone, and a netmask.
    _, slash, length = cidr.partition("/")
    if not slash or not length.isdecimal():
        return None
    try:
        return ip_network(cidr, strict=False)
    except ValueError:
        return None


def _is_within(
    part: IPv4Network | IPv6Network, whole: IPv4Network | IPv6Network
) -> bool:
    addresses = (part.network_address, part.broadcast_address)
    return all(address in whole for address in addresses)
