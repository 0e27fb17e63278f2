"""The network of a cluster: its address ranges, or one that is there.

Sources: GKE "VPC-native clusters" (sizes of ranges, addresses of a node's pods) and
"Flexible Pod CIDR"; Google Cloud "Subnets" (valid and prohibited ranges), "Naming
resources" (names of networks).
"""

from __future__ import annotations

import itertools
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.locations import Project
from ray_gke.catalog.model import Model
from ray_gke.catalog.quantities import Shape

_EXAMPLE = "write a range such as 10.0.0.0/20"
_PRIVATE = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "240.0.0.0/4",
    )
)
_PROHIBITED = tuple(
    IPv4Network(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")
)
_LONGEST_OF_NODES = 29
_DEFAULTS = {"nodes": "10.0.0.0/20", "pods": "10.4.0.0/14", "services": "10.8.0.0/20"}
"""Those of the Terraform module `network`."""

_SHORTEST_OF_SERVICES, _LONGEST_OF_SERVICES = 16, 28


def _range(text: str) -> str:
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        message = f"{text[:50]!r} is not a range of IPv4 addresses"
        raise fault(message, hint=_EXAMPLE) from None
    # IPv4Network also reads 10.0.0.0 and 10.0.0.0/255.255.0.0.
    if text.partition("/")[2] != str(network.prefixlen):
        raise fault(f"{text[:50]!r} has no length such as /20", hint=_EXAMPLE)
    if text != str(network):
        message = f"{text} has bits behind its length /{network.prefixlen}"
        raise fault(message, hint=f"the range it lies in is {network}")
    if any(network.overlaps(prohibited) for prohibited in _PROHIBITED):
        message = f"{text} has addresses that Google Cloud does not allow in a network"
        raise fault(message, hint=_EXAMPLE)
    return text


def _of_nodes(text: str) -> str:
    network = IPv4Network(text)
    if not any(network.subnet_of(private) for private in _PRIVATE):
        ranges = ", ".join(str(private) for private in _PRIVATE)
        raise fault(f"{text} is not private", hint=f"take a part of one of {ranges}")
    if network.prefixlen > _LONGEST_OF_NODES:
        message = f"{text} is smaller than the smallest subnet, /{_LONGEST_OF_NODES}"
        raise fault(message, hint=f"use /{_LONGEST_OF_NODES} or larger, such as /20")
    return text


def _of_services(text: str) -> str:
    length = IPv4Network(text).prefixlen
    if not _SHORTEST_OF_SERVICES <= length <= _LONGEST_OF_SERVICES:
        limits = f"/{_SHORTEST_OF_SERVICES} to /{_LONGEST_OF_SERVICES}"
        message = f"{text} is not of a size that GKE takes for services"
        raise fault(message, hint=f"use {limits}, such as /20")
    return text


Range = Annotated[
    str,
    AfterValidator(_range),
    WithJsonSchema(
        {"type": "string", "pattern": r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$"}
    ),
]


_ResourceName = Annotated[
    str,
    Shape(
        "[a-z]([-a-z0-9]*[a-z0-9])?",
        "its name alone: small letters, digits and '-', beginning with a letter",
        most=63,
    ),
]


class ExistingNetwork(Model):
    """A network that is there: none is made, and none removed.

    Its subnetwork needs Private Google Access, and its nodes a way out, such as NAT.
    """

    network: _ResourceName = Field(description="Name of the network")
    subnetwork: _ResourceName = Field(
        description="Name of its subnetwork in the platform's region"
    )
    pods_range_name: _ResourceName = Field(
        description="Name of the subnetwork's secondary range for pods"
    )
    services_range_name: _ResourceName = Field(
        description="Name of the subnetwork's secondary range for services"
    )
    network_project_id: Project | None = Field(
        default=None,
        description="Host project of a Shared VPC; the platform's project without",
    )

    @model_validator(mode="after")
    def _two_ranges(self) -> ExistingNetwork:
        if self.pods_range_name == self.services_range_name:
            message = f"{self.pods_range_name} is the range of the pods already"
            hint = "name another secondary range"
            raise fault(message, hint=hint, at=("services_range_name",))
        return self


class Network(Model):
    """Address ranges in CIDR notation, none of which overlaps another.

    Or those of an `existing` network, which has its own.
    """

    nodes: Annotated[Range, AfterValidator(_of_nodes)] | None = Field(
        default=None, description="Range of the nodes, such as 10.0.0.0/20"
    )
    pods: Range | None = Field(
        default=None, description="Range of the pods, such as 10.4.0.0/14"
    )
    services: Annotated[Range, AfterValidator(_of_services)] | None = Field(
        default=None, description="Range of the services, such as 10.8.0.0/20"
    )
    max_pods_per_node: int = Field(
        default=110,
        ge=8,
        le=256,
        description="Pods per node; a node takes twice as many addresses",
    )

    existing: ExistingNetwork | None = Field(
        default=None, description="A network that is there, instead of one of ours"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Network:
        for key in ("nodes", "pods", "services") if self.existing else ():
            if getattr(self, key):
                message = f"{key} does not go with existing, whose ranges are there"
                raise fault(message, hint="leave one of them out", at=(key,))
        return self

    @model_validator(mode="after")
    def _apart(self) -> Network:
        given = {key: text for key in _DEFAULTS if (text := getattr(self, key))}
        ranges = {key: IPv4Network(text) for key, text in (_DEFAULTS | given).items()}
        # In an error the second is one that the file has.
        order = sorted(ranges, key=lambda key: key in given)
        for first, second in itertools.combinations(order, 2):
            one, other = ranges[first], ranges[second]
            if one.overlaps(other):
                whose = "range" if first in given else "default range"
                message = f"{other} overlaps the {whose} of the {first}, {one}"
                raise fault(message, hint="give each its own range", at=(second,))
        return self

    @model_validator(mode="after")
    def _pods_of_one_node_fit(self) -> Network:
        # GKE gives each node a block of at least twice as many addresses as pods.
        block = 32 - (2 * self.max_pods_per_node - 1).bit_length()
        if self.pods and IPv4Network(self.pods).prefixlen > block:
            message = f"{self.pods} is too small for the pods of one node, /{block}"
            hint = "use a larger range, or fewer max_pods_per_node"
            raise fault(message, hint=hint, at=("pods",))
        return self
