"""`ray-gke` as a process of its own, which can be interrupted, killed, and be several.

It is forked from a process that has imported everything: what is left of its life is
the work that the command does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path

from tests.cluster.processes import eventually

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "ray_gke.cli",
        "ray_gke.commands",
        "ray_gke.reporting.terminal",
        "ray_gke.selection",
        "ray_gke.targets.kubernetes.target",
        "kubernetes.config",
        "urllib3",
    ]
)
_PATIENCE_SECONDS = 120
# The fork server tells once how a process ended. Starting one asks for all that have
# ended: of two threads that ask at once, one gets no answer, which reads as 255.
_ASKED = threading.Lock()


@dataclass
class Command:
    """One command line, at the cluster of a kubeconfig; `log` has what it writes."""

    arguments: Sequence[str]
    kubeconfig: Path
    folder: Path
    log: Path
    _process: multiprocessing.process.BaseProcess = field(init=False)
    _began: float = 0.0
    seconds: float = 0.0
    """How long it took, once it has ended."""

    def start(self) -> Command:
        """Start it."""
        self._process = _CONTEXT.Process(
            target=_run,
            args=(list(self.arguments), self.kubeconfig, self.folder, self.log),
            daemon=True,
        )
        self._began = time.monotonic()
        with _ASKED:
            self._process.start()
        return self

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        with _ASKED:
            return self._process.is_alive()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; it may ask for that before we know its number."""
        eventually("the number of the process", lambda: self._process.pid)
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        with _ASKED:
            self._process.kill()
        self._ended(None)

    def wait(self, seconds: float = _PATIENCE_SECONDS) -> int:
        """Return its exit status once it has ended; it must end within `seconds`."""
        ended = self._ended(seconds)
        self.seconds = time.monotonic() - self._began
        if not ended:
            self.kill()
            raise AssertionError(f"{self} did not end within {seconds} s")
        with _ASKED:
            code = self._process.exitcode
        assert code is not None
        return code

    def _ended(self, seconds: float | None) -> bool:
        """Wait for its end without asking how it was; tell whether it came."""
        return bool(connection.wait([self._process.sentinel], seconds))

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def __str__(self) -> str:
        return f"ray-gke {' '.join(self.arguments)}:\n{self.said}"


def _run(arguments: list[str], kubeconfig: Path, folder: Path, log: Path) -> None:
    """Be `ray-gke`, in the child."""

    from ray_gke import cli

    log.parent.mkdir(parents=True, exist_ok=True)
    written = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, opened in enumerate((nothing, written, written)):
        os.dup2(opened, number)
    sys.stdin = os.fdopen(0, closefd=False)
    os.chdir(folder)
    os.environ["KUBECONFIG"] = str(kubeconfig)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["ray-gke", *arguments]
    cli.main()
