"""What tests share: `--update-goldens`, and plans of a few lines of blueprint."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ray_gke.planning.plan import Plan


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="rewrite the goldens, to be reviewed as a diff",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests with real Ray in one worker, one after the other.

    A head that has to wait 15 s for its agents, as on a machine where several start at
    once, gives up.
    """
    for item in items:
        if item.get_closest_marker("local"):
            item.add_marker(pytest.mark.xdist_group("ray"))


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., Plan]:
    """Write a blueprint called `demo` with this `spec`, and return its plan."""
    from ray_gke.catalog.load import load
    from ray_gke.planning.build import build

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
