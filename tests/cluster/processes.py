"""Programs of the test cluster: start, wait until ready, end.

A program dies with the process that started it, also when that is killed, so nothing
outlives a test run. To be exact, it dies with the *thread* that started it: start
programs from the main thread.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_POLL_SECONDS = 0.05
_LAST_LINES = 20
# Below the range from which the kernel takes ports of outgoing connections and above
# that of Ray's workers; Kubernetes' node ports begin at 30000.
_PORTS = range(20000, 30000)
# In a process of its own, because code between fork and exec may hang in a program
# that has threads. PR_SET_PDEATHSIG is 1.
_UNTIL_PARENT_DIES = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class ProgramError(Exception):
    """A program did not become ready; the message has the end of its log."""


class Program:
    """A program that can be started and stopped again and again; its log grows."""

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        ready: Callable[[], bool] = lambda: True,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace: float = 10,
    ) -> None:
        """Name a program.

        `ready` is asked again and again, `env` is added to ours, and after `grace`
        seconds a program that was asked to end is killed.
        """
        self.name = name
        self.command = [str(argument) for argument in command]
        self.log = log
        self.ready = ready
        self.env = dict(env or {})
        self.cwd = cwd
        self.grace = grace
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running process."""
        return self._process.pid if self._process and self.running else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, patience: float = 60) -> None:
        """Start the program and wait until it is ready."""
        self.spawn()
        self.wait(patience=patience)

    def spawn(self) -> None:
        """Start the program without waiting; does nothing while it runs."""
        if self.running:
            return
        launch = [sys.executable, "-I", "-S", "-c", _UNTIL_PARENT_DIES]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*launch, str(os.getpid()), *self.command],
                env={**os.environ, **self.env},
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, *, patience: float = 60) -> None:
        """Wait until the program is ready; it is stopped when that takes too long."""
        deadline = time.monotonic() + patience
        while not self.ready():
            if not self.running:
                raise ProgramError(self._tell("ended before it was ready"))
            if time.monotonic() > deadline:
                self.stop()
                raise ProgramError(self._tell(f"was not ready within {patience:g} s"))
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Ask the program to end; kill it when its grace did not suffice."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(self.grace)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the program at once, as a crash of its machine would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Let the program hang: it keeps its connections and answers nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen program go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _tell(self, what: str) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return f"{self.name} {what}; {self.log} ends with:\n" + "\n".join(lines)


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on, and that stays ours across restarts."""
    for _ in range(100):
        port = random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return port
    raise ProgramError(f"{address} has no free port in {_PORTS.start}-{_PORTS.stop}")


def answers(
    url: str, *, token: str | None = None, ca: Path | None = None
) -> Callable[[], bool]:
    """Return a probe: does `url` answer with success? Certificates need `ca`."""

    def probe() -> bool:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=2, context=_trusting(ca)):
                return True
        except (OSError, urllib.error.URLError, ValueError):
            return False

    return probe


def _trusting(ca: Path | None) -> ssl.SSLContext:
    if ca is not None:
        return ssl.create_default_context(cafile=ca)
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return unchecked


def eventually(what: str, holds: Callable[[], object], *, patience: float = 60) -> None:
    """Wait until `holds()` is true; say `what` was waited for when it never is."""
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise ProgramError(f"waited {patience:g} s in vain for {what}")
        time.sleep(_POLL_SECONDS)
