"""A plan from the few lines of a blueprint that a test is about."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ray_gke.catalog.load import load
from ray_gke.planning.build import build
from ray_gke.planning.plan import Plan

Planned = Callable[..., Plan]


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    """Write a blueprint called `demo` with this `spec`, and return its plan."""

    def plan(
        spec: str, *, files: Mapping[str, bytes] | None = None, name: str | None = None
    ) -> Plan:
        folder = tmp_path / "demo"
        folder.mkdir(exist_ok=True)
        lines = textwrap.indent(textwrap.dedent(spec), "  ")
        head = (
            "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: demo}\nspec:\n"
        )
        (folder / "blueprint.yaml").write_text(head + lines)
        for path, content in (files or {}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return build(load(folder, {}, display="demo"), name=name)

    return plan
