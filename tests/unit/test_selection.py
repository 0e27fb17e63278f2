from __future__ import annotations

from pathlib import Path

import pytest

from ray_gke.errors import InvalidError, UsageError
from ray_gke.selection import choose, rendered, select, target

BLUEPRINT = """apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: NAME}
parameters:
  count: {type: integer, default: 1, description: How many}
  size: {type: integer, default: 1, description: How large}
  data: {type: path, default: /none, description: What}
  PARAMETER: {type: path, default: /none, description: Its own}
spec:
  job: {entrypoint: "true"}
"""
PLATFORM = """apiVersion: ray-gke/v1
kind: Platform
metadata: {name: ours}
spec:
  catalogs: [{path: ours}]
  namespace: everybody
  teams:
    vision: {set: {count: 3, size: 3, data: team-data, of_a: a-data}}
  blueprints:
    - {blueprint: a, team: vision, set: {size: 5}}
    - {blueprint: a, name: a-with-data, team: vision, set: {data: run-data}}
    - {blueprint: b, team: vision, namespace: own}
    - {blueprint: b, name: nobody-s}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a", "b"):
        folder = tmp_path / "platform" / "ours" / name
        folder.mkdir(parents=True)
        text = BLUEPRINT.replace("NAME", name).replace("PARAMETER", f"of_{name}")
        (folder / "blueprint.yaml").write_text(text, encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    platform = tmp_path / "platform" / "ray-gke.yaml"
    platform.write_text(PLATFORM, encoding="utf-8")
    return platform


def test_own_values_before_the_team_s(file: Path) -> None:
    a, with_data, b, nobody_s = select(choose(file), None)
    assert a.loaded.parameters == {
        "count": 3,
        "size": 5,
        "data": str(file.parent / "team-data"),
        "of_a": str(file.parent / "a-data"),
    }
    assert with_data.loaded.parameters["data"] == str(file.parent / "run-data")
    assert b.loaded.parameters["of_b"] == "/none"
    assert nobody_s.loaded.parameters["count"] == 1


def test_paths_of_the_file_and_of_the_command_line(file: Path) -> None:
    (run,) = select(choose(file), "a-with-data", ["count=7"])
    assert run.loaded.parameters["count"] == 7
    assert run.loaded.parameters["size"] == 3
    assert run.loaded.parameters["data"] == str(file.parent / "run-data")
    (named,) = select(choose(file), "a-with-data", name="other")
    assert named.loaded.parameters["data"] == str(file.parent / "run-data")
    assert (named.plan.name, named.namespace) == ("other", "vision")
    (mine,) = select(choose(file), "a-with-data", ["data=mine"])
    assert mine.loaded.parameters["data"] == str(Path.cwd() / "mine")
    assert mine.loaded.parameters["of_a"] == str(file.parent / "a-data")


def test_whose_mistake_it_is(file: Path) -> None:
    with pytest.raises(UsageError, match="'many' is not a whole number"):
        select(choose(file), "a", ["count=many"])
    file.write_text(PLATFORM.replace("size: 5", "size: big"), encoding="utf-8")
    with pytest.raises(InvalidError, match="'big' is not a whole number") as caught:
        select(choose(file), "a", ["count=4"])
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert (problem.place.line, problem.place.key) == (
        10,
        "spec.blueprints[0].set.size",
    )


def test_a_team_s_mistake_is_told_once(file: Path) -> None:
    file.write_text(PLATFORM.replace("count: 3", "count: big"), encoding="utf-8")
    with pytest.raises(InvalidError) as caught:
        select(choose(file), None)
    assert len(caught.value.problems) == 1


def test_a_typo_of_a_team_is_not_certain_while_a_blueprint_is_wrong(file: Path) -> None:
    text = PLATFORM.replace("of_a:", "of_c:")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidError, match="no blueprint of this team has a parameter"):
        select(choose(file), None)
    file.write_text(text.replace("blueprint: b,", "blueprint: c,"), encoding="utf-8")
    with pytest.raises(InvalidError) as caught:
        select(choose(file), None)
    messages = [problem.message for problem in caught.value.problems]
    assert messages == ["there is no blueprint 'c'"] * 2


def test_each_in_its_namespace_or_all_in_one(file: Path) -> None:
    choice = choose(file)
    selected = select(choice, None)
    namespaces = [run.namespace for run in selected]
    assert namespaces == ["vision", "vision", "own", "everybody"]
    assert _namespaces(rendered(selected, choice)) == {"vision", "own", "everybody"}
    assert _namespaces(rendered(selected, choice, "one")) == {"one"}
    (beside,) = select(choice, str(file.parent / "ours" / "b"))
    assert beside.namespace == "everybody"


def _namespaces(manifests: list[dict[str, object]]) -> set[object]:
    found = set()
    for manifest in manifests:
        metadata = manifest["metadata"]
        assert isinstance(metadata, dict)
        found.add(metadata.get("namespace"))
    return found


def test_where_it_runs(file: Path) -> None:
    assert target(choose(None), None) == "local"
    assert target(choose(file), None) == "local"
    wanted = PLATFORM.replace("spec:", "spec:\n  target: kubernetes", 1)
    file.write_text(wanted, encoding="utf-8")
    assert target(choose(file), None) == "kubernetes"
    assert target(choose(file), "local") == "local"
