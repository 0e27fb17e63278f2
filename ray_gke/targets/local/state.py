"""All runs that this machine remembers: `$XDG_STATE_HOME/ray-gke/local/NAME/` each."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray_gke.errors import RefusedError
from ray_gke.targets.local.run_folder import RunFolder, writing


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
    except OSError as error:
        raise RefusedError(
            f"the state of runs cannot be read: {root()}: {error.strerror}",
            hint="set XDG_STATE_HOME to a folder of your own",
        ) from None


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
