"""A whole test cluster: Kubernetes, the operator, and nodes, fake ones or a real one.

with bed.running(folder) as cluster:
    cluster.kubectl("get", "nodes")
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

from tests.cluster import monitoring_kinds
from tests.cluster.control_plane import LOOPBACK, ControlPlane
from tests.cluster.fake_nodes import FakeNodes
from tests.cluster.kuberay import Operator
from tests.cluster.processes import eventually
from tests.cluster.ray_stand_in import RayStandIn
from tests.cluster.registry import Registry

if TYPE_CHECKING:
    from tests.cluster.pod_network import PodNetwork
    from tests.cluster.real_node import RealNode

_LIST = {"apiVersion": "v1", "kind": "List"}
_PLAIN_NODES = ("cpu-0", "cpu-1")


class Bed:
    """A cluster with its state in `folder`.

    Without a network its pods are fake, the operator hears about Ray from `stand_in`,
    and the cluster has the kinds that tell Prometheus what to read. With one, `node` is
    real, images come from `registry`, and the operator talks to Ray itself. Fake nodes
    can be added to both.
    """

    def __init__(self, folder: Path, network: PodNetwork | None = None) -> None:
        """Prepare the parts; `running` starts them."""
        address = network.address if network else LOOPBACK
        pods = {"pod_range": network.pods} if network else {}
        self.folder = folder
        self.network = network
        self.control_plane = ControlPlane(folder, address=address, **pods)
        self.nodes = FakeNodes(self.control_plane, folder)
        self.registry: Registry | None = None
        self.node: RealNode | None = None
        self.stand_in: RayStandIn | None = None
        if network:
            self.registry = Registry(folder / "registry", address=address)
            self.node = self._real_node(network, self.registry)
        else:
            self.stand_in = self._stand_in()
        asked = self.stand_in.url if self.stand_in else self.url
        self.operator = Operator(self.control_plane, folder, url=asked)

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return self.control_plane.url

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.control_plane.kubeconfig

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Return what kubectl prints, run as the administrator."""
        return self.control_plane.kubectl(*arguments, stdin=stdin)

    def start(self) -> None:
        """Start everything and wait until pods can run and Ray objects be made."""
        self.control_plane.start()
        self.nodes.start()
        self.operator.install(self.nodes)
        if self.stand_in:
            self._add_monitoring_kinds()
            self.stand_in.start()
            for name in _PLAIN_NODES:
                self.nodes.add_node(name)
        if self.registry:
            self.registry.start()
        if self.node:
            self.node.start()
        self.operator.start()

    def heal(self) -> None:
        """Start again what a test has stopped or taken away."""
        programs = (*self.control_plane.programs, self.nodes.program)
        for program in (*programs, self.operator.program):
            if not program.running:
                program.start()
        self.operator.add_deployment()

    def stop(self) -> None:
        """Stop everything, the last first, whatever was started."""
        with contextlib.ExitStack() as last_first:
            last_first.callback(self.control_plane.stop)
            last_first.callback(self.nodes.stop)
            for part in (self.stand_in, self.registry, self.node):
                if part:
                    last_first.callback(part.stop)
            last_first.callback(self.operator.stop)

    def _add_monitoring_kinds(self) -> None:
        """Let the cluster know who reads metrics; nobody does."""
        found = monitoring_kinds.definitions()
        self.control_plane.apply(json.dumps({"items": found, **_LIST}))
        names = [one["metadata"]["name"] for one in found]
        self.kubectl("wait", "--for=condition=Established", "crd", *names)
        eventually("the kinds to be served", lambda: all(map(self._is_served, found)))

    def _is_served(self, definition: Mapping[str, Any]) -> bool:
        """Whether objects of a kind are answered for, which takes a second more."""
        spec = definition["spec"]
        (version,) = (v["name"] for v in spec["versions"] if v["storage"])
        path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
        try:
            self.control_plane.get(path)
        except HTTPError as error:
            if error.code in {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}:
                return False
            raise
        return True

    def _stand_in(self) -> RayStandIn:
        return RayStandIn(
            self.url,
            ca=self.control_plane.ca,
            certificate=self.control_plane.certificate,
            address=LOOPBACK,
        )

    def _real_node(self, network: PodNetwork, registry: Registry) -> RealNode:
        from tests.cluster.real_node import RealNode

        return RealNode(
            self.control_plane, network, self.folder, registry=registry.host
        )


@contextlib.contextmanager
def running(folder: Path, *, real: bool = False) -> Iterator[Bed]:
    """Run a test cluster for as long as the block takes; its folder stays.

    Call it from the main thread: its programs die with the thread that started them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as last_first:
        network = last_first.enter_context(_network(folder)) if real else None
        cluster = Bed(folder, network)
        last_first.callback(cluster.stop)
        cluster.start()
        yield cluster


@contextlib.contextmanager
def _network(folder: Path) -> Iterator[PodNetwork]:
    from tests.cluster.pod_network import PodNetwork

    network = PodNetwork(folder)
    try:
        network.start()
        yield network
    finally:
        network.stop()
