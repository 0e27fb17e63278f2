"""What is remembered of the runs on this machine, in a folder for each.

`$XDG_STATE_HOME/ray-gke/local/NAME/`, for this user only:

record.json   the run, written whole or not at all
lock          held while an `up` of this name works
stop          exists as soon as the run is being ended
token         Ray's authentication token
code/         a copy of the workload's own files
nodes/        what each Ray node was asked for, and what came of it
driver.log    what the job wrote; logs/ what Ray wrote
events.jsonl  what a detached `up` tells
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from ray_gke.errors import RefusedError

Phase = Literal["starting", "running", "stopping", "ended"]


@dataclass(frozen=True)
class GroupRecord:
    """A worker group as it was brought up."""

    name: str
    min_replicas: int
    max_replicas: int
    num_cpus: int
    num_gpus: int


@dataclass(frozen=True)
class Record:
    """One run. `status` is Ray's word for how it stands or ended."""

    name: str
    kind: str
    blueprint: str
    phase: Phase
    started_at: float
    up_pid: int
    up_started: float | None
    status: str = "STARTING"
    ended_at: float | None = None
    groups: tuple[GroupRecord, ...] = ()
    gcs_address: str = ""
    dashboard: str = ""
    session: str = ""
    serve_url: str = ""
    job_id: str = ""
    message: str = ""
    exit_code: int | None = None

    @classmethod
    def parse(cls, text: str) -> Record:
        """Raises ValueError when `text` is not a record."""
        try:
            data: dict[str, Any] = json.loads(text)
            data["groups"] = tuple(GroupRecord(**group) for group in data["groups"])
            known = {f.name for f in fields(cls)}
            return cls(**{key: value for key, value in data.items() if key in known})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(str(error)) from None


def root() -> Path:
    """Return the folder of all runs; it need not exist.

    Raises RefusedError when there is no place for it.
    """
    base = os.environ.get("XDG_STATE_HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "ray-gke" / "local"
    try:
        home = Path.home()
    except RuntimeError:
        home = Path("/")
    if home == Path("/") or not home.is_dir():
        raise RefusedError(
            f"there is no home folder to keep the state of runs in ({home})",
            hint="set HOME or XDG_STATE_HOME to a folder that you can write",
        )
    return home / ".local" / "state" / "ray-gke" / "local"


@dataclass(frozen=True)
class RunFolder:
    """Where one run keeps its things."""

    path: Path
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.path.name)

    @property
    def token(self) -> Path:
        return self.path / "token"

    @property
    def code(self) -> Path:
        return self.path / "code"

    @property
    def nodes(self) -> Path:
        return self.path / "nodes"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def driver_log(self) -> Path:
        return self.path / "driver.log"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def stop(self) -> Path:
        return self.path / "stop"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def temp(self) -> Path:
        """Ray's own folder: in /tmp, because the path of a Unix socket must be short.

        It follows from the run's folder, so it is found without a record.
        """
        digest = hashlib.sha256(str(self.path).encode()).hexdigest()[:10]
        return Path("/tmp") / f"ray-gke-{os.getuid()}-{digest}"  # noqa: S108

    def record(self) -> Record | None:
        """Return what is remembered, or None when that is missing or damaged."""
        try:
            return Record.parse((self.path / "record.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def write(self, record: Record) -> None:
        """Remember `record`, whole or not at all."""
        self.place("record.json", json.dumps(asdict(record), indent=1))

    def place(self, name: str, text: str) -> None:
        """Write a file of this run, whole or not at all, for this user only."""
        target = self.path / name
        half = target.with_name(f".{target.name}.{os.getpid()}")
        with writing(self.path):
            try:
                descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                half.replace(target)
            finally:
                with suppress(OSError):
                    half.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget an earlier run of this name."""
        with writing(self.path):
            for entry in self.path.iterdir():
                if entry != self.lock:
                    _remove(entry)
        self.remove_temp()

    def make_temp(self) -> None:
        """Make Ray's folder; it must not be there, or the link of somebody else."""
        self.remove_temp()
        with writing(self.temp):
            self.temp.mkdir(mode=0o700)

    def remove_temp(self) -> None:
        """Remove Ray's folder with all in it.

        Raises RefusedError when another user has put something in its place.
        """
        with suppress(FileNotFoundError):
            found = self.temp.lstat()
            if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
                raise RefusedError(
                    f"{self.temp} is not ours", hint="remove it, or ask its owner to"
                )
            shutil.rmtree(self.temp, ignore_errors=True)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a full disk or a folder that cannot be written into a RefusedError."""
    try:
        yield
    except OSError as error:
        raise RefusedError(
            f"cannot write in {folder}: {error.strerror}",
            hint="make room there, or set XDG_STATE_HOME to another folder",
        ) from None


def folder(name: str) -> RunFolder:
    """Return the folder of the run `name`; it need not exist."""
    return RunFolder(root() / name)


def make(name: str) -> RunFolder:
    """Return the folder of the run `name`, made if it is missing."""
    run = folder(name)
    with writing(run.path):
        run.path.mkdir(parents=True, exist_ok=True)
        root().chmod(0o700)
        run.path.chmod(0o700)
    return run


def all_runs() -> list[RunFolder]:
    """Return the folders of all runs that are remembered, by name."""
    try:
        return sorted(
            (RunFolder(path) for path in root().iterdir() if path.is_dir()),
            key=lambda run: run.name,
        )
    except FileNotFoundError:
        return []


@contextmanager
def locked(run: RunFolder) -> Iterator[None]:
    """Hold the run's lock, or raise RefusedError when another `up` holds it."""
    with writing(run.path):
        descriptor = os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise already_runs(run.name) from None
    try:
        yield
    finally:
        os.close(descriptor)


def already_runs(name: str) -> RefusedError:
    """Return the error for a second `up` of one name."""
    return RefusedError(
        f"{name} is already running on this machine",
        hint=f"ray-gke down {name}, or bring it up under another name with --name",
    )
