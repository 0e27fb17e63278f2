from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ray_gke.catalog import git
from ray_gke.errors import FailedError, InvalidError, RefusedError

Commit = Callable[[str], str]


def _run(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "repository"
    folder.mkdir()
    _run(folder, "init", "--quiet", "--initial-branch=main")
    return folder


@pytest.fixture
def commit(repository: Path) -> Commit:
    def make(text: str) -> str:
        (repository / "file").write_text(text, encoding="utf-8")
        _run(repository, "add", "file")
        _run(repository, "commit", "--quiet", "--message", text)
        return _run(repository, "rev-parse", "HEAD")

    return make


def _cached(tmp_path: Path) -> list[str]:
    return [entry.name for entry in (tmp_path / "cache/ray-gke/catalogs").iterdir()]


def test_files_are_those_of_the_commit(repository: Path, commit: Commit) -> None:
    first, second = commit("one"), commit("two")
    url = str(repository)
    assert (git.checkout(url, first) / "file").read_text(encoding="utf-8") == "one"
    assert (git.checkout(url, second) / "file").read_text(encoding="utf-8") == "two"


def test_a_commit_is_fetched_once(repository: Path, commit: Commit) -> None:
    folder = git.checkout(str(repository), (made := commit("one")))
    repository.rename(repository.with_name("gone"))
    assert git.checkout(str(repository), made) == folder


def test_file_url(repository: Path, commit: Commit) -> None:
    folder = git.checkout(repository.as_uri(), commit("one"))
    assert (folder / "file").is_file()


def test_nothing_is_left_of_a_fetch_that_fails(
    tmp_path: Path, repository: Path, commit: Commit
) -> None:
    commit("one")
    with pytest.raises(InvalidError, match="git"):
        git.checkout(str(repository), "0" * 40)
    with pytest.raises(InvalidError, match="git"):
        git.checkout(str(tmp_path / "nowhere"), "0" * 40)
    with pytest.raises(FailedError, match="git"):
        git.checkout("http://127.0.0.1:1/nothing", "0" * 40)
    assert _cached(tmp_path) == []


def test_two_at_once(tmp_path: Path, repository: Path, commit: Commit) -> None:
    made = commit("one")
    with ThreadPoolExecutor(4) as pool:
        folders = list(
            pool.map(lambda _: git.checkout(str(repository), made), range(4))
        )
    assert len(set(folders)) == 1
    assert _cached(tmp_path) == [folders[0].name]


def test_hooks_and_settings_of_a_caller_do_not_count(
    tmp_path: Path, repository: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = commit("one")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    hook = hooks / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n", encoding="utf-8")
    hook.chmod(0o755)
    settings = tmp_path / ".gitconfig"
    settings.write_text(f"[core]\n\thooksPath = {hooks}\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another"))
    assert (git.checkout(str(repository), made) / "file").is_file()
    assert not (tmp_path / "hooked").exists()


def test_no_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RefusedError, match="git is not installed"):
        git.checkout(str(repository), "0" * 40)


def test_a_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(FailedError, match="cannot be written"):
        git.checkout("/nowhere", "0" * 40)


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "fd::17",
        "",
        "https://",
        "javascript:alert(1)",
        "https://me:secret@example.com/x",
    ],
)
def test_refused_urls(url: str) -> None:
    assert git.wrong_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/team/blueprints.git",
        "ssh://git@example.com:22/team/blueprints",
        "git@example.com:team/blueprints.git",
        "file:///srv/blueprints",
        "../blueprints",
        "/srv/blueprints",
    ],
)
def test_allowed_urls(url: str) -> None:
    assert git.wrong_url(url) is None


@pytest.mark.parametrize("commit", ["main", "v1.0", "abc1234", "A" * 40, "0" * 41])
def test_refused_commits(commit: str) -> None:
    assert git.wrong_commit(commit)
