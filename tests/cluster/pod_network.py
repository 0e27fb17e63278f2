"""The network between this machine and its real nodes: a bridge, and routes to pods.

The control plane listens on the bridge, so that pods reach it, and it reaches them.
Nodes and pods reach each other and this machine, and nothing beyond.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_NODES = 8
_PREFIX = "raygke"
# Second bytes of 10.0.0.0/8 that a network may take; service ranges begin at 10.96.
_CHOICES = range(200, 240)


class NetworkError(Exception):
    """The network cannot be had; the message says why."""


@dataclass(frozen=True)
class NodeAddresses:
    """What belongs to a node; they are numbered from 1."""

    network: int
    number: int

    @property
    def address(self) -> str:
        """The node's own address."""
        return f"10.{self.network}.0.{self.number + 1}"

    @property
    def pods(self) -> str:
        """The range of its pods."""
        return f"10.{self.network}.{self.number}.0/24"

    @property
    def link(self) -> str:
        """The name of the node's link on this machine."""
        return f"{_PREFIX}{self.network}n{self.number}"


class PodNetwork:
    """The network of the test cluster in `folder`."""

    def __init__(self, folder: Path) -> None:
        """Choose the bridge's hardware address, by which it is found again."""
        digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()
        # 02 begins an address that no hardware has.
        self._mac = ":".join(["02", *(digest[i : i + 2] for i in range(0, 10, 2))])
        self._number: int | None = None

    @property
    def number(self) -> int:
        """The second byte of all addresses, once the network was started."""
        if self._number is None:
            raise NetworkError("the pod network has no addresses before `start()`")
        return self._number

    @property
    def bridge(self) -> str:
        """The name of the bridge."""
        return f"{_PREFIX}{self.number}"

    @property
    def address(self) -> str:
        """This machine's address: where the control plane listens."""
        return f"10.{self.number}.0.1"

    @property
    def pods(self) -> str:
        """The range of the pods of all nodes."""
        return f"10.{self.number}.0.0/16"

    def node(self, number: int) -> NodeAddresses:
        """Return the addresses of a node."""
        if not 1 <= number <= MAX_NODES:
            raise NetworkError(f"nodes are numbered from 1 to {MAX_NODES}: {number}")
        return NodeAddresses(self.number, number)

    def start(self) -> None:
        """Make the bridge, and the routes to the pods of all nodes to come."""
        self.stop()
        self._number = self._made_bridge()
        _ip(f"address add {self.address}/24 dev {self.bridge}")
        _ip(f"link set {self.bridge} up")
        for route in self._routes(but=0):
            _ip(route)

    def stop(self) -> None:
        """Remove the bridge, also one that an earlier run in the folder has left."""
        for bridge in _links("type bridge"):
            name = bridge["ifname"]
            if name.startswith(_PREFIX) and bridge["address"] == self._mac:
                # Links of nodes go with their namespaces, but that may take a moment.
                for link in _links(f"master {name}"):
                    _ip(f"link delete {link['ifname']}")
                _ip(f"link delete {name}")
        self._number = None

    def join(self, number: int, pid: int) -> None:
        """Give the namespaces of `pid`, which are a node's, its link and its routes."""
        node = self.node(number)
        _ip(f"link add {node.link} type veth peer name eth0 netns {pid}")
        _ip(f"link set {node.link} master {self.bridge} up")
        inside = ("nsenter", f"--net=/proc/{pid}/ns/net")
        _ip(f"address add {node.address}/24 dev eth0", inside)
        _ip("link set lo up", inside)
        _ip("link set eth0 up", inside)
        for route in self._routes(but=number):
            _ip(route, inside)

    def leave(self, number: int) -> None:
        """Remove the link of a node, if there is one."""
        name = self.node(number).link
        if any(link["ifname"] == name for link in _links("type veth")):
            _ip(f"link delete {name}")

    def _made_bridge(self) -> int:
        """Make a bridge whose addresses nobody else has; return its number."""
        taken = {route["dst"] for route in _asked("route show")}
        for number in _CHOICES:
            if any(destination.startswith(f"10.{number}.") for destination in taken):
                continue
            name = f"{_PREFIX}{number}"
            if not any(link["ifname"] == name for link in _links("type bridge")):
                _ip(f"link add {name} address {self._mac} type bridge")
                return number
        raise NetworkError(
            f"no network from 10.{_CHOICES.start}.0.0/16 to "
            f"10.{_CHOICES.stop - 1}.0.0/16 is free: see `ip route`"
        )

    def _routes(self, *, but: int) -> list[str]:
        others = [self.node(n) for n in range(1, MAX_NODES + 1) if n != but]
        return [f"route add {node.pods} via {node.address}" for node in others]


def _links(which: str) -> list[dict[str, Any]]:
    return _asked(f"link show {which}")


def _asked(question: str) -> list[dict[str, Any]]:
    told = _run(["ip", "-json", *question.split()])
    # Options without any link are answered with empty objects.
    return [entry for entry in json.loads(told or "[]") if entry]


def _ip(command: str, inside: tuple[str, ...] = ()) -> None:
    _run([*inside, "ip", *command.split()])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NetworkError(
            f"`{' '.join(command)}` failed: {done.stderr.strip()}; a real node needs "
            "root, and a kernel with bridges, veth links and network namespaces"
        )
    return done.stdout
