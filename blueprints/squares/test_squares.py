from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.local


def results(stdout: str) -> list[str]:
    return [line for line in stdout.splitlines() if line.startswith("[")]


def test_the_talks_example(ray_gke: Any) -> None:
    assert results(ray_gke("up", "squares").stdout) == ["[0, 1, 4, 9]"]


def test_count_is_a_parameter(ray_gke: Any) -> None:
    done = ray_gke("up", "squares", "--set", "count=6")
    assert results(done.stdout) == ["[0, 1, 4, 9, 16, 25]"]
