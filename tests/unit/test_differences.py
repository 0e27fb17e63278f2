"""In which fields two versions of an object differ."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.targets.kubernetes import differences

Object = dict[str, Any]


def one(spec: Any, **metadata: Any) -> Object:
    return {"kind": "RayJob", "metadata": {"name": "demo", **metadata}, "spec": spec}


def test_paths_are_as_people_say_them() -> None:
    before = one({"a": [{"b": 1}, {"b": 2}], "c": {"d": 3}, "e": [1]})
    after = one({"a": [{"b": 1}, {"b": 9}], "c": {"f": 3}, "e": [1, 2]})
    assert differences.fields(before, after) == (
        "spec.a[1].b",
        "spec.c.d",
        "spec.c.f",
        "spec.e",
    )


def test_what_the_server_writes_is_no_difference() -> None:
    before = {**one({}, uid="1", resourceVersion="2"), "status": {"a": 1}}
    assert differences.fields(before, one({}, generation=3)) == ()


@pytest.mark.parametrize("empty", [{}, [], None])
def test_empty_is_the_same_as_nothing(empty: Any) -> None:
    assert differences.fields(one({"a": [{"b": empty}]}), one({"a": [{}]})) == ()
    assert differences.fields(one({"a": 0}), one({"a": empty})) == ("spec.a",)


@pytest.mark.parametrize(
    ("place", "differs"),
    [
        (".spec.groups", True),
        ('.spec.groups[name="a"].image', True),
        (".spec.group", False),
        (".spec.other", False),
        (".spec", True),
    ],
)
def test_places_as_the_api_server_names_them(place: str, differs: bool) -> None:
    before, after = one({"groups": [{"image": 1}]}), one({"groups": [{"image": 2}]})
    assert differences.within(place, before, after) == differs
