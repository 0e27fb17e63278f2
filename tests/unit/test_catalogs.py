from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ray_gke.catalog import platform
from ray_gke.catalog.catalogs import Catalogs, Source
from ray_gke.errors import FailedError, InvalidError, Place, UsageError

BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {{name: {name}, summary: "{summary}", tags: [a, b]}}
spec: {{cluster: {{}}}}
"""
PLATFORM = """\
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: ours}
spec:
  catalogs:
"""


def _add(catalog: Path, name: str, summary: str = "") -> Path:
    folder = catalog / name
    folder.mkdir(parents=True)
    text = BLUEPRINT.format(name=name, summary=summary)
    (folder / "blueprint.yaml").write_text(text, encoding="utf-8")
    return folder


def _platform(tmp_path: Path, catalogs: str) -> Catalogs:
    file = tmp_path / "ray-gke.yaml"
    file.write_text(PLATFORM + catalogs, encoding="utf-8")
    return Catalogs.of(platform.load(file))


def test_later_catalogs_win_with_a_warning(tmp_path: Path) -> None:
    _add(tmp_path / "one", "a", "first")
    _add(tmp_path / "one", "b")
    folder = _add(tmp_path / "two", "a", "second")
    catalogs = Catalogs(
        [Source("one", tmp_path / "one"), Source("two", tmp_path / "two")]
    )
    assert [(e.name, e.summary, e.catalog) for e in catalogs.entries()] == [
        ("a", "second", "two"),
        ("b", "", "one"),
    ]
    assert catalogs.find("a") == folder
    (warning,) = catalogs.warnings
    assert "blueprint a" in warning
    assert "catalog one" in warning
    assert "catalog two" in warning


def test_entries_say_what_a_user_chooses_by(tmp_path: Path) -> None:
    _add(tmp_path, "a", "Text")
    (entry,) = Catalogs([Source("one", tmp_path)]).entries()
    assert (entry.kind, entry.tags, entry.problem) == ("cluster", ("a", "b"), "")


@pytest.mark.parametrize("text", ["\t", "", "[]", "spec: 5", "metadata: []\nspec: {}"])
def test_a_broken_blueprint_does_not_hide_the_others(tmp_path: Path, text: str) -> None:
    _add(tmp_path, "good")
    (_add(tmp_path, "broken") / "blueprint.yaml").write_text(text, encoding="utf-8")
    broken, good = Catalogs([Source("one", tmp_path)]).entries()
    assert broken.name == "broken"
    assert broken.problem
    assert not good.problem


def test_an_unknown_name_offers_the_nearest(tmp_path: Path) -> None:
    _add(tmp_path, "squares")
    catalogs = Catalogs([Source("one", tmp_path)])
    with pytest.raises(UsageError) as caught:
        catalogs.find("sqares")
    assert caught.value.problems[0].hint == "did you mean 'squares'?"
    with pytest.raises(InvalidError):
        catalogs.find("sqares", place=Place("ray-gke.yaml", 3))


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _add(tmp_path, "mine")
    other = _add(tmp_path / "catalog", "mine")
    empty = Catalogs([])
    monkeypatch.chdir(tmp_path)
    assert empty.find("./mine") == Path("mine")
    assert empty.find("mine") == Path("mine")
    assert empty.find(str(folder)) == folder
    assert empty.find("mine/blueprint.yaml") == Path("mine")
    assert empty.find("./mine", base=tmp_path / "catalog") == other
    assert Catalogs([Source("one", tmp_path / "catalog")]).find("mine") == other
    monkeypatch.chdir(folder)
    assert empty.find(".") == Path()
    with pytest.raises(UsageError, match=r"no blueprint\.yaml in \./nothing"):
        empty.find("./nothing")


def test_a_link_out_of_the_catalog_is_not_a_blueprint(tmp_path: Path) -> None:
    folder = _add(tmp_path, "outside")
    catalog = tmp_path / "catalog"
    _add(catalog, "inside")
    (catalog / "outside").symlink_to(folder)
    (catalog / "alias").symlink_to("inside")
    names = [entry.name for entry in Catalogs([Source("one", catalog)]).entries()]
    assert names == ["alias", "inside"]


def test_ours_come_first(tmp_path: Path) -> None:
    _add(tmp_path / "theirs", "squares", "Theirs")
    catalogs = _platform(tmp_path, "    - path: theirs\n")
    (squares,) = (e for e in catalogs.entries() if e.name == "squares")
    assert squares.summary == "Theirs"
    assert "catalog ray-gke" in catalogs.warnings[0]


def test_a_catalog_that_is_not_there(tmp_path: Path) -> None:
    catalogs = _platform(tmp_path, "    - path: nowhere\n")
    with pytest.raises(InvalidError, match="nowhere") as caught:
        catalogs.entries()
    place = caught.value.problems[0].place
    assert place is not None
    assert (place.line, place.key) == (6, "spec.catalogs[0]")


@pytest.mark.parametrize(
    "name", ["x" * 300, "./" + "x" * 300, "good/blueprint.yaml/x", "a\0b"]
)
def test_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    _add(tmp_path, "good")
    catalogs = Catalogs([Source("one", tmp_path)])
    with pytest.raises(UsageError, match="there is no blueprint"):
        catalogs.find(name, base=tmp_path)


@pytest.mark.parametrize("path", ["x" * 300, "ray-gke.yaml/x", "circle"])
def test_a_catalog_that_no_folder_can_be(tmp_path: Path, path: str) -> None:
    (tmp_path / "circle").symlink_to("circle")
    catalogs = _platform(tmp_path, f"    - path: {path}\n")
    with pytest.raises(InvalidError) as caught:
        catalogs.entries()
    place = caught.value.problems[0].place
    assert place is not None
    assert (place.line, place.key) == (6, "spec.catalogs[0]")


def test_a_catalog_of_a_user_who_is_not_there(tmp_path: Path) -> None:
    catalogs = _platform(tmp_path, "    - path: ~nobody-of-this-name/x\n")
    with pytest.raises(InvalidError, match="has no folder"):
        catalogs.entries()


def _forbid(monkeypatch: pytest.MonkeyPatch, method: str, name: str) -> None:
    allowed = getattr(Path, method)

    def refuse(path: Path) -> Any:
        if name in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return allowed(path)

    monkeypatch.setattr(Path, method, refuse)


def test_a_blueprint_that_may_not_be_read_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _add(tmp_path, "good")
    _add(tmp_path, "secret")
    _forbid(monkeypatch, "is_file", "secret")
    catalogs = Catalogs([Source("one", tmp_path)])
    good, secret = catalogs.entries()
    assert (good.problem, secret.name) == ("", "secret")
    assert secret.problem == "cannot be read: Permission denied"
    assert catalogs.find("good") == folder


@pytest.mark.parametrize("method", ["is_dir", "iterdir"])
def test_a_catalog_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    _add(tmp_path / "theirs", "good")
    _forbid(monkeypatch, method, "theirs")
    catalogs = _platform(tmp_path, "    - path: theirs\n")
    with pytest.raises(InvalidError, match="Permission denied") as caught:
        catalogs.entries()
    assert str(caught.value.problems[0].place).endswith("6:7: spec.catalogs[0]")


def test_a_summary_that_would_steer_the_terminal(tmp_path: Path) -> None:
    _add(tmp_path, "loud", "\\e[2J")
    (entry,) = Catalogs([Source("one", tmp_path)]).entries()
    assert entry.summary == ""
    assert "control characters" in entry.problem


def test_a_git_catalog_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "nothing").mkdir()
    urls = {"./nothing": InvalidError, "http://127.0.0.1:1/no": FailedError}
    for url, error in urls.items():
        catalogs = _platform(tmp_path, f"    - {{git: {url}, commit: {'a' * 40}}}\n")
        with pytest.raises(error) as caught:
            catalogs.entries()
        place = caught.value.problems[0].place
        assert place is not None
        assert (place.line, place.key) == (6, "spec.catalogs[0]")


def test_a_git_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repository = tmp_path / "repository"
    _add(repository / "blueprints", "theirs", "From git")
    (repository / "link").symlink_to("/etc")
    commit = _commit(repository)
    source = f"    - {{git: ./repository, commit: {commit}, path: %s}}\n"
    catalogs = _platform(tmp_path, source % "blueprints")
    (entry,) = (e for e in catalogs.entries() if e.name == "theirs")
    assert entry.summary == "From git"
    assert commit[:12] in entry.catalog
    assert entry.folder.is_relative_to(tmp_path / "cache")
    for path in ("nowhere", "link"):
        with pytest.raises(InvalidError, match="has no folder"):
            _platform(tmp_path, source % path).entries()


def _commit(folder: Path) -> str:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        argv = ["git", *identity, *arguments]
        return subprocess.run(
            argv, cwd=folder, env=env, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "All")
    return git("rev-parse", "HEAD")
