"""The folder of one run, for this user only."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ray_gke.errors import RefusedError
from ray_gke.targets.local.record import Record


@dataclass(frozen=True)
class RunFolder:
    """Where one run keeps its things."""

    path: Path
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.path.name)

    @property
    def token(self) -> Path:
        """Ray's authentication token."""
        return self.path / "token"

    def read_token(self) -> str:
        """Return Ray's authentication token; raises OSError when it is gone."""
        return self.token.read_text("utf-8").strip()

    @property
    def code(self) -> Path:
        """A copy of the workload's own files."""
        return self.path / "code"

    @property
    def nodes(self) -> Path:
        """What each Ray node was asked for, and what came of it."""
        return self.path / "nodes"

    @property
    def logs(self) -> Path:
        """What Ray has logged, once the run has ended."""
        return self.path / "logs"

    @property
    def driver_log(self) -> Path:
        """What the job has written, once the run has ended."""
        return self.path / "driver.log"

    @property
    def events(self) -> Path:
        """What a detached `up` tells, a line of JSON each."""
        return self.path / "events.jsonl"

    @property
    def autoscaling(self) -> Path:
        """The config of Ray's autoscaler."""
        return self.path / "autoscaling.json"

    @property
    def background_log(self) -> Path:
        """What the process of a detached `up` writes."""
        return self.path / "background.log"

    @property
    def stop(self) -> Path:
        """Exists as soon as the run is being ended: nothing more is started."""
        return self.path / "stop"

    @property
    def lock(self) -> Path:
        """Held while an `up` of this name works."""
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
        self.place("record.json", record.to_json())

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
        kept = {self.lock, self.events, self.background_log}
        with writing(self.path):
            for entry in set(self.path.iterdir()) - kept:
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
