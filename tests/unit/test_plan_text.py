"""The plan as people read it on a terminal and in a pipe."""

from __future__ import annotations

import io
import re
import sys

import pytest

from ray_gke.planning.capacity import Capacity
from ray_gke.reporting import plan_text
from tests.page import example

EXAMPLES = [example.rich(), example.smallest(), example.huge(3)]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(capacity: Capacity, monkeypatch: pytest.MonkeyPatch, columns: int) -> str:
    screen = Screen() if columns else io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns or 80))
    monkeypatch.setenv("TERM", "xterm")
    plan_text.show(capacity)
    return re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())


@pytest.mark.parametrize("capacity", EXAMPLES)
@pytest.mark.parametrize("columns", [0, 60, 80, 200])
def test_no_line_ends_in_spaces(
    capacity: Capacity, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = shown(capacity, monkeypatch, columns).splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("capacity", EXAMPLES)
def test_nothing_is_wider_than_a_narrow_terminal(
    capacity: Capacity, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = shown(capacity, monkeypatch, 60).splitlines()
    assert [line for line in lines if len(line) > 60] == []


def test_in_a_pipe_a_row_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(example.rich(), monkeypatch, 0).splitlines()
    (row,) = [line for line in lines if re.match("stable-diffusion/gpu +2 to 80", line)]
    assert "7 by nvidia.com/gpu" in row
    assert row.endswith("4 GiB of GPU memory by itself")


def test_every_part_of_the_plan_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(example.rich(), monkeypatch, 0)
    titles = [
        "Groups",
        "Other shapes that would do",
        "Node pools",
        "Stranded on each node, at maximum",
        "Warm capacity",
        "Quota needed",
        "Addresses needed",
        "Cost, an estimate",
        "Warnings",
    ]
    assert [line for line in text.splitlines() if line in titles] == titles
    assert "Estimate with prices of 2026-06-23 for us-central1" in text
    assert "Without a price, and not in the sums: h100-8-1c22f0." in text
    assert "(not certain)" in text


def test_warm_capacity_has_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(example.rich(), monkeypatch, 0)
    assert "Together $1.06 an hour, $773.07 a month" in text


def test_what_costs_nothing_is_not_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(example.rich(), monkeypatch, 60)
    assert "$0.00/h" not in text


def test_what_is_empty_is_not_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(example.smallest(), monkeypatch, 0)
    assert "GPU" not in text
    assert "Quota" not in text
    assert "Warm" not in text
    assert "Warnings" not in text
    assert text.startswith("kubernetes, us-central1\n")
