"""How workers are started and ended on this machine.

Ray's monitor process loads `LocalNodeProvider` and speaks to it through
`ray.autoscaler.v2.instance_manager.node_provider.NodeProviderAdapter`: a private
interface, so Ray's version is pinned and tests/local runs it.

When no group changes its size there is no autoscaler, as on KubeRay: its process costs
seconds, and it complains of all tasks that wait. Then the head's `Keeper` has the
provider replace lost workers, which KubeRay does itself.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray_gke.planning.plan import HEAD
from ray_gke.targets.local import node_spec, processes
from ray_gke.targets.local.node_spec import HEAD_ID, NodeSpec

if TYPE_CHECKING:
    from subprocess import Popen

# ray/autoscaler/tags.py
_KIND = "ray-node-type"
_GROUP = "ray-user-node-type"
_DRAIN_SECONDS = 35
_TOP_UP_SECONDS = 1


@dataclass(frozen=True)
class _Worker:
    tags: Mapping[str, str]
    process: Popen[bytes]
    gpus: tuple[str, ...]


class LocalNodeProvider:
    """Workers as processes of this machine. Ray calls it from several threads."""

    def __init__(self, provider_config: Mapping[str, Any], cluster_name: str) -> None:
        """Take what `autoscaling.config` has put under `provider`."""
        self.provider_config = provider_config
        self.cluster_name = cluster_name
        self._folder = Path(provider_config["run_folder"])
        self._gpus = list(provider_config["gpus"])
        self._workers: dict[str, _Worker] = {}
        self._lock = threading.RLock()

    @staticmethod
    def bootstrap_config(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Ray asks for this; there is nothing to prepare."""
        return cluster_config

    def non_terminated_nodes(self, tag_filters: Mapping[str, str]) -> list[str]:
        """Return the ids of the head and of all workers whose process lives."""
        with self._lock:
            self._forget_dead()
            ids = [HEAD_ID, *self._workers]
            wanted = tag_filters.items()
            return [i for i in ids if wanted <= self.node_tags(i).items()]

    def is_running(self, node_id: str) -> bool:
        """Whether the node's process lives."""
        return node_id in self.non_terminated_nodes({})

    def is_terminated(self, node_id: str) -> bool:
        """Whether the node's process has ended."""
        return not self.is_running(node_id)

    def node_tags(self, node_id: str) -> dict[str, str]:
        """Return the tags that a node was created with."""
        if node_id == HEAD_ID:
            return {_KIND: "head", _GROUP: HEAD}
        with self._lock:
            return dict(self._workers[node_id].tags)

    def create_node_with_resources_and_labels(
        self,
        _node_config: Mapping[str, Any],
        tags: Mapping[str, str],
        count: int,
        _resources: Mapping[str, float],
        _labels: Mapping[str, str],
    ) -> None:
        """Start `count` workers of the group in `tags`, unless the run is ending."""
        with self._lock:
            for _ in range(count):
                if not (self._folder / "stop").exists():
                    self._create(tags)

    def terminate_nodes(self, node_ids: list[str]) -> None:
        """Drain and end workers; the autoscaler has usually drained them before."""
        with self._lock:
            chosen = [self._workers[i] for i in node_ids if i in self._workers]
        for worker in chosen:
            worker.process.terminate()
        for worker in chosen:
            threading.Thread(target=_reap, args=(worker.process,), daemon=True).start()

    def post_process(self) -> None:
        """Ray asks for this; there is nothing to do."""

    def safe_to_scale(self) -> bool:
        """Workers can always be started."""
        return True

    def _create(self, tags: Mapping[str, str]) -> None:
        nodes = self._folder / "nodes"
        group = tags[_GROUP]
        spec = NodeSpec.read(node_spec.template_file(nodes, group))
        node_id = f"{group}-{secrets.token_hex(4)}"
        gpus = tuple(self._gpus[: spec.num_gpus])
        del self._gpus[: spec.num_gpus]
        node_spec.spec_file(nodes, node_id).write_text(spec.named(node_id).to_json())
        process = processes.start(
            node_spec.command(nodes, node_id),
            env=self._environment(spec, node_id, gpus),
            cwd=self._folder / "code",
            log=node_spec.log_file(nodes, node_id),
        )
        self._workers[node_id] = _Worker(tags, process, gpus)

    def _environment(
        self, spec: NodeSpec, node_id: str, gpus: tuple[str, ...]
    ) -> dict[str, str]:
        base = {k: v for k, v in os.environ.items() if k not in spec.unset}
        env = {**base, **spec.env, "RAY_CLOUD_INSTANCE_ID": node_id}
        if self.provider_config["gpus"]:
            env["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
        return env

    def _forget_dead(self) -> None:
        for node_id, worker in list(self._workers.items()):
            if worker.process.poll() is not None:
                self._gpus += worker.gpus
                del self._workers[node_id]


class Keeper:
    """Keeps groups at the size that they have for ever."""

    def __init__(
        self, run_folder: Path, gpus: Sequence[str], fixed: Mapping[str, int]
    ) -> None:
        """`fixed` is how many workers each group has."""
        config = {"run_folder": str(run_folder), "gpus": list(gpus)}
        self._provider = LocalNodeProvider(config, run_folder.name)
        self._fixed = fixed
        self._next = 0.0

    def top_up(self) -> None:
        """Start what is missing, but not more often than every second."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _TOP_UP_SECONDS
        for group, count in self._fixed.items():
            tags = {_KIND: "worker", _GROUP: group}
            missing = count - len(self._provider.non_terminated_nodes(tags))
            self._provider.create_node_with_resources_and_labels(
                {}, tags, missing, {}, {}
            )


def _reap(process: Popen[bytes]) -> None:
    processes.wait(process, _DRAIN_SECONDS)
