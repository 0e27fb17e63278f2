"""Whatever a file holds, a user gets data or an error with a place; never a crash."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ray_gke.catalog.expression_syntax import ExpressionError
from ray_gke.catalog.expressions import evaluate
from ray_gke.catalog.load import check, load
from ray_gke.catalog.yaml_file import parse
from ray_gke.errors import InvalidError, Problem

QUICK = settings(deadline=1000, max_examples=150)
PER_FILE = settings(
    deadline=1000,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text().filter(lambda text: "\0" not in text)
)
KEYS = st.text(max_size=20).filter(lambda text: "\0" not in text)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=30,
)
MAPPINGS = st.dictionaries(KEYS, DATA, max_size=5)
# PyYAML writes these without quotes: to YAML 1.1 they are text, to 1.2 numbers.
ONLY_1_2 = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+|0o[0-7]+|[-+]?\.?[0-9]+[eE][0-9]+")
WORDS = st.sampled_from(
    [
        "apiVersion",
        "ray-gke/v1",
        "kind",
        "Blueprint",
        "metadata",
        "name",
        "spec",
        "cluster",
        "job",
        "entrypoint",
        "worker_groups",
        "parameters",
        "type",
        "integer",
        "default",
        "-",
        ":",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&",
        "*",
        "!",
        "|",
        ">",
        "'",
        '"',
        "#",
        "%",
        "@",
        "{{",
        "}}",
        "{%",
        "{#",
        "\n",
        "\t",
        "---",
        "...",
        "<<",
        "&a",
        "*a",
        "1",
        "null",
        "true",
        "\n  ",
        "\n    ",
        "  ",
        ": ",
        "- ",
    ]
)


def _parsed_or_invalid(text: bytes) -> None:
    try:
        data = parse(text, "blueprint.yaml").data
    except InvalidError as error:
        (problem,) = error.problems
        assert problem.place is not None
        assert problem.place.line is not None
        assert problem.hint
    else:
        assert isinstance(data, dict)


@QUICK
@given(st.binary())
@example(b"\xff\xfe\x00\x00")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa: 1")
def test_any_bytes_are_data_or_invalid(text: bytes) -> None:
    _parsed_or_invalid(text)


@QUICK
@given(st.text())
@example("a: \u2028\n b: \x85")
def test_any_text_is_data_or_invalid(text: str) -> None:
    _parsed_or_invalid(text.encode("utf-8", errors="surrogatepass"))


@QUICK
@given(st.lists(WORDS).map("".join))
def test_any_yaml_like_text_is_data_or_invalid(text: str) -> None:
    _parsed_or_invalid(text.encode())


@QUICK
@given(MAPPINGS)
def test_what_json_writes_is_read_back(data: dict[str, Any]) -> None:
    text = json.dumps(data, ensure_ascii=True)
    # JSON writes other characters as two halves, which YAML does not know.
    text = text if text.isascii() and "\\ud" not in text else json.dumps({})
    assert parse(text.encode(), "f").data == json.loads(text)


@QUICK
@given(MAPPINGS)
def test_what_yaml_writes_is_read_back(data: dict[str, Any]) -> None:
    text = yaml.safe_dump(data, allow_unicode=False)
    if not ONLY_1_2.search(text):
        assert parse(text.encode(), "f").data == data


@PER_FILE
@given(spec=DATA, parameters=DATA, metadata=DATA)
def test_any_data_is_a_blueprint_or_invalid(
    tmp_path: Path, spec: object, parameters: object, metadata: object
) -> None:
    data = {
        "apiVersion": "ray-gke/v1",
        "kind": "Blueprint",
        "metadata": metadata,
        "parameters": parameters,
        "spec": spec,
    }
    file = tmp_path / "blueprint.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(InvalidError) as caught:
        load(tmp_path, {})
    places = [(p.place.line, p.message) for p in caught.value.problems if p.place]
    assert places
    assert places == sorted(places, key=lambda place: place[0] or 0)


MUTATED = b"""\
apiVersion: ray-gke/v1
kind: Blueprint
metadata:
  name: mutated
parameters:
  count: {type: integer, default: 3, minimum: 1, description: How many}
spec:
  ray: {version: 2.60.0}
  worker_groups:
    - name: workers
      min_replicas: 0
      max_replicas: "{{ count * 2 }}"
      gpu: {accelerator: nvidia-l4}
  job:
    entrypoint: echo {{ count | quote }}
"""


@PER_FILE
@given(
    start=st.integers(0, len(MUTATED)),
    length=st.integers(0, 30),
    new=st.binary(max_size=9),
)
def test_a_damaged_blueprint_is_loaded_or_invalid(
    tmp_path: Path, start: int, length: int, new: bytes
) -> None:
    folder = tmp_path / "mutated"
    folder.mkdir(exist_ok=True)
    damaged = MUTATED[:start] + new + MUTATED[start + length :]
    (folder / "blueprint.yaml").write_bytes(damaged)
    problems: tuple[Problem, ...] = ()
    try:
        check(folder)
    except InvalidError as error:
        problems = error.problems
    assert all(p.place and p.hint and p.message for p in problems)


TOKENS = st.sampled_from(
    [
        "count",
        "name",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ".",
        ",",
        ":",
        "|",
        "~",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "==",
        "!=",
        "<",
        ">",
        "in",
        "is",
        "not",
        "and",
        "or",
        "if",
        "else",
        "1",
        "2.5",
        "9999999999",
        "'x'",
        "'%999999d'",
        "''",
        "true",
        "none",
        "join",
        "replace",
        "quote",
        "upper",
        "length",
        "round",
        "int",
        "tojson",
        "string",
        "first",
        "last",
        "even",
        "odd",
        "range",
        "lipsum",
        "__class__",
        "format",
    ]
)


@settings(deadline=1000, max_examples=500)
@given(st.lists(TOKENS, max_size=25).map(" ".join))
@example("'x' * 65536 * 65536")
@example("[['x' * 60000]] * 99999")
@example("'' | replace('', 'x' * 60000)")
@example("'x' * 60000 | replace('x', 'y' * 60000)")
@example('"\'" | quote | quote | quote | quote | quote | quote | quote | quote | quote')
@example("'%999999999d' is odd")
@example("1 | round(-999999999)")
@example("5 | round(999999999)")
@example("2 ** -99999999999999")
@example("1.5 ** 99999999")
@example("(0 - 8) ** 0.5")
@example("'x'['format']")
@example("self")
@example("not " * 199 + "1")
@example("-" * 198 + "1")
@example("1 if 1 else " * 40 + "1")
@example("+".join(["1"] * 99))
def test_any_expression_is_plain_data_or_an_error(source: str) -> None:
    values = {"count": 3, "name": "it's"}
    try:
        value = evaluate(f"{{{{ {source} }}}}", values)
    except ExpressionError as error:
        value = [error.message, error.hint]
        good = all(value)
    else:
        good = True
    assert good
    assert len(json.dumps(value)) < 10**6
