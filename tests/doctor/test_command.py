"""`ray-gke doctor` as it is called."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from ray_gke import cli
from ray_gke.reporting import answers
from ray_gke.targets.gke.doctor import world as asked
from ray_gke.targets.gke.doctor.here import Here
from ray_gke.targets.registry.client import Registries
from tests.doctor.test_here import install
from tests.doctor.world import Patient

OFF = ("dns.googleapis.com", "iam.googleapis.com")
ENABLED = "POST /v1/projects/my-project/services:batchEnable"
Called = Callable[..., tuple[int, str]]


@pytest.fixture
def here(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """The same, with what the command looks at itself: Terraform, registries."""
    program = patient.folder / "bin" / "terraform"
    program.parent.mkdir()
    told = json.dumps({"terraform_version": "1.11.4", "platform": "linux_amd64"})
    program.write_text(f"#!/bin/sh\necho '{told}'\n")
    program.chmod(0o755)
    mirror = patient.folder / "mirror"
    for name, version in (
        ("google", "7.42.0"),
        ("kubernetes", "3.0.0"),
        ("helm", "3.1.0"),
    ):
        install(mirror, name, version)
    (patient.folder / "terraform.rc").write_text(
        f'provider_installation {{\n filesystem_mirror {{\n  path = "{mirror}"\n }}\n}}'
    )
    monkeypatch.setenv("RAY_GKE_TERRAFORM", str(program))
    monkeypatch.setattr(Registries, "exists", lambda *_: True)
    monkeypatch.setattr(asked, "Here", partial(Here, reach=lambda _: None))
    monkeypatch.chdir(patient.folder)
    return patient


@pytest.fixture
def doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Called:
    """Call the command, and return its exit code and what it said."""

    def called(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["ray-gke", "doctor", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), capsys.readouterr().out

    return called


def test_a_platform_that_can_be_brought_up(here: Patient, doctor: Called) -> None:
    code, said = doctor()
    assert code == 0
    assert said.endswith("\nnothing is in the way\n")


def test_what_is_refused_ends_with_four(here: Patient, doctor: Called) -> None:
    here.google.grant("NVIDIA_L4_GPUS", 0, region="us-central1")
    code, said = doctor("--output", "json")
    found: dict[str, Any] = json.loads(said)
    assert code == 4
    assert (found["refused"], found["warnings"]) == (1, 0)
    (refused,) = [one for one in found["findings"] if one["status"] == "refused"]
    assert (refused["check"], refused["subject"]) == (
        "quota",
        "NVIDIA_L4_GPUS us-central1",
    )


def test_apis_are_enabled_without_a_question(here: Patient, doctor: Called) -> None:
    here.google.turn_off(*OFF)
    assert doctor("--yes") == (0, doctor()[1])
    assert here.google.asked.count(ENABLED) == 1
    assert here.google.state.off == set()


@pytest.mark.parametrize(("yes", "left"), [(True, set()), (False, set(OFF))])
def test_on_a_terminal_it_asks(
    yes: bool,
    left: set[str],
    here: Patient,
    doctor: Called,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def confirmed(text: str) -> bool:
        asked.append(text)
        return yes

    monkeypatch.setattr(answers, "confirmed", confirmed)
    here.google.turn_off(*OFF)
    _, said = doctor()
    assert asked == [
        "this would enable dns.googleapis.com, iam.googleapis.com in my-project"
    ]
    assert here.google.state.off == left
    assert ("2 APIs are off" in said) is not yes


def test_a_program_is_not_asked(
    here: Patient, doctor: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "confirmed", lambda _: pytest.fail("asked"))
    here.google.turn_off(*OFF)
    code, said = doctor("--output", "json")
    assert (code, json.loads(said)["warnings"] > 0) == (0, True)


def test_each_question_is_asked_once_and_nothing_is_changed(
    here: Patient, doctor: Called
) -> None:
    doctor()
    # A list may have several pages.
    questions = [line for line in here.google.asked if "/aggregated/" not in line]
    assert len(questions) == len(set(questions))
    assert {line.split()[0] for line in questions} == {"GET", "POST"}
    assert [line for line in questions if line.startswith("POST")] == [
        "POST /v3/projects/my-project:testIamPermissions"
    ]
    assert not (here.folder / ".ray-gke").exists()


def test_without_a_login_nobody_else_is_asked(
    here: Patient, doctor: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "no-such-file.json")
    code, said = doctor()
    assert code == 4
    assert "there are no credentials for Google Cloud" in said
    assert said.endswith("\n1 refused\n")
    assert here.google.asked == []


def test_on_this_machine_python_ray_and_size_are_looked_at(
    here: Patient, doctor: Called
) -> None:
    _, said = doctor("--on", "local", "--output", "json")
    found = json.loads(said)["findings"]
    assert {"python", "ray", "machine"} <= {one["check"] for one in found}


def test_a_cluster_that_does_not_answer_is_refused(
    here: Patient, doctor: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(here.folder / "none"))
    code, said = doctor("--on", "kubernetes")
    assert code == 4
    assert said.startswith("✗ cluster: the current context\n")
