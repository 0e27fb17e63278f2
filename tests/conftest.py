"""What tests share: their options, test clusters, plans of a few lines of blueprint."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.fixtures import (  # noqa: F401
    cluster,
    namespace,
    real_cluster,
    real_namespace,
)

if TYPE_CHECKING:
    from ray_gke.planning.plan import Plan

_ASKED_FOR = {
    "cluster": "tests on a real control plane",
    "node": "tests on a real kubelet; needs root on Debian",
    "gke": "tests on GKE itself, which cost money; see the README",
}
_ONE_WORKER = {"local": "ray", "node": "node", "gke": "gke"}
"""Markers of tests that stay in one worker, and the name of its group."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="rewrite the goldens, to be reviewed as a diff",
    )
    for name, what in _ASKED_FOR.items():
        parser.addoption(f"--{name}", action="store_true", help=f"also run {what}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what nobody asked for; keep some tests in one worker, in order.

    A head of real Ray that has to wait 15 s for its agents, as on a machine where
    several start at once, gives up. There is one real node on a machine.
    """
    silent = [name for name in _ASKED_FOR if not config.getoption(name)]
    left_out = [i for i in items if any(i.get_closest_marker(n) for n in silent)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    for item in items:
        for marker, group in _ONE_WORKER.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.xdist_group(group))


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
