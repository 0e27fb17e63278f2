"""`ray-gke` as a user has it, at a namespace of a real cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray_gke.testing import RayGke, Result, Running

PATIENCE = 400
"""Seconds for what takes a minute when nothing else runs on the machine."""


@dataclass
class CommandLine:
    """Runs `ray-gke` commands; a call of it waits for the end of one."""

    ray_gke: RayGke
    namespace: str

    def __call__(
        self, *arguments: str, exit_code: int = 0, cwd: Path | None = None
    ) -> Result:
        """Run a command to its end, and check its exit code."""
        return self.ray_gke(
            *self._placed(arguments), exit_code=exit_code, timeout=PATIENCE, cwd=cwd
        )

    def start(self, *arguments: str, cwd: Path | None = None) -> Running:
        """Run a command in the background."""
        return self.ray_gke.start(*self._placed(arguments), cwd=cwd)

    def json(self, *arguments: str, cwd: Path | None = None) -> Any:
        """Return what a command answers as data."""
        return json.loads(self(*arguments, "--output", "json", cwd=cwd).stdout)

    @contextmanager
    def dashboard(self, name: str) -> Iterator[dict[str, str]]:
        """Keep `ray-gke dashboard` open; yield what it prints."""
        running = self.start("dashboard", name, "--output", "json")
        try:
            running.wait_for("open until Ctrl-C")
            yield json.loads(running.output.partition("open until")[0])
        finally:
            running.end()

    def _placed(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return (*arguments, "--on", "kubernetes", "--namespace", self.namespace)
