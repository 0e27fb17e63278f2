"""A report for people, for programs, and for `up`."""

from __future__ import annotations

import io
import sys

import pytest

from ray_gke.errors import Problem
from ray_gke.reporting import doctor_text
from ray_gke.targets.gke import doctor
from ray_gke.targets.gke.doctor.findings import Finding, Report, ok, refused, warning

LONG = "https://console.cloud.google.com/iam-admin/quotas?project=my-project" + "x" * 60
FINE = ok("project", "my-project", "number 123")
QUOTAS = [ok("quota", f"NVIDIA_L{n}_GPUS us-central1", "plenty") for n in range(9)]
SICK = refused("quota", "CPUS us-central1", "CPUS: 8 granted; 72 needed", LONG)
PALE = warning("apis", "my-project", "2 APIs are off", "gcloud services enable x y")
REPORT = Report((FINE, PALE, *QUOTAS, SICK))


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(report: Report, monkeypatch: pytest.MonkeyPatch, columns: int) -> list[str]:
    screen = Screen() if columns else io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns or 80))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    doctor_text.show(report)
    return screen.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


def test_what_is_in_the_way_comes_first_and_its_repair_can_be_pasted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = shown(REPORT, monkeypatch, 80)
    assert lines[:3] == [
        "✗ quota: CPUS us-central1",
        "CPUS: 8 granted; 72 needed",
        f"  {LONG}",
    ]
    assert "! apis: my-project" in lines[4:]
    assert lines[-1] == "1 refused, 1 warning"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_but_for_repairs_nothing_is_wider_than_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = shown(REPORT, monkeypatch, columns)
    assert [one for one in lines if len(one) > columns and LONG not in one] == []


def test_in_a_pipe_what_is_fine_of_a_check_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = shown(REPORT, monkeypatch, 0)
    (line,) = [one for one in lines if one.startswith("quota ")]
    assert all(one.subject in line for one in QUOTAS)


def test_what_one_command_repairs_stands_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = warning("zones", "us-central1", "unknown", PALE.repair)
    report = Report((PALE, SICK, other))
    lines = shown(report, monkeypatch, 80)
    begin = lines.index("! apis: my-project")
    assert lines[begin : begin + 5] == [
        "! apis: my-project",
        "2 APIs are off",
        "! zones: us-central1",
        "unknown",
        "  gcloud services enable x y",
    ]
    assert doctor.warning_texts(report) == [
        "2 APIs are off; unknown; gcloud services enable x y"
    ]


def test_where_all_is_fine_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(Report((FINE,)), monkeypatch, 80) == [
        "CHECK    FINE",
        "project  my-project: number 123",
        "",
        "nothing is in the way",
    ]


def test_as_data_every_finding_has_the_same_keys() -> None:
    found = doctor_text.document(REPORT)
    assert (found["refused"], found["warnings"]) == (1, 1)
    assert found["findings"][1] == {
        "check": "apis",
        "subject": "my-project",
        "status": "warning",
        "message": "2 APIs are off",
        "repair": "gcloud services enable x y",
    }
    assert {tuple(one) for one in found["findings"]} == {
        tuple(field for field in Finding.__dataclass_fields__)
    }


def test_up_is_refused_with_all_that_is_in_the_way() -> None:
    other = refused("images", "a:b", "there is no image a:b")
    error = doctor.refusal(Report((FINE, SICK, other)))
    assert error
    assert error.exit_code == 4
    assert error.problems == (
        Problem("CPUS: 8 granted; 72 needed", hint=LONG),
        Problem("there is no image a:b"),
    )


def test_up_goes_on_with_warnings() -> None:
    report = Report((FINE, PALE))
    assert doctor.refusal(report) is None
    assert doctor.warning_texts(report) == [
        "2 APIs are off; gcloud services enable x y"
    ]
