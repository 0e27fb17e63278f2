"""Help and completion as a shell asks for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ray_gke.testing import RayGke


def complete(line: str, shell: str = "bash", cwd: Path | None = None) -> list[str]:
    words = line.split()
    environment = {
        "_RAY_GKE_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) if line.endswith(" ") else len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "XDG_STATE_HOME": "/nonexistent",
    }
    argv = [sys.executable, "-m", "ray_gke"]
    done = subprocess.run(
        argv, env=environment, cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "ray-gke ",
            ["up", "down", "status", "logs", "dashboard", "kubeconfig", "submit"],
        ),
        ("ray-gke sta", ["status"]),
        ("ray-gke up sq", ["squares"]),
        ("ray-gke up --set", ["--set"]),
        ("ray-gke up squares --set ", ["count="]),
        ("ray-gke up squares --output ", ["text", "json"]),
        ("ray-gke blueprints ", ["list", "show", "new", "test"]),
        ("ray-gke blueprints show tune", ["tune-search"]),
        ("ray-gke blueprints test squares tune", ["tune-search"]),
        ("ray-gke schema ", ["blueprint", "platform"]),
        ("ray-gke down ", []),
    ],
)
def test_bash_completes(line: str, expected: list[str]) -> None:
    answer = complete(line)
    assert answer[: len(expected)] == expected
    if not expected:
        assert all(word.startswith("-") for word in answer)


def test_a_folder_s_parameters_complete_too(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "blueprint.yaml").write_text(
        "parameters:\n  # how many\n  rows: {type: integer}\n  path: {type: string}\n"
        "spec: {}\n"
    )
    assert complete("ray-gke up ./mine --set ", cwd=tmp_path) == ["rows=", "path="]


def test_other_shells_get_their_own_form() -> None:
    assert complete("ray-gke sta", "fish") == ["status\tShow what is up."]
    assert complete("ray-gke sta", "zsh") == [
        '_arguments \'*: :(("status":"Show what is up."))\''
    ]
    assert complete("ray-gke nothing-like-it x", "zsh") == ["_files"]


@pytest.mark.parametrize("words", [[], ["up"], ["blueprints"], ["blueprints", "new"]])
def test_help_is_the_same_whichever_way_it_is_made(
    ray_gke: RayGke, words: list[str]
) -> None:
    quick = ray_gke(*words, "--help").stdout
    ray_gke.env["COLUMNS"] = "80"
    assert ray_gke(*words, "-h").stdout == quick


def test_help_fits_a_narrow_terminal(ray_gke: RayGke) -> None:
    ray_gke.env["COLUMNS"] = "60"
    lines = ray_gke("up", "--help").stdout.splitlines()
    assert max(map(len, lines)) <= 60
