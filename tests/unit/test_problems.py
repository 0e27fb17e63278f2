"""Errors as people, programs and GitHub read them."""

from __future__ import annotations

import json

from ray_gke.errors import InvalidError, Place, Problem
from ray_gke.reporting import json_lines, problems

ERROR = InvalidError.of(
    [
        Problem(
            "unknown key 'max_replica'",
            Place("blueprint.yaml", 12, 7, "spec.worker_groups[0].max_replica"),
            "did you mean 'max_replicas'?",
        ),
        Problem("two lines\nof text", None, None),
    ]
)


def test_people_read_what_where_and_what_next() -> None:
    assert problems.as_text(ERROR).splitlines() == [
        (
            "error: blueprint.yaml:12:7: spec.worker_groups[0].max_replica: "
            "unknown key 'max_replica'"
        ),
        "  hint: did you mean 'max_replicas'?",
        "error: two lines",
        "  of text",
    ]


def test_github_reads_file_line_and_column() -> None:
    first, second = problems.as_github(ERROR).splitlines()
    assert first == (
        "::error file=blueprint.yaml,line=12,col=7::spec.worker_groups[0].max_replica: "
        "unknown key 'max_replica'%0Adid you mean 'max_replicas'?"
    )
    assert second == "::error::two lines%0Aof text"


def test_programs_read_json() -> None:
    answer = json.loads(json_lines.error_line(ERROR))
    assert answer["event"] == "error"
    assert answer["exit_code"] == 3
    assert answer["problems"][0]["place"]["line"] == 12
    assert answer["problems"][1]["place"] is None
