"""The process that keeps one Ray node: `python -m ray_gke.targets.local.ray_node SPEC`.

It is `ray start --block` for one machine, and the only module that imports Ray. All
ports are on 127.0.0.1 and chosen by the system; `ray start` itself would replace that
address with the machine's own in the network.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray._private import ray_constants
from ray._private.node import Node
from ray._private.parameter import RayParams
from ray._private.utils import write_ray_address
from ray._raylet import GcsClient  # type: ignore[attr-defined]

from ray_gke.targets.local.log_lines import tail
from ray_gke.targets.local.node_provider import Keeper
from ray_gke.targets.local.node_spec import NodeReady, NodeSpec, ready_file

GCS_VARIABLE = "RAY_GKE_GCS_ADDRESS"
_LOOPBACK = "127.0.0.1"
_WATCH_SECONDS = 0.25
_HEAD_POLL_SECONDS = 0.05
_HEAD_TRIES = 600
_GCS_SECONDS = 30
_TAIL_LINES = 15


class _LocalNode(Node):  # type: ignore[misc]  # Ray has no types
    """Ray's node, which tells workers where its GCS is and ends quickly."""

    def __init__(self, spec: NodeSpec, on_gcs: Callable[[], None]) -> None:
        """Bring the node up; `on_gcs` is called as soon as workers can find its GCS."""
        self.suffix = "" if spec.is_head else f"-{spec.node_id}"
        self._on_gcs = on_gcs
        super().__init__(
            _head_params(spec) if spec.is_head else _worker_params(spec),
            head=spec.is_head,
            shutdown_at_exit=True,
            spawn_reaper=True,
        )

    def start_gcs_server(self) -> None:
        super().start_gcs_server()
        os.environ[GCS_VARIABLE] = self.gcs_address
        self._on_gcs()

    def start_api_server(self, **options: Any) -> None:
        # It takes seconds, in which the raylet comes up and workers find the head.
        self._api_server_options = options

    def start_ray_processes(self) -> None:
        super().start_ray_processes()
        if self.head:
            super().start_api_server(**self._api_server_options)

    def _get_log_file_name(
        self,
        name: str,
        suffix: str,
        unique: bool = False,  # noqa: FBT001, FBT002
    ) -> str:
        # Nodes that start at the same time would choose the same number for theirs.
        file: str = super()._get_log_file_name(name + self.suffix, suffix, unique)
        return file

    def _drain_node_before_shutdown(self) -> None:
        # The head goes last: there is no node left that could take anything over.
        if not self.head:
            super()._drain_node_before_shutdown()

    def kill_all_processes(
        self,
        check_alive: bool = True,  # noqa: FBT001, FBT002
        allow_graceful: bool = False,  # noqa: FBT001, FBT002
        wait: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        # A raylet that may end gracefully takes its workers along. The others keep
        # nothing that outlives the cluster, and Ray would wait for one after another.
        if ray_constants.PROCESS_TYPE_RAYLET in self.all_processes:
            self._kill_process_type(
                ray_constants.PROCESS_TYPE_RAYLET,
                check_alive=check_alive,
                allow_graceful=allow_graceful,
                wait=wait,
            )
        super().kill_all_processes(check_alive=False, allow_graceful=False, wait=wait)


def main() -> None:
    """Bring up the node of the spec, say so, and keep it until it is ended."""
    file = Path(sys.argv[1])
    spec = NodeSpec.read(file)
    parent = os.getppid()
    keeper = Keeper(file.parent.parent, spec.gpus, spec.fixed)
    node = _LocalNode(spec, on_gcs=keeper.top_up)  # workers and dashboard come together
    if spec.is_head:
        # Ray gives a job's driver the address in this file; without it, that of any
        # cluster whose process it finds on the machine.
        write_ray_address(node.gcs_address, spec.temp)
    _say_ready(node, spec, file.parent)
    # A worker must not outlive the autoscaler that started it.
    while spec.is_head or os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
        _end_if_broken(node)
        keeper.top_up()


def _head_params(spec: NodeSpec) -> RayParams:
    params = _params(spec)
    params.update(
        gcs_server_port=0,
        include_dashboard=True,
        dashboard_host=_LOOPBACK,
        dashboard_port=0,
        temp_dir=spec.temp,
        no_monitor=not spec.autoscaling,
        autoscaling_config=spec.autoscaling or None,
    )
    return params


def _worker_params(spec: NodeSpec) -> RayParams:
    params = _params(spec)
    _wait_for_head(os.environ[GCS_VARIABLE])
    params.update(
        gcs_address=os.environ[GCS_VARIABLE],
        # All nodes share the log folder; a second monitor would repeat its lines.
        include_log_monitor=False,
    )
    return params


def _wait_for_head(gcs_address: str) -> None:
    """Wait until the head's raylet is known; Ray's own wait looks every two seconds."""
    client = GcsClient(address=gcs_address)
    for _ in range(_HEAD_TRIES):
        if client.get_all_node_info(timeout=_GCS_SECONDS):
            return
        time.sleep(_HEAD_POLL_SECONDS)


def _params(spec: NodeSpec) -> RayParams:
    return RayParams(
        node_ip_address=_LOOPBACK,
        node_name=spec.node_id,
        num_cpus=spec.num_cpus,
        num_gpus=spec.num_gpus,
        memory=spec.memory,
        object_store_memory=spec.object_store_memory,
        resources=dict(spec.resources),
        labels=dict(spec.labels),
        min_worker_port=0,
        max_worker_port=0,
        dashboard_agent_listen_port=0,
        plasma_store_socket_name=f"{spec.temp}/{spec.node_id}.plasma",
        raylet_socket_name=f"{spec.temp}/{spec.node_id}.raylet",
        metrics_export_port=0,
    )


def _say_ready(node: Node, spec: NodeSpec, nodes: Path) -> None:
    answer = NodeReady(
        node_id=spec.node_id,
        group=spec.group,
        pid=os.getpid(),
        ray_node_id=node.node_id,
        gcs_address=node.gcs_address,
        dashboard=node.webui_url or "",
        session=node.get_session_dir_path(),
    )
    file = ready_file(nodes, spec.node_id)
    half = file.with_suffix(".half")
    half.write_text(answer.to_json(), encoding="utf-8")
    half.replace(file)


def _end_if_broken(node: _LocalNode) -> None:
    """End the node, and say why, when one of its processes has ended by itself."""
    dead = node.dead_processes()
    if not dead:
        return
    for kind, process in dead:
        print(f"{kind} ended by itself with exit code {process.returncode}")  # noqa: T201
        for line in _last_lines(Path(node.get_logs_dir_path()), kind + node.suffix):
            print(f"  {line}")  # noqa: T201
    node.kill_all_processes(check_alive=False, allow_graceful=True)
    sys.exit(1)


def _last_lines(logs: Path, name: str) -> list[str]:
    files = (logs / f"{name}.{suffix}" for suffix in ("log", "out", "err"))
    return [line for file in files for line in tail(file, _TAIL_LINES)]


if __name__ == "__main__":
    main()
