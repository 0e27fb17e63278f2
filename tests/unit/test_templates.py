from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ray_gke import assets
from ray_gke.errors import InvalidError
from ray_gke.rendering.templates import Templates, inline

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def rendered(folder: Path, text: str, **values: object) -> Any:
    (folder / "ray-cluster.yaml.j2").write_text(text)
    return Templates(folder).render("ray-cluster", **values)


@given(_TEXT)
def test_any_text_is_placed_as_it_is(value: str) -> None:
    assert yaml.load(f"key: {inline(value)}", Loader=yaml.CSafeLoader) == {"key": value}


@given(st.dictionaries(_TEXT, st.lists(st.integers() | _TEXT | st.booleans())))
def test_any_structure_is_placed_as_it_is(value: dict[str, Any]) -> None:
    read = yaml.load(f"key: {inline(value)}", Loader=yaml.CSafeLoader)
    assert read == {"key": value}


def test_text_cannot_add_structure(tmp_path: Path) -> None:
    value = 'x"}\nkind: Pod # {{ 7 * 7 }}'
    assert rendered(tmp_path, "a: {{ v | inline }}\n", v=value) == {"a": value}


def test_null_leaves_the_key_out(tmp_path: Path) -> None:
    text = "a: {{ v | inline }}\nb: {c: {{ v | inline }}}\nd: []\n"
    assert rendered(tmp_path, text, v=None) == {"b": {}, "d": []}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {{ v | inline }} # {{ v | inline }}", {"a": {"x": 1}}),
        ("a: |\n  {{ v | inline }}\n", {"a": '{"x": 1}\n'}),
        ("a: {{ v | inline | inline }}", {"a": '{"x": 1}'}),
        ("a: [{{ n | inline }}, {b: {{ v | inline }}}]", {"a": [7, {"b": {"x": 1}}]}),
        ("{{ s | inline }}: {{ v | inline }}", {"b c": {"x": 1}}),
        ("a: {<<: {{ v | inline }}, y: 2}", {"a": {"x": 1, "y": 2}}),
        ("a: &n {{ n | inline }}\nb: *n", {"a": 7, "b": 7}),
        ("a: 'v{{ n | inline }}'\nb: v{{ n | inline }}", {"a": "v7", "b": "v7"}),
        ("a: !!str {{ n | inline }}", {"a": "7"}),
        ("a: {{ n | inline }}\na: {{ s | inline }}", {"a": "b c"}),
        ("{{ v | inline }}", {"x": 1}),
    ],
)
def test_a_value_may_stand_wherever_yaml_takes_it(
    tmp_path: Path, text: str, expected: object
) -> None:
    assert rendered(tmp_path, text, v={"x": 1}, n=7, s="b c") == expected


def test_what_is_placed_is_a_copy(tmp_path: Path) -> None:
    value = {"x": [1, ("y",)], 2: None}
    result = rendered(tmp_path, "a: {{ v | inline }}\nb: {{ v | inline }}", v=value)
    assert result == {"a": {"x": [1, ["y"]]}, "b": {"x": [1, ["y"]]}}
    assert result["a"]["x"] is not result["b"]["x"]


@pytest.mark.parametrize("more", ["", "# {{ v | inline }}"])
def test_a_template_and_its_values_are_deep_together(tmp_path: Path, more: str) -> None:
    def deep(levels: int) -> Any:
        return [deep(levels - 1)] if levels else "the longer the text, the rarer"

    text = "a: " + "[" * 99 + "{{ v | inline }}" + "]" * 99 + more
    assert rendered(tmp_path, text, v=deep(100))
    with pytest.raises(InvalidError, match="nested too deeply"):
        rendered(tmp_path, text, v=deep(101))


def test_a_catalog_s_template_wins_and_the_others_stay_ours(tmp_path: Path) -> None:
    text = "kind: {{ metadata.name | inline }}"
    assert rendered(tmp_path, text, metadata={"name": "x"}) == {"kind": "x"}
    ours = Templates(tmp_path).render(
        "ray-service",
        metadata={"name": "x"},
        serve_config="",
        exclude_head=False,
        cluster_spec={},
    )
    assert ours["kind"] == "RayService"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {{ nothing | inline }}", "'nothing' is undefined"),
        ("a: {{ v.nothing | inline }}", "no attribute 'nothing'"),
        ("a: {{ v.__class__ | inline }}", "unsafe"),
        ("a: {{ v }}", "a value without | inline"),
        ("a: {{ v | upper }}", "No filter named 'upper'"),
        ("a: {{ v | inline(v) }}", "inline takes nothing in parentheses"),
        ("a: {{ v() | inline }}", "Call is not allowed"),
        ("a: {{ 'x' * 10**9 | inline }}", "is not allowed"),
        ("{% for n in range(10) %}{% endfor %}a: 1", "is not allowed"),
        ("{% include '/etc/passwd' %}", "Include is not allowed"),
        ("{% import 'x' as y %}", "Import is not allowed"),
        ("{% set x = 1 %}a: 1", "Assign is not allowed"),
        ("a: {{ v | inline", "unexpected end of template"),
        ("a: [", "does not give YAML"),
        ("- a", "does not give an object"),
        ("", "does not give an object"),
        ("a: &x [1]\nb: *x", "aliases are not allowed"),
        ("a: &x {{ v | inline }}\nb: *x", "aliases are not allowed"),
        ("a: " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
        ("a: {{ v" + ".a" * 20_000 + " | inline }}", "nested too deeply"),
        ("#" * 70_000, "at most 65,536 bytes"),
    ],
)
def test_a_template_only_places_values(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidError) as caught:
        rendered(tmp_path, text, v={"a": 1})
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.place is not None
    assert problem.place.file.endswith("ray-cluster.yaml.j2")


def test_the_line_of_a_mistake_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        rendered(tmp_path, "a: 1\nb: {{ v }}\n", v=1)
    place = caught.value.problems[0].place
    assert place is not None
    assert place.line == 2


@pytest.mark.parametrize(
    "mistake",
    [
        "b: {{ nothing | inline }}",
        "b: {{ v.nothing | inline }}",
        "b: {{ thing | inline }}",
        "b: {{ v }}",
        "b: {{ v | uper }}",
        "b: [1\nc: ",
        "b: *x",
        "b: {%",
    ],
)
def test_every_mistake_has_file_and_line(tmp_path: Path, mistake: str) -> None:
    text = "{# Two\nlines #}\na: &x [1]\n" + mistake
    with pytest.raises(InvalidError) as caught:
        rendered(tmp_path, text, v=1, thing=object())
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert problem.place.file == str(tmp_path / "ray-cluster.yaml.j2")
    # A list that is not closed is noticed on the line after it.
    assert problem.place.line == (5 if "[1\n" in mistake else 4)
    assert "\n" not in problem.message


def test_a_template_that_nothing_would_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Our templates")
    (tmp_path / "ray-clutser.yaml.j2").write_text("a: 1")
    with pytest.raises(InvalidError) as caught:
        Templates(tmp_path)
    (problem,) = caught.value.problems
    assert problem.message == "no template is called ray-clutser.yaml.j2"
    assert problem.hint == "did you mean 'ray-cluster.yaml.j2'?"
    assert problem.place is not None
    assert problem.place.file == str(tmp_path / "ray-clutser.yaml.j2")


@pytest.mark.parametrize("value", [object(), {"x": [object()]}, {(): 1}, math.inf])
def test_a_value_that_is_no_data_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(InvalidError) as caught:
        rendered(tmp_path, "a: {{ v | inline }}", v=value)
    assert caught.value.problems[0].place is not None


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "templates"
    inside.mkdir()
    (tmp_path / "secret").write_text("a: 1")
    (inside / "ray-cluster.yaml.j2").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidError, match="leads out of its folder"):
        Templates(inside).render("ray-cluster")


def test_a_template_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ray-cluster.yaml.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidError):
        Templates(tmp_path).render("ray-cluster")


def test_every_template_of_ours_is_a_template() -> None:
    names = {path.name for path in assets.folder("templates").glob("*")}
    assert names == {
        "balloon-pods.yaml.j2",
        "balloon-priority-class.yaml.j2",
        "dashboard-config-map.yaml.j2",
        "files-config-map.yaml.j2",
        "fluent-bit-config-map.yaml.j2",
        "fluent-bit-container.yaml.j2",
        "managed-cluster-rules.yaml.j2",
        "managed-rules.yaml.j2",
        "network-policy.yaml.j2",
        "pod-disruption-budget.yaml.j2",
        "pod-monitor.yaml.j2",
        "pod-monitoring.yaml.j2",
        "prometheus-rule.yaml.j2",
        "ray-cluster-spec.yaml.j2",
        "ray-cluster.yaml.j2",
        "ray-job.yaml.j2",
        "ray-pod.yaml.j2",
        "ray-service.yaml.j2",
        "service-account.yaml.j2",
        "submitter-pod.yaml.j2",
        "tls-certificate-container.yaml.j2",
        "worker-group.yaml.j2",
    }
