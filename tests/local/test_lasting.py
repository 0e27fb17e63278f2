"""Clusters and services: they stay after `up`, and end with `down`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ray_gke.catalog.blueprint import Cluster, Service
from ray_gke.errors import FailedError, RefusedError, UsageError
from ray_gke.events import Event, Note, Ready
from ray_gke.targets import local
from tests.local.conftest import Told, eventually, group, marked, plan

pytestmark = pytest.mark.local

CONNECT = """
import ray
ray.init(log_to_driver=False)
print(int(ray.cluster_resources()["CPU"]), ray.get(ray.remote(lambda: 6 * 7).remote()))
"""


@pytest.fixture
def look_alike(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like one of ours, and is not."""
    module = ["-m", "ray_gke.targets.local.ray_node", "head.json"]
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", "raylet", *module],
        env={**os.environ, "RAY_GKE_RUN_FOLDER": str(tmp_path / "elsewhere")},
    )
    yield process
    process.kill()
    process.wait()


def test_a_cluster_stays_is_private_and_replaces_lost_workers(
    state: Path, told: Told, look_alike: subprocess.Popen[bytes]
) -> None:
    ready = local.up(plan(Cluster(), group(least=1)), told)
    assert isinstance(ready, Ready)
    _nothing_listens_to_the_network(state)
    _only_the_token_opens(ready.urls["dashboard"])
    _others_can_connect()
    _a_second_one_is_refused()
    _lost_workers_are_replaced(state)
    _another_cluster_lives_beside_it()
    _down_needs_no_record(state)
    assert look_alike.poll() is None


def _nothing_listens_to_the_network(state: Path) -> None:
    hosts = {
        connection.laddr.ip
        for process in marked(state)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert hosts <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert hosts


def _only_the_token_opens(url: str) -> None:
    assert _status(url, None) == 401
    login = local.dashboard("trial")
    assert login.urls == {"dashboard": url}
    assert _status(url, login.token) == 200
    token = Path(local.run("trial").environment["RAY_AUTH_TOKEN_PATH"])
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.parent.stat().st_mode & 0o777 == 0o700


def _status(url: str, token: str | None) -> int:
    request = urllib.request.Request(f"{url}/api/jobs/")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _others_can_connect() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONNECT],
        env={**os.environ, **local.run("trial").environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 42" in done.stdout, done.stderr


def _a_second_one_is_refused() -> None:
    with pytest.raises(RefusedError, match="already running"):
        local.up(plan(Cluster()), lambda _event: None)


def _lost_workers_are_replaced(state: Path) -> None:
    (first,) = local.run("trial").workers
    assert first.pid
    os.kill(first.pid, signal.SIGTERM)  # as a Spot machine is told
    (second,) = eventually(lambda: _others_than(first.pid))
    assert second.pid
    raylets = [p for p in marked(state) if p.name() == "raylet"]
    (raylet,) = [p for p in raylets if p.ppid() == second.pid]
    raylet.kill()
    eventually(lambda: _others_than(first.pid, second.pid))
    assert local.run("trial").groups[0].alive == 1


def _others_than(*pids: int | None) -> list[local.Worker]:
    return [w for w in local.run("trial").workers if w.pid not in pids]


def _another_cluster_lives_beside_it() -> None:
    local.up(plan(Cluster(), name="other"), lambda _event: None)
    assert local.names_of_running() == ["other", "trial"]
    local.down("other", lambda _event: None)
    assert local.names_of_running() == ["trial"]
    assert local.run("other").status == "STOPPED"


def _down_needs_no_record(state: Path) -> None:
    (state / "ray-gke" / "local" / "trial" / "record.json").write_text("{half")
    assert local.run("trial").status == "UNKNOWN"
    local.down("trial", lambda _event: None)
    assert not marked(state)
    told: list[Event] = []
    local.down("trial", told.append)
    assert told == [Note("trial", "trial is not running")]
    with pytest.raises(UsageError) as caught:
        local.down("trail", told.append)
    assert caught.value.problems[0].hint == "did you mean trial?"


APP = b"""
import sys
from ray import serve

@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.5})
class Greeter:
    async def __call__(self, request):
        print("greeting", file=sys.stderr)
        return {"hello": (await request.json())["name"]}

app = Greeter.bind()

def broken(args):
    raise FileNotFoundError("there is no model here")
"""


def _service(target: str, **options: Any) -> Any:
    application = {"name": "greeter", "route_prefix": "/", "import_path": target}
    return plan(
        Service(serve_config="serve.yaml"),
        group(),
        files={"app.py": APP},
        serve_config={"applications": [application], **options},
    )


def test_a_service_answers_until_it_is_brought_down(state: Path, told: Told) -> None:
    ready = local.up(_service("app:app"), told)
    assert isinstance(ready, Ready)
    url = ready.urls["service"]
    request = urllib.request.Request(url, json.dumps({"name": "Ray"}).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer) == {"hello": "Ray"}
    assert local.run("trial").status == "RUNNING"
    greeting = [x for x in local.logs("trial", follow=False) if x.text == "greeting"]
    assert [line.source for line in greeting] == ["ServeReplica:greeter:Greeter"]
    local.down("trial", told)
    assert not marked(state)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)


def test_a_service_that_cannot_start_says_why_and_leaves_nothing(
    state: Path, told: Told
) -> None:
    with pytest.raises(FailedError) as caught:
        local.up(_service("app:broken"), told)
    message = str(caught.value)
    assert "application greeter" in message
    assert "FileNotFoundError: there is no model here" in message
    assert local.run("trial").status == "FAILED"
    assert not marked(state)
