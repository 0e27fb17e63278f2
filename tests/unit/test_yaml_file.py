from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest

from ray_gke.catalog.yaml_file import parse
from ray_gke.errors import InvalidError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("12:30", "12:30"),
        ("2026-11-23", "2026-11-23"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("012", 12),
        ("0o14", 12),
        ("0xff", 255),
        ("-5", -5),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("2.60.0", "2.60.0"),
        ("2.60", 2.6),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("! 5", "5"),
        ("!!int '5'", 5),
        ("!!float 5", 5.0),
        ("!!null ''", None),
        ("[1, a]", [1, "a"]),
        ("{b: 1}", {"b": 1}),
        ("|\n  x\n  y", "x\ny\n"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = parse(f"a: {text}\n".encode(), "f").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_places() -> None:
    text = b"a: 1\nb:\n  - c: x\n    'd e': {f: 2}\n  - 5\n"
    document = parse(text, "f.yaml")
    assert str(document.place(("a",))) == "f.yaml:1:1: a"
    assert str(document.place(("b", 0, "d e", "f"))) == "f.yaml:4:13: b[0].d e.f"
    assert str(document.place(("b", 1))) == "f.yaml:5:5: b[1]"
    assert str(document.place(("b", 0, "missing"))) == "f.yaml:3:5: b[0].missing"
    assert str(document.place(("missing", "x"))) == "f.yaml:1:1: missing.x"
    assert str(document.place(())) == "f.yaml:1:1"


def test_byte_order_mark_and_line_ends() -> None:
    text = b"\xef\xbb\xbfa: 1\r\nb: 2\r\n"
    document = parse(text, "f")
    assert document.data == {"a": 1, "b": 2}
    assert document.place(("b",)).line == 2


def test_aliases_stand_for_their_value() -> None:
    document = parse(b"a: &x {k: [1]}\nb: *x\nc: &s text\nd: *s\n", "f")
    assert document.data["b"] == {"k": [1]}
    assert document.data["d"] == "text"
    assert document.place(("b",)).line == 2
    assert document.place(("b", "k", 0)).line == 1


HUGE = {
    "brackets": b"[" * 100_000,
    "braces": b"{" * 100_000,
    "dashes": b"- " * 50_000,
    "questions": b"? " * 50_000,
    "nested lists": b"a: " + b"[a," * 30_000,
    "digits": b"a: " + b"9" * 500_000,
    "bomb": b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"b%d: &a [%s]\n" % (n, b",".join([b"*a"] * 10)) for n in range(50)),
    "long text, many times": b"a: &a " + b"x" * 9000 + b"\nb: [" + b"*a," * 9000 + b"]",
    "empty entries": b"a:\n" + b"-\n" * 500_000,
    "anchors": b"&a " * 300_000,
    "too large": b"#" * (2**20 + 1),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_files_are_refused_fast(name: str) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidError):
        parse(HUGE[name], "f")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ["bomb", "brackets", "long text, many times"])
def test_huge_files_are_refused_with_little_memory(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(InvalidError):
        parse(HUGE[name], "f")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: 1e999", "not a finite number"),
        (b"a: -.inf", "not a finite number"),
        (b"a: 9223372036854775808", "too large"),
        (b"a: !!int x", "does not fit the tag"),
        (b"a: !!binary aGk=", "!!binary is not allowed"),
        (b"a: !own x", "!own is not allowed"),
        (b"a: !!set {x}", "!!set is not allowed"),
        (b'a: "\\0"', "U+0000"),
        (b"a: \x00", "U+0000"),
        (b"a: \x7f", "U+007F"),
        (b"true: 1", "not text"),
        (b"? [a]\n: 1", "cannot be a key"),
        (b"a: 1\n*a : 2", "a key cannot be an alias"),
        (b"a: 'x'\n 'a': 1", "a key was expected"),
        (b"a\n", "not a mapping"),
        (b"a: b\n\tc: d", "a tab"),
        (b"a:\n  b: 1\n\tc: d", "a tab"),
        (b"a: {{ x }}/y", "key"),
    ],
)
def test_faults(text: bytes, message: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse(text, "f")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.hint
