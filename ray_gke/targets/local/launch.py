"""Bring up the head, and wait for it and for the workers that its autoscaler starts."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ray_gke.errors import FailedError
from ray_gke.planning.machine import LocalPlan
from ray_gke.planning.plan import Group
from ray_gke.targets.local import autoscaling, environment, node_spec, processes
from ray_gke.targets.local.log_lines import tail
from ray_gke.targets.local.node_spec import HEAD_ID, NodeReady
from ray_gke.targets.local.run_folder import RunFolder, writing

if TYPE_CHECKING:
    from subprocess import Popen

_HEAD_SECONDS = 120
_WORKER_SECONDS = 60
_POLL_SECONDS = 0.05
_SHOWN_LINES = 15
_FAILED_STARTS = 3


class BroughtDown(FailedError):
    """Somebody else has brought the run down."""


@dataclass
class Cluster:
    """A cluster that this process has started and watches."""

    run: RunFolder
    process: Popen[bytes]
    head: NodeReady = field(init=False)

    def check(self) -> None:
        """Raise FailedError when the cluster is gone or being brought down."""
        if self.run.stop.exists():
            raise FailedError(
                f"{self.run.name} was brought down while it was coming up"
            )
        code = self.process.poll()
        if code is not None:
            log = node_spec.log_file(self.run.nodes, HEAD_ID)
            raise FailedError(
                f"the head of {self.run.name} ended with exit code {code}"
                + _quoted(log, _SHOWN_LINES),
                hint=f"ray-gke logs {self.run.name} shows more",
            )

    def wait(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `done`, while the cluster lives, at most `seconds`."""
        deadline = time.monotonic() + seconds
        while not done():
            self.check()
            if time.monotonic() > deadline:
                raise FailedError(
                    f"{what} did not come up within {seconds:.0f} s",
                    hint="the machine may be too busy; see the logs in "
                    f"{self.run.logs}",
                )
            time.sleep(_POLL_SECONDS)


def prepare(local: LocalPlan, run: RunFolder) -> None:
    """Write what the nodes of `local` will read."""
    run.place("token", secrets.token_urlsafe(32))
    with writing(run.path):
        run.nodes.mkdir(mode=0o700)
        run.code.mkdir(mode=0o700)
        for name, content in local.plan.files.items():
            file = run.code / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    run.make_temp()
    run.place(
        run.autoscaling.name, json.dumps(autoscaling.config(local, run), indent=1)
    )
    _place(run, node_spec.spec_file, HEAD_ID, autoscaling.head_spec(local, run))
    for group in local.plan.worker_groups:
        template = autoscaling.worker_template(group, local, run)
        _place(run, node_spec.template_file, group.name, template)


def _place(
    run: RunFolder,
    where: Callable[[Path, str], Path],
    name: str,
    spec: node_spec.NodeSpec,
) -> None:
    run.place(str(where(run.nodes, name).relative_to(run.path)), spec.to_json())


def start_head(local: LocalPlan, run: RunFolder) -> Cluster:
    """Start the head and return once tasks can run on it."""
    env = environment.of_head(local, run, os.environ)
    env["RAY_CLOUD_INSTANCE_ID"] = HEAD_ID
    head_gpus = local.gpus[: local.plan.head.num_gpus]
    if local.gpus:
        env["CUDA_VISIBLE_DEVICES"] = ",".join(head_gpus)
    with writing(run.path):
        process = processes.start(
            node_spec.command(run.nodes, HEAD_ID),
            env=env,
            cwd=run.code,
            log=node_spec.log_file(run.nodes, HEAD_ID),
        )
    cluster = Cluster(run, process)
    ready = node_spec.ready_file(run.nodes, HEAD_ID)
    cluster.wait(ready.exists, _HEAD_SECONDS, f"the head of {run.name}")
    found = NodeReady.read(ready)
    assert found
    cluster.head = found
    return cluster


def wait_for_workers(cluster: Cluster, groups: tuple[Group, ...]) -> int:
    """Return the number of workers once every group has its `min_replicas`."""
    least = {group.name: group.min_replicas for group in groups}
    needed = sum(least.values())

    def enough() -> bool:
        _check_starts(cluster.run, least)
        have = alive(cluster.run)
        return all(have[name] >= count for name, count in least.items())

    cluster.wait(enough, _WORKER_SECONDS * (1 + needed), "the workers")
    return alive(cluster.run).total()


def alive(run: RunFolder) -> Counter[str]:
    """Return how many workers of each group can run tasks now."""
    return Counter(
        node.group
        for node in node_spec.ready(run.nodes)
        if node.node_id != HEAD_ID and processes.is_alive(node.pid)
    )


def _check_starts(run: RunFolder, least: dict[str, int]) -> None:
    """Raise FailedError when the workers of a group end again and again."""
    for group, count in least.items():
        logs = sorted(
            run.nodes.glob(f"{group}-????????.log"), key=lambda f: f.stat().st_mtime
        )
        if len(logs) > count + _FAILED_STARTS:
            raise FailedError(
                f"the workers of group {group} end as soon as they start"
                + _quoted(logs[0], _SHOWN_LINES)
            )


def _quoted(log: Path, count: int) -> str:
    lines = tail(log, count)
    return ":\n" + "\n".join(f"  {line}" for line in lines) if lines else ""
