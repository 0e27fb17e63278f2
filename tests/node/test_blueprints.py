"""Blueprints give the same results on a cluster as on this machine."""

from __future__ import annotations

import time

import pytest

from tests.cluster.bed import Bed
from tests.cluster.object_store import ObjectStore
from tests.cluster.real_node import RealNode
from tests.node import blueprint_tests
from tests.node.command_line import CommandLine

pytestmark = pytest.mark.node


def test_a_job_runs_once_and_again_when_asked(
    here: CommandLine, real_cluster: Bed
) -> None:
    def job() -> str:
        found = ("get", "rayjobs", "-n", here.namespace, "-o")
        return real_cluster.kubectl(*found, "jsonpath={.items[*].metadata.uid}")

    assert here("up", "squares").stdout == "[0, 1, 4, 9]\n"
    first = job()
    begun = time.monotonic()
    assert here("up", "squares").stdout == "[0, 1, 4, 9]\n"
    # No Ray pod is ready as soon as this.
    assert time.monotonic() - begun < 15
    assert job() == first
    assert here("up", "squares", "--rerun").stdout == "[0, 1, 4, 9]\n"
    assert job() != first


def test_predictions_in_a_bucket(here: CommandLine, object_store: ObjectStore) -> None:
    own = blueprint_tests.of("batch-inference")
    bucket = object_store.bucket("predictions")
    uri = object_store.uri("predictions/digits")
    done = here("up", "batch-inference", "--set", f"output={uri}")
    own.half_of_the_digits_is_predicted(bucket / "digits", done.stdout)
    on_this_machine = (
        blueprint_tests.BLUEPRINTS / "batch-inference/README.md"
    ).read_text()
    assert own.fact("accuracy", done.stdout) == own.fact("accuracy", on_this_machine)


def test_a_search_on_spot_workers(here: CommandLine, spot_node: RealNode) -> None:
    own = blueprint_tests.of("tune-search")
    own.test_finds_a_good_trial_and_stops_others(here)
