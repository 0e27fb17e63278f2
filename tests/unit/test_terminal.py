"""What people see of a run."""

from __future__ import annotations

import io

import pytest

from ray_gke.events import (
    Finished,
    LogLine,
    Note,
    Progress,
    Ready,
    StepFinished,
    StepStarted,
)
from ray_gke.reporting.rows import duration
from ray_gke.reporting.terminal import Terminal, print_table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (125, "2 min 05 s"),
        (3725, "1 h 02 min"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_where_there_is_no_terminal_each_thing_that_is_done_is_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell = Terminal()
    tell(StepStarted("demo", "platform", "make cluster and pools"))
    tell(Progress("demo", "platform", 0, 2, ("a.network",), seconds_left=600.0))
    tell(Progress("demo", "platform", 1, 2, ("a.cluster",), "created a.network"))
    assert capsys.readouterr().err.splitlines() == [
        "demo: make cluster and pools …",
        "  created a.network (1 of 2)",
    ]


def test_a_terminal_shows_how_far_it_is_and_how_long_it_may_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "70")
    tell = Terminal()
    tell(StepStarted("demo", "platform", "make cluster and pools", "install"))
    tell(Progress("demo", "platform", 7, 27, ("module.cluster",), seconds_left=630.0))
    tell.close()
    shown = capsys.readouterr().err
    assert "make cluster and pools 7/27" in shown
    assert "about 10 min 30 s left, module" in shown


def test_results_go_to_stdout_and_everything_else_to_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stdout = io.StringIO()
    tell = Terminal(stdout)
    tell(StepStarted("squares", "head", "start the head"))
    tell(StepFinished("squares", "head", 3.44, "2 CPUs"))
    tell(Note("squares", "8 workers became 3", warning=True))
    tell(LogLine("squares", "job", "[0, 1, 4, 9]"))
    tell(Ready("squares", "cluster", {"dashboard": "http://127.0.0.1:8265"}))
    tell(Finished("squares", "SUCCEEDED", 11.2, "of no interest"))
    assert stdout.getvalue() == "[0, 1, 4, 9]\n"
    assert capsys.readouterr().err.splitlines() == [
        "squares: start the head …",
        "✓ start the head             3.4 s  2 CPUs",
        "! 8 workers became 3",
        "squares is up",
        "  dashboard  http://127.0.0.1:8265",
        "  next: ray-gke logs squares, ray-gke dashboard squares, ray-gke down squares",
        "squares: SUCCEEDED in 11.2 s",
    ]


def test_what_is_not_waited_for_says_how_to_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Terminal()(Finished("squares", "APPLIED", 3.44, "it is not waited for"))
    assert capsys.readouterr().err.splitlines() == [
        "squares: APPLIED in 3.4 s",
        "  it is not waited for",
        "  next: ray-gke status squares, ray-gke explain squares, ray-gke down squares",
    ]


def test_markup_of_a_workload_is_not_ours(capsys: pytest.CaptureFixture[str]) -> None:
    tell = Terminal(io.StringIO())
    tell(Note("x", "[bold]not markup[/bold] :smile:"))
    assert capsys.readouterr().err == "  [bold]not markup[/bold] :smile:\n"


def test_a_table_in_a_pipe_has_one_line_a_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table([{"NAME": "a", "TEXT": "x" * 300}, {"NAME": "b", "TEXT": "y"}])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["NAME  TEXT", "a     " + "x" * 300, "b     y"]
