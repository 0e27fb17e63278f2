"""What a job wrote, without what Ray says of it in the same log."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.events import LogLine
from ray_gke.targets.ray_jobs import Output

SETTING_UP = (
    "2026-11-26 04:09:24,053\tINFO job_manager.py:581 -- Runtime env is setting up."
)
RUNNING = "Running entrypoint for job a1: sh -c 'echo oh no; exit 3'"


@pytest.mark.parametrize(
    "log",
    [
        [SETTING_UP, RUNNING, "oh no"],
        # Ray flushes its line after it has started the job.
        [SETTING_UP, "oh no", RUNNING],
        ["oh no", RUNNING],
        ["oh no"],
    ],
)
def test_only_the_jobs_own_lines(log: list[str]) -> None:
    told: list[Any] = []
    output = Output("trial", told.append)
    for line in log:
        output.tell([line])
    assert told == [LogLine("trial", "driver", "oh no")]


def test_a_job_may_write_the_same_words() -> None:
    told: list[Any] = []
    Output("trial", told.append).tell([RUNNING, RUNNING, SETTING_UP])
    assert [one.text for one in told] == [RUNNING, SETTING_UP]
