"""Nodes that exist only as objects, made by kwok: what runs there runs at once.

A node has exactly the labels, taints and allocatable resources that a test gives it,
so it can be what GKE would create. A pod bound to it becomes Running and Ready, one of
a Job Succeeded. kwok touches only nodes that were added here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster import parts
from tests.cluster.control_plane import LOOPBACK, ControlPlane
from tests.cluster.processes import Program, answers, eventually, free_port

_ANNOTATION = "ray-gke.test/fake"
_STAGES = ("node/fast/node-*.yaml", "pod/fast/pod-*.yaml")
_PLAIN = {"cpu": "256", "memory": "1Ti", "ephemeral-storage": "2Ti", "pods": "110"}


class FakeNodes:
    """kwok and its nodes."""

    def __init__(self, control_plane: ControlPlane, folder: Path) -> None:
        """Prepare kwok, with its state and log in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._control_plane = control_plane
        address = f"{LOOPBACK}:{free_port()}"
        self.program = Program(
            "kwok",
            [
                parts.path("kwok"),
                f"--kubeconfig={control_plane.kubeconfig}",
                f"--config={_stages(folder / 'stages.yaml')}",
                f"--manage-nodes-with-annotation-selector={_ANNOTATION}=true",
                "--node-lease-duration-seconds=40",
                f"--server-address={address}",
            ],
            log=folder / "logs" / "kwok.log",
            ready=answers(f"http://{address}/healthz"),
        )

    def start(self) -> None:
        """Start kwok; nodes that were added before become ready."""
        self.program.start()

    def stop(self) -> None:
        """Stop kwok: nodes keep their state until Kubernetes misses their leases."""
        self.program.stop()

    def add_node(
        self,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
        allocatable: Mapping[str, str] | None = None,
    ) -> None:
        """Add a node and wait until it is ready.

        Without `allocatable` it has 256 CPUs and 1 TiB; what is given is the whole.
        """
        size = dict(allocatable or _PLAIN)
        size.setdefault("pods", _PLAIN["pods"])
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": {_ANNOTATION: "true"},
                "labels": {"kubernetes.io/hostname": name, **(labels or {})},
            },
            "spec": {"taints": list(taints)},
            "status": {"allocatable": size, "capacity": size},
        }
        self._control_plane.api.create("/api/v1/nodes", node)
        eventually(f"node {name} to be ready", lambda: self._is_ready(name))

    def remove_node(self, name: str) -> None:
        """Take a node away, and the pods on it, as when its machine is deleted."""
        kubectl = self._control_plane.kubectl
        kubectl("delete", "node", name, "--ignore-not-found")
        chosen = ("--all-namespaces", f"--field-selector=spec.nodeName={name}")
        kubectl("delete", "pods", *chosen, "--force", "--grace-period=0")

    def names(self) -> list[str]:
        """Return the names of the nodes that were added and not removed."""
        nodes = self._control_plane.get("/api/v1/nodes")["items"]
        return [
            node["metadata"]["name"]
            for node in nodes
            if _ANNOTATION in node["metadata"].get("annotations", ())
        ]

    def _is_ready(self, name: str) -> bool:
        node = self._control_plane.get(f"/api/v1/nodes/{name}")
        conditions = node["status"].get("conditions", ())
        ready = {"type": "Ready", "status": "True"}
        # Kubernetes taints a new node until it has seen that it is ready.
        unready = "node.kubernetes.io/not-ready"
        tainted = any(t["key"] == unready for t in node["spec"].get("taints", ()))
        return not tainted and any(ready.items() <= c.items() for c in conditions)


def _stages(file: Path) -> Path:
    """Write what nodes and pods go through: kwok does nothing without."""
    stages = parts.folder("kwok") / "kustomize" / "stage"
    found = [path for pattern in _STAGES for path in sorted(stages.glob(pattern))]
    file.write_text("\n---\n".join(path.read_text() for path in found))
    return file
