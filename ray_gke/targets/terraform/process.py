"""Terraform's processes: begun, followed, and ended as they ask to be.

The only module here that starts any. python-terraform makes the command lines; it
cannot follow what a command says, nor pass an environment on, so they are run here.
What a long command says goes into a file: a pipe would break with us, and Terraform
would die of it in the middle of its work.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ray_gke.errors import RefusedError
from ray_gke.targets.terraform.messages import Diagnostic, Message

LOCK_TIMEOUT = "5m"
"""How long a plan or an apply waits for a state that somebody else works on, once the
user is told who that is."""

QUIET_LOCK_TIMEOUT = "10s"
"""How long another command does, of which nobody is told."""

AT_ONCE = "0s"

_POLL_SECONDS = 0.05
_AT_ONCE_SECONDS = 8.0
"""Terraform gives a second Ctrl-C 5 s to write what it knows, and waits for providers
without end."""

_NOTHING: Mapping[str, str] = {}
_HIDDEN = (
    *("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR", "TF_INPUT"),
    # What the providers kubernetes and helm would mix with the cluster that is meant.
    "KUBE_",
)
"""What would change what the stacks are told, without a trace in the platform file."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[Message]:
        """Return the errors that it tells of: it knows no `-json`."""
        text = self.err or self.out
        parts = [part for part in text.split("Error: ")[1:] if part.strip()] or [text]
        found: list[Message] = []
        for part in parts:
            bare = part.replace("│", "").replace("╵", "").strip()
            summary, _, detail = bare.partition("\n")
            found.append(Diagnostic("error", summary.strip(), " ".join(detail.split())))
        return found


def run(
    command: Sequence[str],
    verb: str,
    *arguments: str,
    folder: Path | None = None,
    env: Mapping[str, str] = _NOTHING,
    **options: Any,
) -> Done:
    """Run a short command to its end, and return what it said.

    `options` are Terraform's, in snake_case; True is a flag without a value. Ctrl-C is
    passed on: it gives its lock back, and KeyboardInterrupt is raised.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        words = _words(command, verb, arguments, options)
        process = _begun(words, folder, env, out, err)
        with interruptible(Running(process, Path(os.devnull)), lambda: None):
            code = process.wait()
        return Done(code, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


@dataclass(frozen=True)
class Running:
    """A command that runs, and the file that it writes into."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    def follow(self) -> Iterator[str]:
        """Yield the lines that it writes until it has ended."""
        yield from lines(self.log, lambda: self.process.poll() is None)

    def interrupt(self) -> None:
        """Ask it to stop: once it ends what it has begun, twice it stops at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Ask it to stop, and wait until it has given its lock back.

        With Ctrl-C meanwhile it is ended at once.
        """
        self.interrupt()
        try:
            self.process.wait()
        except KeyboardInterrupt:
            self.end_at_once()

    def end_at_once(self) -> None:
        """Ask it to stop again; end it with its providers when these do not hear it."""
        self.interrupt()
        try:
            self.process.wait(_AT_ONCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()


def start(
    command: Sequence[str],
    verb: str,
    *arguments: str,
    folder: Path,
    log: Path,
    env: Mapping[str, str] = _NOTHING,
    **options: Any,
) -> Running:
    """Begin a command whose output goes into the file `log`.

    It has a session of its own: Ctrl-C on the terminal is ours to pass on, and it
    outlives us. Raises RefusedError while another command writes into the file.
    """
    with log.open("ab") as file:
        if not _taken(file):
            raise RefusedError(
                f"another run is at work on this platform: it writes into {str(log)!r}",
                hint="wait until it is done",
            )
        file.truncate(0)
        words = _words(command, verb, arguments, options)
        process = _begun(words, folder, env, file, subprocess.STDOUT)
    return Running(process, log)


def _begun(
    words: Sequence[str],
    folder: Path | None,
    env: Mapping[str, str],
    out: IO[bytes],
    err: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 a list, and no shell
        words,
        cwd=folder,
        env=_environment(env),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,
    )


def is_written(log: Path) -> bool:
    """Tell whether a command that was begun with this file has not ended."""
    with log.open("rb") as file:
        return not _taken(file)


def _taken(file: IO[bytes]) -> bool:
    """Lock a file for us and those who inherit it, until the last of them ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lines(log: Path, goes_on: Callable[[], bool]) -> Iterator[str]:
    """Yield the lines of a file, and those that are added while `goes_on` says so."""
    with log.open(encoding="utf-8", errors="replace") as file:
        rest = ""
        while True:
            # Asked first: what is written before it ends is read after.
            more = goes_on()
            rest += file.read()
            *whole, rest = rest.split("\n")
            yield from whole
            if not more:
                break
            time.sleep(_POLL_SECONDS)
        if rest:
            yield rest


@contextmanager
def interruptible(running: Running, waiting: Callable[[], None]) -> Iterator[None]:
    """Pass Ctrl-C on to a command, and wait until it has ended.

    `waiting` is called at the first one. Raises KeyboardInterrupt afterwards.
    """
    try:
        yield
    except BaseException:
        try:
            waiting()
        finally:
            running.stop()
        raise


def begun_at(pid: int) -> str | None:
    """Return what tells the process `pid` from a later one of the same number.

    None when there is none, or only its remains.
    """
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        # Not on Linux: the number alone has to do.
        return "unknown"
    after_name = stat.rpartition(")")[2].split()
    return None if after_name[0] in "ZX" else after_name[19]


def _words(
    command: Sequence[str],
    verb: str,
    arguments: Sequence[str],
    options: Mapping[str, Any],
) -> list[str]:
    from python_terraform import IsFlagged, Terraform

    flags = {k: IsFlagged if v is True else v for k, v in options.items()}
    # Without a name of its own it reads the state file of the folder we are in.
    terraform = Terraform(state=f"{os.devnull}/none")
    _, *words = terraform.generate_cmd_string(verb, *arguments, **flags)
    return [*command, *words]


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_HIDDEN)}
    # No question without a person, and no call home.
    return {**kept, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", **more}
