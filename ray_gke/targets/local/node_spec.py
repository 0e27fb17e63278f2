"""What one Ray node is asked for, and what it answers, as files of a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

HEAD_ID = "head"
MODULE = "ray_gke.targets.local.ray_node"


@dataclass(frozen=True)
class NodeSpec:
    """One Ray node. `env` is added to the environment it is started in; `unset` goes.

    `temp` is Ray's folder. The head has either `autoscaling`, the file of its
    autoscaler's config, or `fixed`, the size of each group when none of them changes.
    `gpus` are the real ones that it may hand out to workers.
    """

    node_id: str
    group: str
    num_cpus: int
    num_gpus: int
    memory: int
    object_store_memory: int
    resources: Mapping[str, int]
    labels: Mapping[str, str]
    temp: str
    autoscaling: str = ""
    fixed: Mapping[str, int] = field(default_factory=dict)
    gpus: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()

    @property
    def is_head(self) -> bool:
        """Whether GCS, dashboard and autoscaler are to run on this node."""
        return self.node_id == HEAD_ID

    def named(self, node_id: str) -> NodeSpec:
        """Return the same for another node of the group."""
        return replace(self, node_id=node_id)

    def to_json(self) -> str:
        """Return what `read` takes."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def read(cls, file: Path) -> NodeSpec:
        """Return the spec that was written to `file`."""
        data = json.loads(file.read_text("utf-8"))
        lists = {key: tuple(data[key]) for key in ("gpus", "unset")}
        return cls(**{**data, **lists})


@dataclass(frozen=True)
class NodeReady:
    """What a Ray node tells when tasks can run on it."""

    node_id: str
    group: str
    pid: int
    ray_node_id: str
    gcs_address: str
    dashboard: str
    session: str

    def to_json(self) -> str:
        """Return what `read` takes."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, file: Path) -> NodeReady | None:
        """Return what was written to `file`, or None while it is not there."""
        try:
            return cls(**json.loads(file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def spec_file(nodes: Path, node_id: str) -> Path:
    """Where the spec of a node is."""
    return nodes / f"{node_id}.json"


def ready_file(nodes: Path, node_id: str) -> Path:
    """Where a node tells that it is ready."""
    return nodes / f"{node_id}.ready"


def log_file(nodes: Path, node_id: str) -> Path:
    """Where a node's process writes."""
    return nodes / f"{node_id}.log"


def template_file(nodes: Path, group: str) -> Path:
    """Where the spec of all nodes of a worker group is."""
    return nodes / f"{group}.group"


def command(nodes: Path, node_id: str) -> list[str]:
    """Return the argument list of the process that keeps the node."""
    return [sys.executable, "-m", MODULE, str(spec_file(nodes, node_id))]


def ready(nodes: Path) -> list[NodeReady]:
    """Return all nodes that have ever told that they are ready."""
    found = (NodeReady.read(file) for file in sorted(nodes.glob("*.ready")))
    return [node for node in found if node]
