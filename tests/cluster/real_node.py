"""A real node: containerd, kubelet, kube-proxy and a name server, in namespaces.

It needs root on Debian. Real pods run on it; its images are those of `ray_image` and
what its registry has. Everything of it ends with one process, which dies with ours.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster import image_store, machine, namespaces, packages
from tests.cluster.containerd import Containerd
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubelet import NodeAgents
from tests.cluster.namespaces import Namespaces
from tests.cluster.pod_network import PodNetwork
from tests.cluster.processes import eventually


class RealNode:
    """A node of `control_plane`, which must listen on `network.address`."""

    def __init__(  # noqa: PLR0913
        self,
        control_plane: ControlPlane,
        network: PodNetwork,
        folder: Path,
        *,
        registry: str,
        number: int = 1,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """Prepare; all state is in a folder of its own below `folder`.

        `registry` is the host and port where all images are looked for, whatever host
        their names begin with. `number` tells the nodes of one network apart.
        """
        packages.install(packages.NODE)
        self.name = f"node-{number}"
        self.folder = folder / self.name
        self._control_plane = control_plane
        self._network = network
        self._number = number
        self.namespaces = Namespaces(self.folder)
        addresses = network.node(number)
        self.address = addresses.address
        self.containerd = Containerd(
            self.namespaces, pods=addresses.pods, registry=registry
        )
        self.agents = NodeAgents(
            self.namespaces,
            addresses,
            name=self.name,
            labels=labels or {},
            taints=taints,
            kubeconfig=control_plane.kubeconfig,
            pod_range=network.pods,
        )

    def start(self) -> None:
        """Start it, and wait until pods can run and find services by name."""
        size = machine.files(self.folder / "machine")
        layers = image_store.share(self.namespaces.state / "containerd")
        self.namespaces.start(seen={**size, **layers})
        self._network.join(self._number, self.namespaces.pid)
        self.containerd.start()
        self.agents.start()
        eventually(f"{self.name} to be ready", self._is_ready)

    def stop(self) -> None:
        """End it at once, as when a machine is deleted; its objects stay.

        To let pods end in peace first, `kubectl drain` the node.
        """
        self.namespaces.stop()
        # These have ended with the namespaces; nobody has asked for their status yet.
        self.agents.stop()
        self.containerd.stop()
        self._network.leave(self._number)
        # What pods have written is large, and the next start begins anew.
        for folder in (self.namespaces.state, self.folder / "run"):
            shutil.rmtree(folder, ignore_errors=True)

    def _is_ready(self) -> bool:
        node = self._control_plane.get(f"/api/v1/nodes/{self.name}")
        # Kubernetes taints a new node until it has seen that it is ready.
        taints = {taint["key"] for taint in node["spec"].get("taints", ())}
        return "node.kubernetes.io/not-ready" not in taints and any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in node["status"].get("conditions", ())
        )


def clean(folder: Path) -> None:
    """Remove what a cluster that was killed has left outside of its folder."""
    PodNetwork(folder).stop()
    for node in folder.glob("node-*"):
        namespaces.clean(node)
