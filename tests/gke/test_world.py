"""The world around the command line: it begins empty, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ray_gke
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.gke import world
from tests.gke.world import World
from tests.gke.written import pod, put_cluster, put_pool
from tests.terraform import program

pytestmark = pytest.mark.cluster

CLASS = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "world-balloon"},
    "value": -10,
}
PROCESS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]

SAY_WHAT_INTERRUPTS = """\
import signal
print(getattr(signal.getsignal(signal.SIGINT), "__name__", "nothing"))
"""


def standing(bed: Bed) -> dict[str, set[str]]:
    """What a test may leave behind in the cluster, and which nodes are closed."""
    kinds = {
        "namespaces": "/api/v1/namespaces",
        "nodes": "/api/v1/nodes",
        "classes": "/apis/scheduling.k8s.io/v1/priorityclasses",
    }
    found = {kind: bed.control_plane.get(path)["items"] for kind, path in kinds.items()}
    names = {
        kind: {one["metadata"]["name"] for one in items}
        for kind, items in found.items()
    }
    closed = [one for one in found["nodes"] if one["spec"].get("unschedulable")]
    return names | {"closed": {one["metadata"]["name"] for one in closed}}


def test_what_comes_while_a_world_is_open_goes_with_it(
    cluster: Bed, tmp_path: Path
) -> None:
    try:
        program.terraform()
    except program.MissingProgram as missing:
        pytest.skip(str(missing))
    with world.opened(cluster, tmp_path / "first"):
        before = standing(cluster)
    assert before["closed"] == {"cpu-0", "cpu-1"}
    with world.opened(cluster, tmp_path / "second") as gke:
        assert list(gke.folder.iterdir()) == []
        put_pool(gke.cloud, put_cluster(gke.cloud, "ray"), "plain")
        cluster.kubectl("create", "namespace", "world-run")
        cluster.control_plane.apply(json.dumps(CLASS))
        running = pod("running", {"cpu": "1"})
        cluster.control_plane.apply(json.dumps(running), namespace="world-run")
        wait = ("wait", "-n", "world-run", "--for=condition=Ready", "--timeout=60s")
        cluster.kubectl(*wait, "pod/running")
        (node,) = gke.autoscaler.nodes("plain")
        assert {node, "world-run", "world-balloon"} <= set().union(
            *standing(cluster).values()
        )
        with subprocess.Popen(
            PROCESS, env=gke.env(), stdout=subprocess.PIPE, start_new_session=True
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == b"up\n"
            assert gke.processes() == [process.pid]
            gke.end_processes()
        assert gke.processes() == []
    after = {**before, "closed": set()}
    eventually("all to be as before", lambda: standing(cluster) == after)


def test_ray_gke_can_be_interrupted_where_tests_cannot(
    gke: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As when a shell has started them in the background."""
    (tmp_path / "sitecustomize.py").write_text(SAY_WHAT_INTERRUPTS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        started = gke.start("--version")
    finally:
        signal.signal(signal.SIGINT, before)
    said, _ = started.communicate(timeout=60)
    assert said == f"default_int_handler\nray-gke {ray_gke.__version__}\n"
