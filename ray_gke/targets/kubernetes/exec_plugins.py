"""The programs that give a user credentials, as a kubeconfig names them by `exec`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ray_gke.errors import RefusedError

_OF_A_TERMINAL = "'NoneType' object has no attribute 'strip'"
"""What the client logs when one fails that may write to the terminal itself."""


@contextmanager
def listening() -> Iterator[list[str]]:
    """Keep what is logged meanwhile, of which nothing reaches stderr.

    The Kubernetes client logs how a plugin failed, and goes on without credentials
    (_load_from_exec_plugin in config/kube_config.py).
    """
    handler = _Keeping()
    logging.root.addHandler(handler)
    try:
        yield handler.said
    finally:
        logging.root.removeHandler(handler)


def failed(context: str, plugin: Mapping[str, Any], said: list[str]) -> RefusedError:
    """Return that a plugin gave no credentials: `said` is what was logged of it."""
    command = plugin.get("command", "")
    why = " ".join("; ".join(said).split()).replace(_OF_A_TERMINAL, "see above")
    hint = " ".join(str(plugin.get("installHint") or "").split())
    return RefusedError(
        f"context {context} has its credentials from {command}, which failed: {why}",
        hint=hint or f"install {command}, or run it by hand to see what is wrong",
    )


class _Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
