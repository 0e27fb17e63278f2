"""What cannot work on a real node ends early, with the cause in one sentence."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cluster.bed import Bed
from tests.node.command_line import CommandLine

pytestmark = pytest.mark.node

EARLY = 240
"""Seconds; `up` alone would wait for 15 minutes."""
ABSENT = "rayproject/ray:2.60.0-absent"
HEAD = "head: {cpu: 1, memory: 3Gi}"


def the_cause(here: CommandLine, folder: Path, spec: str) -> str:
    """Bring up a cluster that cannot work, and take it away; return the error."""
    (folder / "broken").mkdir()
    head = "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: broken}\n"
    (folder / "broken" / "blueprint.yaml").write_text(f"{head}spec:\n{spec}")
    begun = time.monotonic()
    done = here("up", "./broken", cwd=folder, exit_code=1)
    assert time.monotonic() - begun < EARLY
    here("down", "broken")
    lines = done.stderr.splitlines()
    (begin,) = (n for n, line in enumerate(lines) if line.startswith("error: "))
    return "\n".join(lines[begin:])


def nothing_is_left(cluster: Bed, namespace: str) -> None:
    kinds = "rayclusters,pods,services,serviceaccounts,configmaps,leases"
    ours = ("-l", "app.kubernetes.io/managed-by=ray-gke", "-o", "name")
    assert cluster.kubectl("get", kinds, "-n", namespace, *ours) == ""


def test_an_image_that_does_not_exist(
    here: CommandLine, real_cluster: Bed, tmp_path: Path
) -> None:
    spec = f"  ray: {{image: {ABSENT!r}}}\n  {HEAD}\n  cluster: {{}}\n"
    said = the_cause(here, tmp_path, spec)
    assert f"{ABSENT}" in said.splitlines()[0]
    assert "will not become ready" in said.splitlines()[0]
    nothing_is_left(real_cluster, here.namespace)


def test_a_monitor_that_nobody_reads(
    here: CommandLine, real_cluster: Bed, tmp_path: Path
) -> None:
    """Asked for, it is refused before anything is written; else it is left out."""
    (tmp_path / "broken").mkdir()
    head = "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: broken}\n"
    spec = f"  metrics: {{mode: PodMonitoring}}\n  {HEAD}\n  cluster: {{}}\n"
    (tmp_path / "broken" / "blueprint.yaml").write_text(f"{head}spec:\n{spec}")
    done = here("up", "./broken", cwd=tmp_path, exit_code=4)
    assert "does not know PodMonitoring and Rules" in done.stderr
    assert "Managed Prometheus is not there" in done.stderr
    assert "set metrics.mode to none" in done.stderr
    nothing_is_left(real_cluster, here.namespace)
    planned = here("plan", "squares", cwd=tmp_path)
    assert "nothing reads the metrics" in planned.stderr


BAD_OPTION = f"""\
  {HEAD}
  cluster: {{}}
  patches:
    - kind: RayCluster
      patch: {{spec: {{headGroupSpec: {{rayStartParams: {{no-such-option: '1'}}}}}}}}
"""
WITHOUT_API = f"""\
  {HEAD}
  worker_groups:
    - {{name: cpu, min_replicas: 1, max_replicas: 2, cpu: 1, memory: 2Gi}}
  cluster: {{}}
  patches:
    - kind: RayCluster
      patch:
        spec:
          autoscalerOptions:
            env: [{{name: KUBERNETES_SERVICE_HOST, value: 127.0.0.1}}]
"""


def test_a_head_that_ends_again_and_again(
    here: CommandLine, real_cluster: Bed, tmp_path: Path
) -> None:
    said = the_cause(here, tmp_path, BAD_OPTION)
    assert "ended with exit code" in said.splitlines()[0]
    nothing_is_left(real_cluster, here.namespace)


def test_an_autoscaler_that_does_not_reach_the_api_server(
    here: CommandLine, real_cluster: Bed, tmp_path: Path
) -> None:
    said = the_cause(here, tmp_path, WITHOUT_API)
    assert "autoscaler" in said.splitlines()[0]
    assert "restartPolicy Never" in said.splitlines()[0]
    nothing_is_left(real_cluster, here.namespace)
