from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ray_gke.rendering import documents

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
_TEXT = st.one_of(
    st.text(_CHARACTERS, max_size=30),
    st.text(
        st.sampled_from("0123456789eExXobn_.:+-~yYnNfF #'\"\n\t |>&*!%@`"), max_size=8
    ),
)
_DATA = st.recursive(
    st.one_of(_TEXT, st.integers(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(_TEXT, inner, max_size=4)
    ),
    max_leaves=20,
)


# Plain scalars that are not text in the core schema of YAML 1.2 (10.3.2).
_NOT_TEXT_IN_1_2 = re.compile(
    r"|~|null|Null|NULL|true|True|TRUE|false|False|FALSE"
    r"|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


@given(st.dictionaries(_TEXT, _DATA, max_size=5))
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    assert yaml.safe_load(documents.text(data)) == data


@given(st.dictionaries(_TEXT, _TEXT, min_size=1, max_size=5))
def test_readers_of_yaml_1_2_agree(data: dict[str, str]) -> None:
    for event in yaml.parse(documents.text(data)):
        if isinstance(event, yaml.ScalarEvent) and not event.style:
            assert not _NOT_TEXT_IN_1_2.fullmatch(event.value)


@pytest.mark.parametrize(
    "value",
    [
        *("on", "Yes", "NO", "off", "y", "N", "null", "~", "", "1e3", "0o7", "0x1f"),
        *("1_000", "12:30:45", "1.5", ".5", "+1", ".inf", ".NaN", "=", "<<", "2.60.0"),
        *("2024-01-02", "- a", "a: b", "a #b", "#", "@x", "`x`", "%a", "!a", "&a"),
        *("*a", "[", "{", "'"),
    ],
)
def test_text_that_a_reader_may_take_for_something_else_is_quoted(value: str) -> None:
    line = documents.text({"key": value}).strip()
    assert line.startswith('key: "')
    assert line.endswith('"')


@pytest.mark.parametrize(
    "value", ["8Gi", "500m", "RayCluster", "ray.io/v1", "a-b", "python squares.py"]
)
def test_plain_words_stay_plain(value: str) -> None:
    assert documents.text({"key": value}) == f"key: {value}\n"


def test_lines_of_text_stand_as_a_block() -> None:
    assert documents.text({"a.py": "x = 1\nprint(x)\n"}) == (
        "a.py: |\n  x = 1\n  print(x)\n"
    )


def test_an_object_begins_with_what_it_is() -> None:
    one = {
        "spec": {"b": 1, "a": 2},
        "metadata": {"name": "demo"},
        "kind": "K",
        "apiVersion": "v1",
    }
    assert documents.stream([one]) == (
        "---\napiVersion: v1\nkind: K\nmetadata:\n  name: demo\nspec:\n  b: 1\n  a: 2\n"
    )


def test_the_same_object_twice_is_written_twice() -> None:
    shared = {"cpu": "1"}
    assert documents.text({"a": shared, "b": shared}) == (
        'a:\n  cpu: "1"\nb:\n  cpu: "1"\n'
    )


def test_files_are_named_in_the_order_of_their_objects() -> None:
    objects: list[dict[str, Any]] = [
        {"kind": "ConfigMap", "metadata": {"name": "a-files"}},
        {"kind": "RayJob", "metadata": {"name": "a"}},
    ]
    assert documents.files(objects) == {
        "00-configmap-a-files.yaml": "kind: ConfigMap\nmetadata:\n  name: a-files\n",
        "01-rayjob-a.yaml": "kind: RayJob\nmetadata:\n  name: a\n",
    }
