from __future__ import annotations

from typing import Any

import pytest

from ray_gke.catalog.expression_syntax import ExpressionError
from ray_gke.catalog.expressions import OpenParameterError, evaluate

VALUES = {"count": 3, "rate": 0.5, "name": "it's", "flag": True, "path": "a b"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no expression", "no expression"),
        ("}} and } and { are text", "}} and } and { are text"),
        ("{{ count }}", 3),
        ("{{count}}", 3),
        ("{{ rate }}", 0.5),
        ("{{ flag }}", True),
        ("{{ name }}", "it's"),
        ("{{ none }}", None),
        ("{{ [count, name] }}", [3, "it's"]),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ {'a': count} }}", {"a": 3}),
        (" {{ count }}", " 3"),
        ("{{ count }}{{ count }}", "33"),
        ("--n={{ count }} --p={{ path | quote }}", "--n=3 --p='a b'"),
        ("{{ name | quote }}", "'it'\"'\"'s'"),
        ("{{ count * 2 + 1 }}", 7),
        ("{{ 7 // 2 }}", 3),
        ("{{ 7 % 4 }}", 3),
        ("{{ 2 ** 10 }}", 1024),
        ("{{ -count }}", -3),
        ("{{ 'a' + 'b' }}", "ab"),
        ("{{ count ~ 'x' }}", "3x"),
        ("--flag={{ flag }}", "--flag=true"),
        ("{{ flag ~ ',' ~ (count > 5) }}", "true,false"),
        ("{{ flag | quote }} {{ [flag, 1] | join(',') }}", "true true,1"),
        ("{{ flag | string }}", "true"),
        ("{{ '-' * 3 }}", "---"),
        ("{{ 'big' if count > 2 else 'small' }}", "big"),
        ("{{ {'s': 1, 'l': 8}['l'] }}", 8),
        ("{{ [4, 5][0] }}", 4),
        ("{{ count is odd and not flag }}", False),
        ("{{ count in [1, 3] }}", True),
        ("{{ rate | round | int }}", 0),
        ("{{ path | upper | replace('A', 'Z') }}", "Z B"),
        ("{{ ['a', 'b'] | join(',') }}", "a,b"),
        ("{{ [1, 2] | tojson }}", "[1, 2]"),
        ("{{ '{{' }}", "{{"),
        ("{{ '{%' }} and {{ '{#' }}", "{% and {#"),
        ("a\n{{ count }}\n", "a\n3\n"),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = evaluate(text, VALUES)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("coutn", "no parameter 'coutn'"),
        ("name.upper()", "nothing can be called"),
        ("name.__class__", "attribute .__class__"),
        ("name['upper']", "cannot be evaluated"),
        ("''['__class__']['__mro__']", "cannot be evaluated"),
        ("self", "no parameter 'self'"),
        ("range(3)", "nothing can be called"),
        ("lipsum()", "nothing can be called"),
        ("cycler", "no parameter 'cycler'"),
        ("namespace", "no parameter 'namespace'"),
        ("name | attr('x')", "unknown filter 'attr'"),
        ("name | format", "unknown filter 'format'"),
        ("name | map('upper')", "unknown filter 'map'"),
        ("count is defined", "unknown test 'defined'"),
        ("'%9999999999d' is odd", "not a whole number"),
        ("'%9999999999d' % 1", "both sides must be numbers"),
        ("'%s' % name", "both sides must be numbers"),
        ("9 ** 9 ** 9", "too large"),
        ("2 ** 64", "too large"),
        ("9999999999 * 9999999999", "too large"),
        ("1e300 * 1e300", "not finite"),
        ("(0 - 8) ** 0.5", "not plain data"),
        ("'x' * 65537", "larger than 65,536"),
        ("['x'] * 9", "must be numbers"),
        ("'' | replace('', 'x' * 65536) | replace('x', 'y' * 9)", "larger than"),
        ("'x' * 60000 ~ 'x' * 60000", "larger than"),
        ("1 + 'a'", "joined by ~"),
        ("1 / 0", "division by zero"),
        ("[] | first", "cannot be evaluated"),
        ("'x' | int", "cannot be evaluated"),
        ("5 | round(-999999999)", None),
        ("{1: 2}", "the key 1 is not text"),
        ("", "nothing in {{ }}"),
        ("1 +", "not an expression"),
        ("a b", "not an expression"),
        ("'open", "not an expression"),
        ("count = 4", "not an expression"),
        ("1 " * 500, "too long"),
        ("'" + "x" * 1000 + "'", "longer than 1000"),
        ("(" * 21 + "1" + ")" * 21, "too nested"),
        ("not " * 60 + "1", "too nested"),
    ],
)
def test_what_is_refused(source: str, message: str | None) -> None:
    if message is None:
        assert evaluate(f"{{{{ {source} }}}}", VALUES) == 0
        return
    with pytest.raises(ExpressionError) as caught:
        evaluate(f"{{{{ {source} }}}}", VALUES)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["{% raw %}", "{%- if x %}", "{# a #}", "a {# b", "{{ 1", "{% endfor %}"]
)
def test_statements_and_comments_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, VALUES)
    assert "{{ '" in caught.value.hint


def test_open_parameters() -> None:
    with pytest.raises(OpenParameterError):
        evaluate("{{ input }}", VALUES, frozenset({"input"}))
