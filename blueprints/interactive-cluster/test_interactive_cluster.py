from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.local

HERE = Path(__file__).parent


def status(ray_gke: Any) -> Any:
    answer = ray_gke("status", "interactive-cluster", "--output", "json")
    return json.loads(answer.stdout)


def alive(ray_gke: Any) -> dict[str, int]:
    return {g["name"]: g["alive"] for g in status(ray_gke)["groups"]}


def test_groups_come_when_needed_and_go_when_idle(ray_gke: Any) -> None:
    ray_gke("up", "interactive-cluster", "--detach", "--set", "idle_seconds=3")
    assert alive(ray_gke) == {"cpu": 1, "gpu": 0, "spot": 0}

    done = subprocess.run(
        [sys.executable, "connect.py"],
        cwd=HERE,
        env={**os.environ, **status(ray_gke)["environment"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "cpu: ran on a worker of group cpu",
        "gpu: ran on a worker of group gpu",
        "spot: ran on a worker of group spot",
    ]

    deadline = time.monotonic() + 60
    while alive(ray_gke) != {"cpu": 1, "gpu": 0, "spot": 0}:
        assert time.monotonic() < deadline, alive(ray_gke)
        time.sleep(1)
