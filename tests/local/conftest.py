"""Runs of the local target in a state folder of their own; nothing may be left."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from ray_gke.catalog.blueprint import Cluster, Job, Service
from ray_gke.events import Event, LogLine
from ray_gke.planning.plan import Group, Plan
from ray_gke.targets import local

GIB = 2**30


def group(
    name: str = "small", least: int = 1, most: int | None = None, **more: Any
) -> Group:
    return Group(
        **{
            "name": name,
            "min_replicas": least,
            "max_replicas": least if most is None else most,
            "cpu": "1",
            "memory": "1Gi",
            "num_cpus": 1,
            "num_gpus": 0,
            "memory_bytes": GIB,
            **more,
        }
    )


def plan(workload: Job | Cluster | Service, *groups: Group, **more: Any) -> Plan:
    kind = type(workload).__name__.lower()
    return Plan(
        **{
            "name": "trial",
            "blueprint": "trial",
            "kind": kind,
            "ray_version": "2.60.0",
            "image": "rayproject/ray:2.60.0",
            "head": group("head", num_cpus=0 if groups else 2, memory_bytes=2 * GIB),
            "worker_groups": groups,
            "workload": workload,
            "env": {},
            "idle_timeout_seconds": 60,
            "upscaling_mode": "Default",
            "files": {},
            "serve_config": None,
            "patches": (),
            **more,
        }
    )


def script(source: str, *groups: Group, **more: Any) -> Plan:
    """A plan that runs `source` as a job."""
    files = {"script.py": source.encode(), **more.pop("files", {})}
    return plan(Job(entrypoint="python script.py"), *groups, files=files, **more)


@dataclass
class Told:
    """The events of an `up`."""

    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def lines(self) -> list[str]:
        return [e.text for e in self.events if isinstance(e, LogLine)]


@pytest.fixture
def told() -> Told:
    return Told()


def marked(folder: Path) -> list[psutil.Process]:
    """All processes that carry the marker of a run below `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            marker = process.environ().get("RAY_GKE_RUN_FOLDER", "")
            if marker.startswith(str(folder)) and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state folder; brings down what a test has left, and looks for the rest."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield tmp_path / "state"
    for run in local.runs():
        local.down(run.name, lambda _event: None)
    left = marked(tmp_path)
    for process in left:
        process.kill()
    assert not left
    assert not list(home.rglob("*")), "somebody has written to the home folder"


UP = """
import pickle, sys, traceback
from ray_gke.errors import RayGkeError
from ray_gke.targets import local
plan = pickle.load(open(sys.argv[1], "rb"))
def emit(event):
    step, text = getattr(event, "step", ""), getattr(event, "text", "")
    print(type(event).__name__, step, text, flush=True)
try:
    local.up(plan, emit)
except RayGkeError as error:
    print(type(error).__name__, error, flush=True)
    sys.exit(error.exit_code)
"""


@dataclass
class Process:
    """An `up` in a process of its own, to be interrupted or killed."""

    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)

    def until(self, text: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.output.append(line)
            if text in line:
                return
        pytest.fail(f"{text!r} was never told:\n{''.join(self.output)}")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def result(self, timeout: float = 30) -> tuple[int, str]:
        rest, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, "".join(self.output) + rest


@pytest.fixture
def start_up(state: Path, tmp_path: Path) -> Iterator[Callable[[Plan], Process]]:
    started: list[Process] = []

    def start(plan: Plan) -> Process:
        file = tmp_path / f"{len(started)}.plan"
        file.write_bytes(pickle.dumps(plan))
        process = subprocess.Popen(
            [sys.executable, "-c", UP, str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ),
        )
        started.append(Process(process))
        return started[-1]

    yield start
    for process in started:
        process.process.kill()
        process.process.communicate()


def eventually(what: Callable[[], Any], seconds: float = 30) -> Any:
    """Return what `what` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)
    return found
