"""Importing Google's clients when they are needed, from any thread."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType

_COMPUTE = "google.cloud.compute_v1"

one_at_a_time = threading.Lock()
"""Held during imports: modules of these packages import each other in circles, and two
threads that import at once could see one of them unfinished."""


def client_module(name: str) -> ModuleType:
    """Return a package of `google.cloud`, such as container_v1."""
    with one_at_a_time:
        return importlib.import_module(f"google.cloud.{name}")


def compute_module(service: str) -> ModuleType:
    """Return one service of Compute Engine's client, without the 120 others.

    The package's own `__init__` imports all of them, most of a second, until Python
    3.15 makes that lazy (PEP 810). So the package is put in place without running it.
    """
    with one_at_a_time:
        if _COMPUTE not in sys.modules:
            spec = importlib.util.find_spec(_COMPUTE)
            assert spec
            sys.modules[_COMPUTE] = importlib.util.module_from_spec(spec)
        return importlib.import_module(f"{_COMPUTE}.services.{service}")
