"""Every check in three worlds: it passes, it fails, it may not be read."""

from __future__ import annotations

import pytest

from ray_gke.targets.google import calls
from tests.doctor.cases import CASES, Case
from tests.doctor.world import Patient
from tests.google.apis import endpoints

CHECKS = {
    "credentials",
    "project",
    "billing",
    "apis",
    "permissions",
    "quota",
    "zones",
    "version",
    "addresses",
    "names",
    "terraform",
    "images",
}


def test_nothing_ails_a_project_that_has_everything(patient: Patient) -> None:
    report = patient.examine()
    assert [one for one in report.findings if one.status != "ok"] == []
    assert {one.check for one in report.findings} == CHECKS
    assert report.off == ()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_ails_it_is_told_with_its_repair(case: Case, patient: Patient) -> None:
    case.change(patient)
    report = patient.examine()
    told = [
        one
        for one in report.findings
        if (one.check, one.subject) == (case.check, case.subject)
        and all(part in one.message for part in case.says)
    ]
    assert len(told) == 1, report.findings
    assert told[0].status == case.status
    assert case.repair in (told[0].repair or "")
    # Nothing else is proven to be impossible.
    others = [one for one in report.refused if one is not told[0]]
    assert [one for one in others if one.check != case.check] == []


def test_where_google_is_out_of_reach_it_is_said_once(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "SECONDS", 0.01)
    for name, value in endpoints("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    report = patient.examine()
    (told,) = report.warnings
    assert told.check == "credentials"
    assert "127.0.0.1:1 cannot be reached" in told.message
    assert told.repair == "check the network, and HTTPS_PROXY"
    assert report.refused == ()


def test_every_check_has_a_world_in_which_it_fails_and_one_that_hides_it() -> None:
    fails = {case.check for case in CASES if case.status == "refused"}
    hides = {case.check for case in CASES if case.status == "warning"}
    assert fails == CHECKS
    assert hides | {"credentials"} == CHECKS
