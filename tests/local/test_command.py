"""The command line with real Ray, also beside one that somebody started by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ray_gke.testing import RayGke
from tests.local.conftest import eventually

pytestmark = pytest.mark.local


@pytest.fixture
def foreign() -> Iterator[psutil.Process]:
    ray = str(Path(sys.executable).with_name("ray"))
    with tempfile.TemporaryDirectory(prefix="fr-", dir="/tmp") as folder:
        start = [ray, "start", "--head", "--block", "--num-cpus=1"]
        process = subprocess.Popen(
            [*start, "--disable-usage-stats", f"--temp-dir={folder}"],
            env={**os.environ, "RAY_AUTH_MODE": "disabled"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        foreign = psutil.Process(process.pid)
        eventually(lambda: {6379, 8265} <= ports(foreign))
        yield foreign
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def ports(process: psutil.Process) -> set[int]:
    family = [process, *process.children(recursive=True)]
    return {
        connection.laddr.port
        for member in family
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_a_foreign_ray_with_the_usual_ports_is_neither_used_nor_harmed(
    ray_gke: RayGke, foreign: psutil.Process
) -> None:
    before = {p.pid for p in foreign.children(recursive=True)}
    # What its user has set for it must not lead our job there.
    ray_gke.env["RAY_ADDRESS"] = "127.0.0.1:6379"
    assert ray_gke("up", "squares").stdout == "[0, 1, 4, 9]\n"
    ray_gke("down", "--all")
    assert foreign.is_running()
    assert before <= {p.pid for p in foreign.children(recursive=True)}


def test_a_failed_job_is_exit_code_1_with_its_own_and_its_last_lines(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    ray_gke("blueprints", "new", "broken", cwd=tmp_path)
    code = "import sys\nprint('before')\nprint('the reason', file=sys.stderr)\n"
    (tmp_path / "broken" / "main.py").write_text(code + "sys.exit(7)\n")
    result = ray_gke("up", "./broken", cwd=tmp_path, exit_code=1)
    assert "before" in result.stdout
    assert "error: job broken failed with exit code 7" in result.stderr
    assert "  the reason" in result.stderr.split("error: ")[1]
    assert "Traceback" not in result.stderr
    assert "FAILED" in ray_gke("status", "broken").stdout
    assert "the reason" in ray_gke("logs", "broken").stdout


def test_json_is_one_event_a_line(ray_gke: RayGke) -> None:
    lines = ray_gke("up", "squares", "--output", "json").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    steps = ["head", "workers", "submit", "job", "drain"]
    started = [e for e in events if e["event"] == "step_started"]
    assert [e["step"] for e in started] == steps
    assert [e["then"] for e in started] == [*(e["title"] for e in started[1:]), ""]
    assert [e["step"] for e in events if e["event"] == "step_finished"] == steps
    assert [e["text"] for e in events if e["event"] == "log_line"] == ["[0, 1, 4, 9]"]
    assert events[-1]["event"] == "finished"
    assert events[-1]["status"] == "SUCCEEDED"


def test_ctrl_c_is_exit_code_130(ray_gke: RayGke, tmp_path: Path) -> None:
    ray_gke("blueprints", "new", "endless", cwd=tmp_path)
    code = "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"
    (tmp_path / "endless" / "main.py").write_text(code)
    running = ray_gke.start("up", "./endless", cwd=tmp_path)
    running.wait_for("begun")
    running.signal(signal.SIGINT)
    result = running.result(60)
    assert result.exit_code == 130
    assert "nothing of it is left running" in result.stderr
    assert "STOPPED" in ray_gke("status", "endless").stdout
