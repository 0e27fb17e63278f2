"""Jobs on real Ray processes of this machine."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from ray_gke.errors import FailedError, RefusedError
from ray_gke.events import Finished, StepFinished
from ray_gke.targets import local
from tests.local.conftest import Told, eventually, group, marked, script

pytestmark = pytest.mark.local

SQUARES = """
import os, ray
ray.init(log_to_driver=False)

@ray.remote
def square(x):
    return x * x, ray.get_runtime_context().get_node_labels()["ray.io/node-group"]

answers = ray.get([square.remote(i) for i in range(4)])
print([a for a, _ in answers], {g for _, g in answers})
print(os.path.basename(os.getcwd()), os.environ["COLOUR"], os.path.exists("script.py"))
"""


def test_a_job_runs_on_workers_and_leaves_only_its_record(
    state: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "http://192.0.2.1:8265")  # of another cluster
    done = local.up(script(SQUARES, group(least=2), env={"COLOUR": "blue"}), told)
    assert isinstance(done, Finished)
    assert done.status == "SUCCEEDED"
    assert "[0, 1, 4, 9] {'small'}" in told.lines
    assert "code blue True" in told.lines
    steps = [e.step for e in told.events if isinstance(e, StepFinished)]
    assert steps == ["head", "workers", "submit", "job", "drain"]
    assert not marked(state)
    (run,) = local.runs()
    assert (run.name, run.kind, run.status) == ("trial", "job", "SUCCEEDED")
    assert (run.exit_code, run.urls, run.workers) == (0, {}, ())
    assert "[0, 1, 4, 9] {'small'}" in [
        line.text for line in local.logs("trial", follow=True)
    ]


HARD_OUTPUT = r"""
import os, sys
for number in range(20_000):
    print("line", number)
sys.stdout.flush()
os.write(1, b"not \xff UTF-8\n")
os.write(1, b"x" * 300_000 + b"\n")
os.write(1, b"no end of line")
sys.exit(3)
"""


def test_a_failing_job_tells_every_line_once_and_its_exit_code(
    state: Path, told: Told
) -> None:
    with pytest.raises(FailedError) as caught:
        local.up(script(HARD_OUTPUT), told)
    start = told.lines.index("line 0")
    assert told.lines[start : start + 20_000] == [f"line {n}" for n in range(20_000)]
    assert told.lines[start + 20_000 :] == [
        "not \ufffd UTF-8",
        "x" * 300_000,
        "no end of line",
    ]
    assert "exit code 3" in str(caught.value)
    assert "no end of line" in str(caught.value)
    assert caught.value.problems[0].hint == "ray-gke logs trial shows all of them"
    assert local.run("trial").status == "FAILED"
    assert local.run("trial").exit_code == 3
    assert not marked(state)


def test_a_detached_job_goes_on_and_cleans_up_after_itself(
    state: Path, told: Told
) -> None:
    done = local.up(script("print('done by itself')"), told, detach=True)
    assert isinstance(done, Finished)
    assert done.status == "RUNNING"
    with pytest.raises(RefusedError) as caught:
        local.up(script("print(1)"), told)
    assert "already running" in str(caught.value)
    assert "ray-gke down trial" in (caught.value.problems[0].hint or "")
    eventually(lambda: local.run("trial").status == "SUCCEEDED")
    eventually(lambda: not marked(state))
    assert "done by itself" in [x.text for x in local.logs("trial", follow=True)]


def test_a_job_fails_with_the_cause_when_the_cluster_dies_under_it(
    state: Path, told: Told
) -> None:
    local.up(script("import time; time.sleep(600)"), told, detach=True)
    (gcs,) = [p for p in marked(state) if "gcs_server" in p.name()]
    gcs.kill()
    eventually(lambda: local.run("trial").status == "FAILED", 20)
    assert "ended with exit code 1" in local.run("trial").message
    eventually(lambda: not marked(state))


ELASTIC = """
import os, time, ray
ray.init(log_to_driver=False)

@ray.remote(num_gpus=1, label_selector={"ray.io/market-type": "spot", "tier": "gold"})
def where():
    context = ray.get_runtime_context()
    return context.get_node_labels()["ray.io/node-group"], ray.get_gpu_ids()

def workers():
    return sum(n["Alive"] for n in ray.nodes()) - 1

print("before", workers())
print("at", ray.get(where.remote()))
while workers():
    time.sleep(0.2)
print("after", workers())
"""


def test_a_group_grows_from_zero_and_shrinks_back(state: Path, told: Told) -> None:
    gpus = group(
        "gpu",
        0,
        2,
        num_gpus=1,
        labels={"ray.io/market-type": "spot", "tier": "gold"},
        spot=True,
        idle_timeout_seconds=2,
    )
    plain = group("plain", 0, 2)
    done = local.up(script(ELASTIC, gpus, plain), told)
    assert isinstance(done, Finished)
    assert done.status == "SUCCEEDED"
    assert "before 0" in told.lines
    assert "at ('gpu', [0])" in told.lines
    assert "after 0" in told.lines


def test_a_retry_gets_a_new_cluster(state: Path, told: Told, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    source = f"""
import os, sys
from pathlib import Path
flag = Path({str(flag)!r})
print("try", flag.exists())
sys.exit(0 if flag.exists() else flag.touch() or 1)
"""
    job = script(source)
    again = job.workload.model_copy(update={"backoff_limit": 1})
    done = local.up(dataclasses.replace(job, workload=again), told)
    assert isinstance(done, Finished)
    assert [x for x in told.lines if x.startswith("try")] == ["try False", "try True"]


def test_a_job_that_takes_too_long_is_stopped(state: Path, told: Told) -> None:
    job = script("import time; time.sleep(600)")
    short = job.workload.model_copy(update={"active_deadline_seconds": 12})
    begun = time.monotonic()
    with pytest.raises(FailedError, match="active_deadline_seconds"):
        local.up(dataclasses.replace(job, workload=short), told)
    assert time.monotonic() - begun < 60
    assert not marked(state)
