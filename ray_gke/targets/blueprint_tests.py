"""Running blueprints by their own tests, on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ray_gke.errors import FailedError, RefusedError


def run(folders: Sequence[Path]) -> None:
    """Run the tests of blueprint folders with pytest, which writes what happens.

    Raises RefusedError when a blueprint has no test, or pytest is not installed, and
    FailedError when a test fails.
    """
    if find_spec("pytest") is None:
        raise RefusedError(
            "pytest is not installed", hint="pip install 'ray-gke[local]'"
        )
    for folder in folders:
        if not any(folder.glob("test_*.py")):
            raise RefusedError(
                f"blueprint {folder.name} has no test",
                hint=f"write one as {folder / 'test_blueprint.py'}",
            )
    import pytest

    options = ["--import-mode=importlib", "-p", "no:cacheprovider", "-v"]
    if pytest.main([*options, "--rootdir", str(folders[0].parent), *map(str, folders)]):
        raise FailedError("a blueprint's test failed; its output stands above")
