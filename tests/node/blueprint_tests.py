"""The blueprints' own tests, whose checks hold on a cluster too."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"


def of(blueprint: str) -> Any:
    """Return the module with the tests of a blueprint."""
    name = f"test_{blueprint.replace('-', '_')}"
    place = BLUEPRINTS / blueprint / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, place)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look themselves up there.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
