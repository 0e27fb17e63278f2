"""pytest plugin: `ray_gke`, a fixture that runs the command line as a user would.

It comes with the package, so a catalog's own tests can use it:

    def test_squares(ray_gke):
        assert "[0, 1, 4, 9]" in ray_gke("up", "squares").stdout

Each test has a state folder of its own; what it brought up is brought down at its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    stdout: str
    stderr: str
    exit_code: int


class Running:
    """A command in the background."""

    def __init__(
        self, argv: list[str], env: Mapping[str, str], folder: Path, cwd: Path | None
    ) -> None:
        """Start `argv` in `cwd`; its output goes to files in `folder`."""
        number = len(list(folder.glob("*.out")))
        self._out, self._err = folder / f"{number}.out", folder / f"{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(  # noqa: S603 our own command
                argv,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        self.pid = self._process.pid

    @property
    def output(self) -> str:
        """What it wrote so far: stdout, then stderr."""
        return self._read(self._out) + self._read(self._err)

    def wait_for(self, text: str, timeout: float = 120) -> None:
        """Wait until it wrote `text`; fails when it ends, or `timeout` (s) passes."""
        deadline = time.monotonic() + timeout
        while True:
            over = self._process.poll() is not None or time.monotonic() > deadline
            if text in self.output:
                return
            if over:
                pytest.fail(f"no {text!r} in the output:\n{self.output}")
            time.sleep(0.1)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def result(self, timeout: float = 300) -> Result:
        """Wait for its end."""
        code = self._process.wait(timeout)
        return Result(self._read(self._out), self._read(self._err), code)

    def end(self) -> None:
        """End it, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @staticmethod
    def _read(path: Path) -> str:
        return path.read_text(encoding="utf-8", errors="replace")


class RayGke:
    """Runs `ray-gke` commands with a state folder of their own."""

    def __init__(self, folder: Path) -> None:
        """Keep state and output in `folder`."""
        self.folder = folder
        home = folder / "home"
        home.mkdir()
        self.env = {
            **os.environ,
            "HOME": str(home),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "NO_COLOR": "1",
        }
        self._running: list[Running] = []

    def __call__(
        self,
        *args: str,
        exit_code: int | None = 0,
        timeout: float = 300,
        cwd: Path | None = None,
    ) -> Result:
        """Run `ray-gke ARGS` to its end and check its exit code (None: any)."""
        result = self.start(*args, cwd=cwd).result(timeout)
        if exit_code is not None and result.exit_code != exit_code:
            pytest.fail(
                f"ray-gke {' '.join(args)}: exit code {result.exit_code}, "
                f"not {exit_code}\n{result.stdout}\n{result.stderr}"
            )
        return result

    def start(self, *args: str, cwd: Path | None = None) -> Running:
        """Run `ray-gke ARGS` in the background, in the folder `cwd`."""
        argv = [sys.executable, "-m", "ray_gke", *args]
        running = Running(argv, self.env, self.folder, cwd)
        self._running.append(running)
        return running

    def close(self) -> None:
        """End what still runs."""
        for running in self._running:
            running.end()
        if (self.folder / "state").exists():
            self("down", "--all", timeout=120)


@pytest.fixture
def ray_gke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayGke]:
    """The command line; see `RayGke`."""
    commands = RayGke(tmp_path_factory.mktemp("ray_gke"))
    yield commands
    commands.close()
