"""A plan that is saved and carried out, in a cluster that is somebody else's."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.kubernetes.desk import Desk

pytestmark = pytest.mark.cluster

SPEC = "head: {cpu: 1, memory: 4Gi}\ncluster: {}\n"
MORE = SPEC.replace("cpu: 1", "cpu: 2")


@pytest.fixture
def platform(desk: Desk, place: str) -> str:
    """A platform with one run, in a namespace that is yet to be made."""
    desk.write("demo", SPEC)
    spec = {
        "target": "kubernetes",
        "namespace": place,
        "blueprints": [{"blueprint": "./demo"}],
    }
    head = {"apiVersion": "ray-gke/v1", "kind": "Platform"}
    text = yaml.safe_dump({**head, "metadata": {"name": "team"}, "spec": spec})
    (desk.folder / "ray-gke.yaml").write_text(text)
    return place


def test_what_was_saved_is_done_or_nothing(desk: Desk, platform: str) -> None:
    desk.done("plan", "--out", "plan.json")
    saved = json.loads((desk.folder / "plan.json").read_text())
    assert saved["target"] == "kubernetes"
    assert {one["action"] for one in saved["changes"]} == {"create"}
    desk.done("up", "--plan", "plan.json")
    created = desk.written(platform)

    # The same file again: all of it is there by now.
    refused = desk.run("up", "--plan", "plan.json")
    assert refused.code == 4
    assert "only in the saved plan: create RayCluster/demo" in refused.err
    assert desk.written(platform) == created

    # What ends the cluster that runs was agreed to with the plan.
    desk.write("demo", MORE)
    desk.done("plan", "--out", "plan.json")
    desk.write("demo", MORE.replace("cpu: 2", "cpu: 3"))
    refused = desk.run("up", "--plan", "plan.json")
    assert refused.code == 4
    assert "different: replace RayCluster/demo" in refused.err
    assert desk.written(platform) == created
    desk.write("demo", MORE)
    desk.done("up", "--plan", "plan.json")
    assert desk.changes() == {}
