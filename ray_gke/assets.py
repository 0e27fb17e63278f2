"""The folders that travel with the package: templates, blueprints, terraform."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def folder(name: str) -> Path:
    """Return the folder `name` of this installation.

    A wheel carries it in the package (`ray_gke/_assets/NAME`); a checkout, and an
    editable install of one, has it beside the package.
    """
    installed = _PACKAGE / "_assets" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
