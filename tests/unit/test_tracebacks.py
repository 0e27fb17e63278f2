"""Which lines of Ray's log files are one record: those of a traceback, and no others.

Python's tracebacks are those of the Python that runs this. Ray's are what Ray 2.60
wrote in a driver's log, with other paths and addresses; its colours too.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from ray_gke.planning.plan import Plan
from ray_gke.rendering import log_collection
from ray_gke.rendering.templates import Templates
from tests.fluent_bit import FluentBit

LIBRARY = "/home/ray/anaconda3/lib/python3.11/site-packages/ray/_private"
CYAN, DEFAULT, RESET = "\x1b[36m", "\x1b[39m", "\x1b[0m"

GET = f"""\
Traceback (most recent call last):
  File "/app/main.py", line 18, in <module>
    try: ray.get(ref)
         ^^^^^^^^^^^^
  File "{LIBRARY}/worker.py", line 3009, in get
    values, debugger_breakpoint = worker.get_objects(
                                  ^^^^^^^^^^^^^^^^^^^
  File "{LIBRARY}/worker.py", line 1053, in get_objects
    raise value.as_instanceof_cause()
"""
TASK = f"""\
{CYAN}ray::f(){DEFAULT} (pid=21375, ip=10.4.2.7)
  File "/app/main.py", line 5, in f
    {{}}["a"]
    ~~^^^^^
KeyError: 'a'\
"""
CHAINED = f"""\
{CYAN}ray::f(){DEFAULT} (pid=21375, ip=10.4.2.7)
    ~~^^^^^
KeyError: 'a'

During handling of the above exception, another exception occurred:

{CYAN}ray::f(){DEFAULT} (pid=21375, ip=10.4.2.7)
  File "/app/main.py", line 7, in f
    if n: raise ValueError("no such number")
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: no such number"""
OF_AN_ACTOR = f"""\
{CYAN}ray::A.m(){DEFAULT} (pid=21673, ip=10.4.2.7, actor_id=e9da57551000000, \
repr=<main.A object at 0x7f461be21e10>)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/main.py", line 15, in m
    raise RuntimeError("two\\nlines")
RuntimeError: two"""
THROUGH_ANOTHER = f"""\
{CYAN}ray::g(){DEFAULT} (pid=21376, ip=10.4.2.7)
  File "/app/main.py", line 11, in g
    return ray.get(f.remote(1))
           ^^^^^^^^^^^^^^^^^^^^
ray.exceptions.RayTaskError(ValueError): {CHAINED}"""
DIED = f"""\
{GET}ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing.
\tclass_name: A
\tactor_id: e9da57551000000
\tpid: 21673"""
UNHANDLED = (
    "2026-11-26 17:59:42,762\tERROR worker.py:439 -- Unhandled error (suppress with "
    f"'RAY_IGNORE_UNHANDLED_ERRORS=1'): {TASK}"
)
OF_A_WORKER = "\n".join(
    f"{CYAN}(h pid=21376, ip=10.4.2.8){RESET} {line}"
    for line in (
        "Traceback (most recent call last):",
        '  File "/app/main.py", line 23, in h',
        "    try: 1/0",
        "         ~^~",
        "ZeroDivisionError: division by zero",
    )
)
OF_A_WORKER_UNCOLOURED = OF_A_WORKER.replace(CYAN, "").replace(RESET, "")
RECORDS = {
    "alone": GET + "KeyboardInterrupt",
    "task": f"{GET}ray.exceptions.RayTaskError(KeyError): {TASK}",
    "chained-in-a-task": f"{GET}ray.exceptions.RayTaskError(ValueError): {CHAINED}",
    "actor": f"{GET}ray.exceptions.RayTaskError(RuntimeError): {OF_AN_ACTOR}",
    "task-of-a-task": f"{GET}ray.exceptions.RayTaskError(ValueError): "
    f"{THROUGH_ANOTHER}",
    "actor-died": DIED,
    "unhandled": UNHANDLED,
    "worker": OF_A_WORKER,
    "worker-uncoloured": OF_A_WORKER_UNCOLOURED,
}


@pytest.fixture
def fluent_bit(planned: Callable[..., Plan]) -> FluentBit:
    plan = planned("cluster: {}\nlogs: {mode: sidecar}")
    config_map = log_collection.config_map(
        plan, Templates(None), lambda name: {"name": name}
    )
    assert config_map
    return FluentBit.of(config_map)


def records(fluent_bit: FluentBit, *expected: str) -> list[str]:
    """What a file of these records is made into."""
    return fluent_bit.records("\n".join(expected).split("\n"))


def of_python(function: Callable[[], object]) -> str:
    try:
        function()
    except BaseException:  # noqa: BLE001 whatever it is, its traceback is wanted
        return traceback.format_exc().rstrip("\n")
    raise AssertionError("nothing was raised")


def subscript() -> object:
    mapping: dict[str, dict[str, int]] = {"a": {}}
    return mapping["a"]["b"] + 1


def chained() -> object:
    try:
        return subscript()
    except KeyError:
        return int("x")


def caused() -> object:
    try:
        return chained()
    except ValueError as error:
        raise RuntimeError("no such number") from error


def endless() -> object:
    return endless()


def interrupted() -> object:
    raise KeyboardInterrupt


def misspelt() -> object:
    return compile("a = (1", "main.py", "exec")


def group() -> object:
    errors = [ValueError("one"), TypeError("two")]
    raise ExceptionGroup("several", errors)


def with_an_indented_message() -> object:
    raise ValueError("1 mistake:\n  name is missing")


PYTHON = (
    subscript,
    chained,
    caused,
    endless,
    interrupted,
    misspelt,
    group,
    with_an_indented_message,
)


@pytest.mark.parametrize("function", PYTHON)
def test_a_traceback_of_python_is_one_record(
    fluent_bit: FluentBit, function: Callable[[], object]
) -> None:
    expected = ("INFO before", of_python(function), "INFO after", "  indented", "end")
    assert len(expected[1].split("\n")) > 3
    assert records(fluent_bit, *expected) == list(expected)


@pytest.mark.parametrize("name", RECORDS)
def test_a_traceback_of_ray_is_one_record(fluent_bit: FluentBit, name: str) -> None:
    before, after = "ERROR:root:failed", ("INFO after", "  indented", "  too")
    expected = [before, RECORDS[name], *after]
    assert records(fluent_bit, *expected) == expected
    # What is indented right after it may be of its message.
    joined = "\n".join((RECORDS[name], *after[1:]))
    assert records(fluent_bit, before, joined) == [before, joined]


def test_tracebacks_in_a_row_are_records_of_their_own(fluent_bit: FluentBit) -> None:
    expected = list(RECORDS.values())
    assert records(fluent_bit, *expected) == expected


def test_an_empty_line_ends_a_traceback_that_is_not_chained(
    fluent_bit: FluentBit,
) -> None:
    task = RECORDS["task"]
    found = records(fluent_bit, task, "", "INFO after", "", "  indented", "", task)
    assert found == [f"{task}\n", "INFO after", "  indented", task]


def test_a_message_goes_on_only_where_it_is_indented(fluent_bit: FluentBit) -> None:
    # No rule could tell the line from what is printed next.
    expected = (RECORDS["actor"], "lines", "INFO after")
    assert records(fluent_bit, *expected) == list(expected)


@pytest.mark.parametrize(
    "line",
    [
        '{"levelname": "ERROR", "exc_text": "Traceback (most recent call last):\\n"}',
        "Worker process (pid=12, ip=10.4.2.7)",
        "(h pid=21376) a line of a task",
        "ValueError: no such number",
        "During handling of the above exception, another exception occurred:",
    ],
)
def test_other_lines_are_records_of_their_own(fluent_bit: FluentBit, line: str) -> None:
    expected = [line, "  indented", "  too", line]
    assert records(fluent_bit, *expected) == expected
