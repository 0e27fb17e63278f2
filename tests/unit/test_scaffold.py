from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ray_gke.catalog import scaffold
from ray_gke.catalog.load import load
from ray_gke.errors import FailedError, RefusedError, UsageError


@pytest.mark.parametrize("kind", ["cluster", "job", "service"])
def test_a_new_blueprint_is_valid(tmp_path: Path, kind: scaffold.Workload) -> None:
    written = scaffold.new(tmp_path, "my-first", kind)
    names = {path.name for path in written}
    assert {"blueprint.yaml", "README.md", "main.py", "test_my_first.py"} <= names
    loaded = load(tmp_path / "my-first", {})
    assert getattr(loaded.blueprint.spec, kind) is not None
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert "NAME" not in text.replace("name=NAME", "")
        if path.suffix == ".py":
            ast.parse(text)
    assert len((tmp_path / "my-first/blueprint.yaml").read_text().splitlines()) <= 12


def test_an_existing_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(RefusedError, match="exists already"):
        scaffold.new(tmp_path, "mine", "job")
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 300, "file/x"])
def test_a_catalog_that_cannot_be_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FailedError, match="cannot be written"):
        scaffold.new(tmp_path / name, "mine", "job")


@pytest.mark.parametrize("name", ["", "Mine", "../mine", "a/b", "1a", "a" * 48, "-x"])
def test_a_name_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        scaffold.new(tmp_path, name, "job")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_it_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(FailedError, match="No space left"):
        scaffold.new(tmp_path, "mine", "job")
    assert list(tmp_path.iterdir()) == []
