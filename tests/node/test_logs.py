"""What a real job and a real Serve replica log is in files that Fluent Bit is to read.

Fluent Bit itself does not run here: what has its name in the test registry only waits.
Its globs and its pattern, as the ConfigMap in the cluster has them, are tried on the
files that Ray writes on the volume that both containers mount.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.fluent_bit import FluentBit
from tests.node.command_line import PATIENCE, CommandLine

pytestmark = pytest.mark.node

LOGS = "/tmp/ray/session_latest/logs"
LET_GO = "/tmp/over"

BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: logged}
spec:
  logs: {mode: sidecar}
  head: {cpu: 2, memory: 4Gi}
  job: {entrypoint: python logged.py}
"""
# The cluster goes with the end of its job, so it waits until it was looked at.
SCRIPT = f"""\
import logging
import os
import pathlib
import time

import ray
from ray import serve


@ray.remote(max_retries=0)
def task():
    print("a line of a task in process", os.getpid(), flush=True)
    try:
        raise ValueError("no such number")
    except ValueError:
        logging.getLogger("task").exception("a task failed")
        raise


@serve.deployment(ray_actor_options={{"num_cpus": 0}})
class Echo:
    async def __call__(self):
        logging.getLogger("ray.serve").info("a line of a replica")
        return serve.get_replica_context().replica_id.unique_id


ray.init()
print("a line of the driver", flush=True)
try:
    ray.get(task.remote())
except ray.exceptions.RayTaskError:
    logging.exception("the driver saw it fail")
handle = serve.run(Echo.bind(), name="logged_app")
print("replica:", handle.remote().result(), flush=True)
print("all is logged", flush=True)
while not pathlib.Path({LET_GO!r}).exists():
    time.sleep(0.5)
"""


@dataclass(frozen=True)
class Head:
    """The head's pod, and what its ConfigMap makes of its files."""

    cluster: Bed
    namespace: str
    pod: dict[str, Any]
    fluent_bit: FluentBit

    def __call__(self, *command: str) -> str:
        """Run a command beside Ray."""
        name = self.pod["metadata"]["name"]
        inside = ("exec", name, "-n", self.namespace, "-c", "ray-head", "--")
        return self.cluster.kubectl(*inside, *command)

    def files(self) -> list[str]:
        """Return the paths of all log files."""
        return self("find", f"{LOGS}/", "-type", "f").split()

    def where(self, line: str) -> list[dict[str, str]]:
        """Return what is told of each file that is read and has this line."""
        search = f"grep -rlF {line!r} {LOGS}/ || true"

        def found() -> list[str]:
            told = self("bash", "-c", search).split()
            return [path for path in told if self.fluent_bit.reads(path)]

        eventually(f"a file that is read with {line!r}", found)
        return [{**self.fluent_bit.fields(path), "path": path} for path in found()]


@pytest.fixture
def head(here: CommandLine, real_cluster: Bed, tmp_path: Path) -> Iterator[Head]:
    """The head of a job that has logged everything, and waits."""
    folder = tmp_path / "logged"
    folder.mkdir()
    (folder / "blueprint.yaml").write_text(BLUEPRINT)
    (folder / "logged.py").write_text(SCRIPT)
    running = here.start("up", "./logged", cwd=tmp_path)
    running.wait_for("all is logged", timeout=PATIENCE)
    kubectl = functools.partial(real_cluster.kubectl, "-n", here.namespace, "get")
    chosen = ("pods", "-l", "ray.io/node-type=head", "-o", "json")
    (pod,) = json.loads(kubectl(*chosen))["items"]
    config_map = json.loads(kubectl("configmap", "logged-fluent-bit", "-o", "json"))
    found = Head(real_cluster, here.namespace, pod, FluentBit.of(config_map))
    yield found
    found("touch", LET_GO)
    assert running.result(PATIENCE).exit_code == 0


def job_id(head: Head) -> str:
    """Return the id by which KubeRay submitted the job."""
    path = "jsonpath={.items[*].status.jobId}"
    told = head.cluster.kubectl("get", "rayjobs", "-n", head.namespace, "-o", path)
    assert re.fullmatch(r"logged-[-0-9a-z]+", told), told
    return told


def a_line_of_the_driver_has_the_id_of_the_job(head: Head) -> None:
    (driver,) = head.where("a line of the driver")
    assert driver["component"] == "job-driver"
    assert driver["submission_id"] == job_id(head)
    assert driver["path"] in [
        file["path"] for file in head.where("the driver saw it fail")
    ]
    a_traceback_is_one_record(head, driver["path"])


def a_traceback_is_one_record(head: Head, path: str) -> None:
    lines = head("cat", path).split("\n")
    found = [
        record
        for record in head.fluent_bit.records(lines)
        if record.startswith("Traceback (most recent call last):\n")
    ]
    assert found
    for record in found:
        assert record.splitlines()[-1] == "ValueError: no such number"


def a_line_of_a_task_has_its_process(head: Head) -> None:
    line = "a line of a task in process"
    (out,) = (file for file in head.where(line) if file["component"] == "worker")
    told = head("grep", "-F", line, out["path"])
    assert out["worker_pid"] == told.split()[-1]
    assert re.fullmatch(r"[0-9a-f]{8}", out["worker_job"])
    files = head.where("ValueError: no such number")
    (err,) = (file for file in files if file["component"] == "worker")
    assert err["worker_pid"] == out["worker_pid"]
    a_traceback_is_one_record(head, err["path"])


def a_line_of_a_replica_has_its_id(head: Head) -> None:
    files = head.where("a line of a replica")
    (replica,) = (file for file in files if file["component"] == "replica")
    driver = head("bash", "-c", f"cat {LOGS}/job-driver-*.log")
    assert f"replica: {replica['serve_replica']}\n" in driver


def every_file_with_lines_is_read_once(head: Head) -> None:
    left_out = [path for path in head.files() if not head.fluent_bit.reads(path)]
    # What only a collector of events is to read, and states of which Ray keeps no more.
    meant = (f"{LOGS}/export_events/", f"{LOGS}/debug_state")
    assert [path for path in left_out if not path.startswith(meant)] == []
    for path in head.files():
        assert head.fluent_bit.reads(path) <= 1, path


def both_containers_have_the_volume(head: Head) -> None:
    spec = head.pod["spec"]
    (sidecar,) = (c for c in spec["initContainers"] if c["name"] == "fluent-bit")
    for container in (sidecar, spec["containers"][0]):
        places = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
        assert places["/tmp/ray"] == "ray-logs"
    (status,) = (
        one
        for one in head.pod["status"]["initContainerStatuses"]
        if one["name"] == "fluent-bit"
    )
    assert status["started"] is True
    assert "running" in status["state"]
    spilling = "--object-spilling-directory=/tmp/object-spilling"
    assert spilling in " ".join(spec["containers"][0]["args"])


def test_what_a_job_and_a_replica_log_is_where_fluent_bit_reads(head: Head) -> None:
    both_containers_have_the_volume(head)
    a_line_of_the_driver_has_the_id_of_the_job(head)
    a_line_of_a_task_has_its_process(head)
    a_line_of_a_replica_has_its_id(head)
    every_file_with_lines_is_read_once(head)
