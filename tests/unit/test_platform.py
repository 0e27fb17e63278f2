from __future__ import annotations

from pathlib import Path

import pytest

from ray_gke.catalog.platform import load
from ray_gke.errors import InvalidError

HEAD = "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: ours}\n"


def _write(tmp_path: Path, spec: str) -> Path:
    file = tmp_path / "ray-gke.yaml"
    file.write_text(f"{HEAD}spec:\n{spec}", encoding="utf-8")
    return file


def test_a_whole_platform(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        "  target: local\n"
        "  kuberay: {version: 1.7.0}\n"
        "  catalogs: [{path: ours}, {git: ../x, commit: '" + "0" * 40 + "', path: y}]\n"
        "  blueprints:\n"
        "    - {blueprint: squares, set: {count: 3, name: x, on: true}}\n"
        "    - {blueprint: squares, name: more-squares}\n",
    )
    platform = load(file)
    assert (platform.name, platform.folder) == ("ours", tmp_path)
    assert platform.spec.kuberay.version == "1.7.0"
    first, second = platform.spec.blueprints
    assert first.set == {"count": 3, "name": "x", "on": True}
    assert second.name == "more-squares"
    place = platform.assigned_at(0)("count")
    assert (place.line, place.key) == (9, "spec.blueprints[0].set.count")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("  targt: local\n", (5, "spec.targt", "unknown key", "'target'")),
        ("  target: gke\n", (5, "spec.target", "'gke'", "use local")),
        (
            "  kuberay: {version: 1.4.0}\n",
            (5, "spec.kuberay.version", "1.4.0", "1.5.1"),
        ),
        ("  catalogs: [{}]\n", (5, "spec.catalogs[0]", "needs path", "path:")),
        ("  catalogs:\n  - git: ../x\n", (6, "spec.catalogs[0].git", "commit", "40")),
        (
            "  catalogs:\n  - {git: ../x, commit: main}\n",
            (6, "spec.catalogs[0].commit", "a branch, tag or short hash", "40 digits"),
        ),
        (
            "  catalogs:\n  - {git: 'ext::sh', commit: main}\n",
            (6, "spec.catalogs[0].git", "not the URL", "https"),
        ),
        (
            "  catalogs:\n  - {git: ../x, path: ../y, commit: " + "a" * 40 + "}\n",
            (6, "spec.catalogs[0].path", "leads out", "inside"),
        ),
        (
            "  catalogs:\n  - {path: x, commit: " + "a" * 40 + "}\n",
            (6, "spec.catalogs[0].commit", "without git", "remove"),
        ),
        (
            "  blueprints:\n  - {blueprint: a}\n  - {blueprint: b, name: a}\n",
            (7, "spec.blueprints[1].name", "two runs are called 'a'", "its own"),
        ),
        (
            "  blueprints: [{blueprint: a, set: {x: [1]}}]\n",
            (5, "spec.blueprints[0].set.x", "a list is not text", "text"),
        ),
    ],
)
def test_faults(tmp_path: Path, spec: str, told: tuple[int, str, str, str]) -> None:
    line, key, message, hint = told
    with pytest.raises(InvalidError) as caught:
        load(_write(tmp_path, spec))
    problem = caught.value.problems[0]
    assert problem.place is not None
    assert (problem.place.line, problem.place.key) == (line, key)
    assert message in problem.message
    assert problem.hint is not None
    assert hint in problem.hint


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="cannot be read"):
        load(tmp_path / "nowhere.yaml")
