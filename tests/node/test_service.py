"""A service is changed under a steady stream of requests, and loses none."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.node import blueprint_tests
from tests.node.command_line import PATIENCE, CommandLine
from tests.node.traffic import Traffic

pytestmark = pytest.mark.node

NAME = "serve-classifier"
IN_PLACE = ("--set", "max_replicas=6")


def clusters(bed: Bed, namespace: str) -> set[str]:
    return set(bed.kubectl("get", "rayclusters", "-n", namespace, "-o", "name").split())


def of_the_service(plan: list[dict[str, Any]]) -> dict[str, Any]:
    (run,) = plan
    (change,) = (c for c in run["changes"] if c["kind"] == "RayService")
    found: dict[str, Any] = change
    return found


def most_replicas(here: CommandLine) -> int:
    """Ask Ray itself how many replicas the service may have."""
    with here.dashboard(NAME) as opened:
        asked = urllib.request.Request(
            f"{opened['url']}/api/serve/applications/",
            headers={"Authorization": f"Bearer {opened['token']}"},
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            application = json.load(answer)["applications"]["classifier"]
    assert application["status"] == "RUNNING"
    config = application["deployments"]["Classifier"]["deployment_config"]
    return int(config["autoscaling_config"]["max_replicas"])


def health(here: CommandLine) -> str:
    own = blueprint_tests.of(NAME)
    with here.dashboard(NAME) as opened:
        code, told = own.Endpoint(opened["service"]).get("/health")
    assert code == 200
    return str(told["status"])


def test_no_request_is_lost(
    here: CommandLine, real_cluster: Bed, tmp_path: Path
) -> None:
    def command(*arguments: str) -> Any:
        return here(*arguments, cwd=tmp_path)

    def planned(*options: str) -> dict[str, Any]:
        told = here.json("plan", f"./{NAME}", *options, cwd=tmp_path)
        return of_the_service(told)

    own = blueprint_tests.of(NAME)
    shutil.copytree(blueprint_tests.BLUEPRINTS / NAME, tmp_path / NAME)
    command("up", f"./{NAME}")
    with here.dashboard(NAME) as opened:
        endpoint = own.Endpoint(opened["service"])
        own.classifies_digits_and_explains_bad_requests(endpoint)
    traffic = Traffic(real_cluster, here.namespace, NAME)
    traffic.start()

    first = clusters(real_cluster, here.namespace)
    _is_changed_in_place(planned, command)
    assert clusters(real_cluster, here.namespace) == first
    assert most_replicas(here) == 6
    traffic.goes_on()

    code = tmp_path / NAME / "app.py"
    code.write_text(code.read_text().replace('"status": "ok"', '"status": "better"'))
    change = planned(*IN_PLACE)
    assert (change["action"], change["new_cluster"]) == ("change", True)
    command("up", f"./{NAME}", *IN_PLACE)
    assert health(here) == "better"
    eventually(
        "the old cluster to go",
        lambda: clusters(real_cluster, here.namespace).isdisjoint(first),
        patience=PATIENCE,
    )
    traffic.goes_on()
    answers, lost = traffic.result()
    assert lost == []
    assert set(answers) == {"ok", "better"}
    assert sum(answers.values()) >= 500


def _is_changed_in_place(
    planned: Callable[..., dict[str, Any]], command: Callable[..., Any]
) -> None:
    change = planned(*IN_PLACE)
    assert (change["action"], change["new_cluster"]) == ("change", False)
    assert "in place" in change["means"]
    command("up", f"./{NAME}", *IN_PLACE)
    assert planned(*IN_PLACE)["action"] == "unchanged"
