"""The process that keeps one Ray node: `python -m ray_gke.targets.local.ray_node SPEC`.

It is `ray start --block` for one machine, and the only module that imports Ray. All
ports are on 127.0.0.1 and chosen by the system; `ray start` itself would replace that
address with the machine's own in the network.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from ray._private import ray_constants
from ray._private.node import Node
from ray._private.parameter import RayParams

from ray_gke.targets.local.node_spec import NodeReady, NodeSpec, ready_file

GCS_VARIABLE = "RAY_GKE_GCS_ADDRESS"
_LOOPBACK = "127.0.0.1"
_WATCH_SECONDS = 0.25
_TAIL_LINES = 15


class _LocalNode(Node):
    """Ray's node, which tells its autoscaler where it is and ends quickly."""

    def start_monitor(self) -> None:
        os.environ[GCS_VARIABLE] = self.gcs_address
        super().start_monitor()

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
    node = _LocalNode(
        _head_params(spec) if spec.is_head else _worker_params(spec),
        head=spec.is_head,
        shutdown_at_exit=True,
        spawn_reaper=True,
    )
    _say_ready(node, spec, file.parent)
    # A worker must not outlive the autoscaler that started it.
    while spec.is_head or os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
        _end_if_broken(node)


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
    params.update(
        gcs_address=os.environ[GCS_VARIABLE],
        # All nodes share the log folder; a second monitor would repeat its lines.
        include_log_monitor=False,
    )
    return params


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
        metrics_export_port=0,
    )


def _say_ready(node: Node, spec: NodeSpec, nodes: Path) -> None:
    answer = NodeReady(
        node_id=spec.node_id,
        group=spec.group,
        pid=os.getpid(),
        ray_node_id=node.unique_id,
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
        for line in _last_lines(Path(node.get_logs_dir_path()), kind):
            print(f"  {line}")  # noqa: T201
    node.kill_all_processes(check_alive=False, allow_graceful=True)
    sys.exit(1)


def _last_lines(logs: Path, kind: str) -> list[str]:
    lines: list[str] = []
    for file in sorted(logs.glob(f"{kind}*.err")) + sorted(logs.glob(f"{kind}*.out")):
        lines += file.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:]
    return lines[-_TAIL_LINES:]


if __name__ == "__main__":
    main()
