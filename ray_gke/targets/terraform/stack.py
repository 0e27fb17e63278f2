"""One stack: planned, shown, applied exactly as it was shown, and asked for outputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ray_gke.errors import FailedError, InterruptedRun, RefusedError
from ray_gke.events import Emit, Note
from ray_gke.targets.terraform import (
    adopting,
    failures,
    imports,
    journal,
    process,
)
from ray_gke.targets.terraform.applying import Applying
from ray_gke.targets.terraform.changes import Changes, ResourceChange, parse
from ray_gke.targets.terraform.messages import Diagnostic, Message
from ray_gke.targets.terraform.messages import parse as parse_line
from ray_gke.targets.terraform.programs import Program
from ray_gke.targets.terraform.working_copy import WorkingCopy

_PLAN_FILE = "ray-gke.plan"
_NOT_THERE = ("Cannot import non-existent remote object", "not found", "Error 404")
_CHANGES = 2
_OF_BUCKET = {"bucket_missing", "bucket_permission"}


@dataclass(frozen=True)
class Planned:
    """A plan: what it would do, and, if `apply` has to do it, its file's digest."""

    changes: Changes = field(default_factory=Changes)
    digest: str = ""

    @property
    def to_apply(self) -> bool:
        """Tell whether there is anything for `apply` to do."""
        return bool(self.digest)


@dataclass(frozen=True)
class Stack:
    """A stack in a working copy.

    `again` is the command that goes on after a failure, `env` what only this stack's
    providers are told, `provider` what the google provider adds: project and region.
    """

    program: Program
    copy: WorkingCopy
    name: str
    title: str
    again: str
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    provider: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Return the root module."""
        return self.copy.stack(self.name)

    @property
    def _running(self) -> Path:
        return self.copy.running(self.name)

    @property
    def _applied(self) -> Path:
        return self.copy.log(f"{self.name}-apply")

    def init(self, variables: str, backend: Mapping[str, str]) -> None:
        """Make the folder ready to be planned. Raises FailedError."""
        digest = self.copy.configure(self.name, variables, backend)
        told = f"{self.program.version} {digest}"
        mark = self.folder / ".terraform" / "ray-gke-init"
        if mark.is_file() and mark.read_text(encoding="utf-8") == told:
            return
        if self.copy.moves(self.name, backend):
            journal.refuse_still_running(self._running, self.again)
        command = self.program.command
        done = self.copy.initialize(self.name, backend, command, self.env)
        if done.code:
            raise self._failed([_named(one, backend) for one in done.errors])
        mark.write_text(told, encoding="utf-8")

    @contextmanager
    def planning(self) -> Iterator[process.Running | None]:
        """Begin a plan, for `plan` to go on with; it ends with the block.

        None where something has to be done before.
        """
        if journal.still_running(self._running) or self._unwritten.is_file():
            yield None
            return
        begun = self._begin_plan(process.AT_ONCE)
        try:
            yield begun
        finally:
            if begun.process.poll() is None:
                begun.stop()
                journal.end(self._running, begun.log, whole=False)

    def plan(
        self,
        emit: Emit,
        *,
        begun: process.Running | None = None,
        destroy: bool = False,
        **options: Any,
    ) -> Planned:
        """Return what an apply would do; nothing is changed. Raises FailedError.

        `begun` is a plan that `planning` has begun, `options` are Terraform's: with
        `lock=False` nobody is kept out meanwhile, which is for what is only shown.
        """
        if begun is None:
            journal.wait_for_earlier(self._running, emit, self.title)
        if destroy:
            options["destroy"] = True
        logs = [self._applied, self.copy.log(f"{self.name}-plan")]
        left = {log: journal.lock_left(log) for log in logs}
        try:
            return self._plan(begun, process.AT_ONCE, **options)
        except StackError as error:
            lock = journal.take_lock(error.diagnostics, left)
            if lock is None:
                self._tell_who_is_waited_for(error, emit)
        if lock:
            text = f"Terraform was killed, and has left its lock {lock}: it is released"
            emit(Note(self.title, text))
            self._run("force-unlock", lock, force=True)
        return self._plan(None, process.LOCK_TIMEOUT, **options)

    def _tell_who_is_waited_for(self, error: StackError, emit: Emit) -> None:
        """Tell whose lock it is; raises all other errors.

        Terraform says whose only when it gives up, so first it is asked to at once.
        """
        locks = [failures.cause(one) == "state_locked" for one in error.diagnostics]
        if not any(locks):
            raise error
        text = f"{error.problems[0].message}: waiting, {process.LOCK_TIMEOUT} at most"
        emit(Note(self.title, text))

    @property
    def _unwritten(self) -> Path:
        """What an apply made, and could not write to a bucket any more."""
        return self.folder / "errored.tfstate"

    def _plan(
        self, begun: process.Running | None, patience: str, **options: Any
    ) -> Planned:
        if self._unwritten.is_file():
            self._run("state push", self._unwritten.name, lock_timeout=patience)
            self._unwritten.unlink()
        code, said = self._hear(begun or self._begin_plan(patience, **options))
        if code not in (0, _CHANGES):
            raise self._failed(said)
        if code == 0:
            return Planned()
        digest = self._digest()
        shown = json.loads(self._run("show", _PLAN_FILE, json=True).out)
        return Planned(parse(shown), digest)

    def _digest(self) -> str:
        return hashlib.sha256((self.folder / _PLAN_FILE).read_bytes()).hexdigest()

    def adopt_interrupted(self, emit: Emit) -> None:
        """Take over what an interrupted apply had made, if there was one."""
        journal.wait_for_earlier(self._running, emit, self.title)
        if self.begun_creations():
            adopting.adopt(self, self.plan(emit), emit)

    def adopt(self, planned: Planned, emit: Emit) -> Planned:
        """Return the plan, once what an interrupted apply had made is ours again.

        Raises RefusedError when something of the same name is somebody else's.
        """
        return adopting.adopt(self, planned, emit)

    def begun_creations(self) -> frozenset[str]:
        """Return what an apply that was interrupted may have made untold."""
        return journal.created(self._applied)

    def apply(self, planned: Planned, emit: Emit, step: str) -> str:
        """Do exactly what was planned; return in a few words what that was.

        Raises FailedError with the causes, InterruptedRun for Ctrl-C, and RefusedError
        when it is not what was planned last.
        """
        if not planned.to_apply:
            return "no changes"
        if self._digest() != planned.digest:
            raise RefusedError(
                f"another run has planned {self.title} anew meanwhile",
                hint=f"{self.again} once more, when nobody else does",
            )
        applying = Applying(self.title, step, planned.changes.todo, emit)
        try:
            self._apply(applying, process.AT_ONCE)
        except StackError as error:
            self._tell_who_is_waited_for(error, emit)
            self._apply(applying, process.LOCK_TIMEOUT)
        return applying.summary()

    def _apply(self, applying: Applying, patience: str) -> None:
        options: dict[str, Any] = {"input": False, "lock_timeout": patience}
        code, said = self._hear(self._begin("apply", _PLAN_FILE, **options), applying)
        if code:
            raise self._failed(said)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs by name; nothing where the stack was never applied."""
        found = json.loads(self._run("output", json=True).out)
        return {name: one["value"] for name, one in found.items()}

    def addresses(self) -> list[str]:
        """Return the addresses of what the stack's state has."""
        done = self._do("state list")
        if done.code and "No state file was found" not in done.err:
            raise self._failed(done.errors)
        lines = done.out.split("\n")
        return [line for line in lines if line and ".data." not in f".{line}"]

    def forget(self, addresses: Sequence[str]) -> None:
        """Take what is gone with its cluster out of the state."""
        if addresses:
            self._run("state rm", *addresses)

    def take_over(self, change: ResourceChange) -> bool:
        """Take over a resource if it is there; tell whether it is."""
        identity = imports.identity(change.type, change.values, self.provider)
        if identity is None:
            return False
        options = {"input": False, "no_color": True}
        done = self._do("import", change.address, identity, **options)
        if done.code and not any(text in done.err for text in _NOT_THERE):
            raise self._failed(done.errors)
        return not done.code

    def _begin_plan(self, patience: str, **options: Any) -> process.Running:
        return self._begin(
            "plan",
            out=_PLAN_FILE,
            input=False,
            detailed_exitcode=True,
            lock_timeout=patience,
            **options,
        )

    def _begin(self, verb: str, *arguments: str, **options: Any) -> process.Running:
        running = process.start(
            self.program.command,
            verb,
            *arguments,
            folder=self.folder,
            log=self.copy.log(f"{self.name}-{verb}"),
            env=self.env,
            json=True,
            **options,
        )
        journal.begin(self._running, running)
        return running

    def _hear(
        self, running: process.Running, applying: Applying | None = None
    ) -> tuple[int, list[Message]]:
        """Follow a command to its end; return its exit code and what it said."""
        said: list[Message] = []
        try:
            with process.interruptible(running, lambda: self._waits(applying)):
                for line in running.follow():
                    message = parse_line(line)
                    said += [message] if message else []
                    if applying and message:
                        applying.hears(message)
        except KeyboardInterrupt:
            # A second Ctrl-C leaves no time to write what was made.
            journal.end(self._running, running.log, whole=False)
            raise InterruptedRun(
                f"{self.title}: interrupted; what is there stays, and is remembered",
                hint=f"{self.again} goes on from there",
            ) from None
        code = running.process.wait()
        journal.end(self._running, running.log, whole=code >= 0)
        return code, said

    def _waits(self, applying: Applying | None) -> None:
        if applying:
            text = "waiting until Terraform has ended what it has begun; "
            applying.emit(Note(self.title, text + "Ctrl-C again stops it at once"))

    def _run(self, verb: str, *arguments: str, **options: Any) -> process.Done:
        done = self._do(verb, *arguments, **options)
        if done.code:
            raise self._failed(done.errors)
        return done

    def _do(self, verb: str, *arguments: str, **options: Any) -> process.Done:
        where: dict[str, Any] = {"folder": self.folder, "env": self.env}
        return process.run(self.program.command, verb, *arguments, **where, **options)

    def _failed(self, said: Sequence[Message]) -> StackError:
        told = [one for one in said if isinstance(one, Diagnostic)]
        errors = [one for one in told if one.severity == "error"]
        errors = errors or [Diagnostic("error", "Terraform ended without a word")]
        errors = failures.placed(errors, said)
        known = {"platform": self.title, "stack": self.name, **self.provider}
        error = StackError.of(failures.problems(errors, again=self.again, known=known))
        error.diagnostics = tuple(errors)
        return error


class StackError(FailedError):
    """Terraform did not succeed; `diagnostics` are its own words."""

    diagnostics: tuple[Diagnostic, ...] = ()


def _named(error: Message, backend: Mapping[str, str]) -> Message:
    """Return an error with the name of the bucket: Google does not tell it."""
    if not isinstance(error, Diagnostic) or failures.cause(error) not in _OF_BUCKET:
        return error
    return replace(error, detail=f"{error.detail} gs://{backend['bucket']}".strip())
