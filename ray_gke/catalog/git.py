"""Git repositories at a commit: the only place of this room that starts a process."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray_gke.errors import FailedError, InvalidError, RefusedError

_TIMEOUT_SECONDS = 300
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
_ALLOWED_URL = re.compile(r"(https|ssh|file|http|git)://.+|[\w.-]+@[\w.-]+:.+|[./].*")
_PASSWORD = re.compile(r"[a-z]+://[^/@]*:[^/@]*@")
# What git says when the URL or the commit is wrong, and not the network.
_WRONG = re.compile(
    "not our ref|no such remote ref|not a tree|unable to read tree|not a valid object"
    "|not appear to be a git repository|repository .* not found|does not exist"
)
# Nothing of the repository runs, and nothing but the repository itself is fetched.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "advice.detachedHead=false",
)


def wrong_url(url: str) -> str | None:
    """Return why a URL is refused, or None."""
    if _PASSWORD.match(url):
        return "the URL contains a password, and a secret never stands in a file"
    if (
        not url.isprintable()
        or url.startswith("-")
        or "::" in url
        or not _ALLOWED_URL.fullmatch(url)
    ):
        return f"{url[:80]!r} is not the URL of a git repository"
    return None


def wrong_commit(commit: str) -> str | None:
    """Return why a commit is refused, or None."""
    if _FULL_COMMIT.fullmatch(commit):
        return None
    return (
        f"{commit[:60]!r} is not a full commit: a branch, tag or short hash can come "
        "to mean other files"
    )


def checkout(url: str, commit: str) -> Path:
    """Return a folder with the repository's files at `commit`, fetched at most once.

    Raises RefusedError without git, InvalidError when there is no such repository or
    commit, and FailedError when it cannot be fetched.
    """
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    folder = _cache() / f"{key}-{commit}"
    if not os.path.isdir(folder):  # noqa: PTH112 which says no where the other raises
        with _temporary_beside(folder) as made:
            _fetch(url, commit, made)
            _move(made, folder)
    return folder


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    # Path.expanduser() raises where nobody knows the home.
    home = os.path.expanduser(home)  # noqa: PTH111
    return Path(home) / "ray-gke" / "catalogs"


@contextmanager
def _temporary_beside(folder: Path) -> Iterator[Path]:
    """Make a folder that is gone afterwards, unless it was moved."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".fetch-", dir=folder.parent))
    except OSError as error:
        message = f"{folder.parent} cannot be written: {error.strerror}"
        raise FailedError(message, hint="set XDG_CACHE_HOME") from None
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fetch(url: str, commit: str, folder: Path) -> None:
    _git(folder, "init", "--quiet", "--template=")
    try:
        _git(folder, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, commit)
    except (FailedError, InvalidError):
        # Not every server gives out a commit by its hash.
        every = "+refs/heads/*:refs/remotes/origin/*"
        _git(folder, "fetch", "--quiet", "--", url, every)
    _git(folder, "checkout", "--quiet", "--detach", commit, "--")
    found = _git(folder, "rev-parse", "HEAD").strip()
    if found != commit:
        raise InvalidError(f"{url} gave commit {found} instead of {commit}")


def _move(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError as error:
        # Otherwise somebody else fetched it meanwhile.
        if not folder.is_dir():
            message = f"{folder} cannot be written: {error.strerror}"
            raise FailedError(message, hint="set XDG_CACHE_HOME") from None


def _git(folder: Path, *arguments: str) -> str:
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    argv = ["git", *settings, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 a list of arguments, checked above
            argv,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        message = "git is not installed, and a catalog is a git repository"
        raise RefusedError(message, hint="install git") from None
    except subprocess.TimeoutExpired:
        message = f"git {arguments[0]} took more than {_TIMEOUT_SECONDS} seconds"
        raise FailedError(message, hint="check the network") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()[-3:]
        message = f"git {arguments[0]} failed: {' '.join(said)}"
        wrong = InvalidError if _WRONG.search(done.stderr) else FailedError
        raise wrong(message, hint="check URL, commit and your access to it")
    return done.stdout


def _environment() -> dict[str, str]:
    # A hook that runs us sets GIT_DIR and more, which mean another repository.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    ssh = os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_SSH_COMMAND": ssh,
        "LC_ALL": "C",
    }
