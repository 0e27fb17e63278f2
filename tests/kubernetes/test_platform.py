"""A platform file with teams: all of it at once, and what is no longer in it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.kubernetes.desk import Desk

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

SPEC = "head: {cpu: 1, memory: 4Gi}\ncluster: {}\n"


@pytest.fixture
def teams(desk: Desk) -> dict[str, str]:
    """Two teams with namespaces of their own, and a platform with three runs."""
    spaces = {"red": desk.new_namespace(), "blue": desk.new_namespace()}
    desk.write("demo", SPEC)
    write(desk, spaces, one="red", two="red", three="blue")
    return spaces


def write(desk: Desk, spaces: dict[str, str], **runs: str) -> None:
    """Write a platform with a blueprint for runs of teams: `demo`, or `team/other`."""
    spec = {
        "target": "kubernetes",
        "teams": {team: {"namespace": space} for team, space in spaces.items()},
        "blueprints": [
            {"blueprint": f"./{blueprint or 'demo'}", "name": name, "team": team}
            for name, (team, _, blueprint) in (
                (name, where.partition("/")) for name, where in runs.items()
            )
        ],
    }
    platform = {
        "apiVersion": "ray-gke/v1",
        "kind": "Platform",
        "metadata": {"name": "teams"},
        "spec": spec,
    }
    (desk.folder / "ray-gke.yaml").write_text(yaml.safe_dump(platform))


def runs(desk: Desk, *options: str) -> set[tuple[str, str, str]]:
    found = desk.done("status", *options, "-o", "json").json
    return {(run["namespace"], run["name"], run["status"]) for run in found}


def test_all_runs_come_up_in_the_namespaces_of_their_teams(
    desk: Desk, teams: dict[str, str]
) -> None:
    red, blue = teams.values()
    # Two namespaces, and of each run its cluster, its account, two policies, and what
    # is for its logs and metrics.
    assert len(desk.changes()) == 2 + 7 * 3
    desk.done("up")
    everything = {
        (red, "one", "RUNNING"),
        (red, "two", "RUNNING"),
        (blue, "three", "RUNNING"),
    }
    assert runs(desk) == everything
    assert everything <= runs(desk, "-A")
    assert desk.done("status", "three", "-o", "json").json["namespace"] == blue
    before = desk.written(red) | desk.written(blue)
    assert desk.changes() == {}
    assert "3 of 3" in desk.done("up").err
    assert desk.written(red) | desk.written(blue) == before
    desk.done("down")
    assert not {red, blue} & desk.all("Namespace", "").keys()


def test_a_run_that_is_no_longer_in_the_file_stays_until_it_is_named(
    desk: Desk, teams: dict[str, str]
) -> None:
    red, blue = teams.values()
    desk.done("up")
    write(desk, teams, one="red", three="blue")
    assert desk.changes() == {}
    desk.done("up")
    assert (red, "two", "RUNNING") in runs(desk)
    desk.done("down", "two", "-n", red)
    assert runs(desk) == {(red, "one", "RUNNING"), (blue, "three", "RUNNING")}


def test_json_of_up_and_down_are_lines_of_events(
    desk: Desk, teams: dict[str, str]
) -> None:
    for command in ("up", "down"):
        said = desk.done(command, "-o", "json").out.splitlines()
        events = [json.loads(line) for line in said]
        assert events
        assert all("event" in event or "type" in event for event in events)


def test_what_fails_does_not_keep_the_others(desk: Desk, teams: dict[str, str]) -> None:
    desk.write("big", SPEC.replace("cpu: 1", "cpu: 500"))
    write(desk, teams, one="red/big", three="blue")
    answer = desk.run("up", "--timeout", "6s")
    assert answer.code == 1
    assert re.search(r"^error: one is not ready after \d s", answer.err, re.MULTILINE)
    assert (teams["blue"], "three", "RUNNING") in runs(desk)
