"""What a job wrote, out of what Ray's command line and the job write together.

The texts are those of Ray 2.60, run as KubeRay 1.5.1 runs it.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ray_gke.targets.kubernetes.submitter_log import SubmitterLog, Told

TIME = "2026-11-26 04:09:24,053\t"
ADDRESS = (
    f"{TIME}INFO cli.py:42 -- \x1b[37mJob submission server address\x1b[39m: "
    "\x1b[1mhttp://head:8265\x1b[22m"
)
SUBMITTED = f"""\
{TIME}SUCC cli.py:66 -- \x1b[32m-------------------------------\x1b[39m
{TIME}SUCC cli.py:67 -- \x1b[32mJob 'a1' submitted successfully\x1b[39m
{TIME}SUCC cli.py:68 -- \x1b[32m-------------------------------\x1b[39m
{TIME}INFO cli.py:330 -- \x1b[36mNext steps\x1b[39m
{TIME}INFO cli.py:331 -- Query the logs of the job:
{TIME}INFO cli.py:333 -- \x1b[1mray job logs a1\x1b[22m""".splitlines()
PREAMBLE = [
    f"{TIME}INFO job_manager.py:581 -- Runtime env is setting up.",
    "Running entrypoint for job a1: python go.py",
]
CLOSED = f"{TIME}INFO sdk.py:520 -- WebSocket closed for job a1 with close code 1000"
SUCCEEDED = f"""\
{TIME}SUCC cli.py:66 -- \x1b[32m------------------\x1b[39m
{TIME}SUCC cli.py:67 -- \x1b[32mJob 'a1' succeeded\x1b[39m
{TIME}SUCC cli.py:68 -- \x1b[32m------------------\x1b[39m""".splitlines()
FAILED = f"""\
{TIME}ERR cli.py:74 -- \x1b[31m---------------\x1b[39m
{TIME}ERR cli.py:75 -- \x1b[31mJob 'a1' failed\x1b[39m
{TIME}ERR cli.py:76 -- \x1b[31m---------------\x1b[39m
{TIME}INFO cli.py:89 -- Status message: Job entrypoint command failed with exit code 3,
{PREAMBLE[0]}
{PREAMBLE[1]}
hello
""".split("\n")
STOPPED = [f"{TIME}WARN cli.py:71 -- \x1b[33mJob 'a1' was stopped\x1b[39m"]
LOST = [f"{TIME}INFO cli.py:93 -- Status for job 'a1': RUNNING"]
SUBMIT = [ADDRESS, *SUBMITTED]
FOLLOW = [ADDRESS, *PREAMBLE]
BROKEN = """\
Traceback (most recent call last):
  File "/home/ray/anaconda3/bin/ray", line 8, in <module>
    sys.exit(main())
RuntimeError: WebSocket connection closed unexpectedly""".splitlines()


def job(lines: Iterable[str]) -> list[str]:
    return list(SubmitterLog("a1").job_lines(lines))


def test_a_job_that_is_quicker_than_rays_own_line() -> None:
    late = [ADDRESS, PREAMBLE[0], "hello", PREAMBLE[1], PREAMBLE[1], *SUCCEEDED]
    assert job(late) == ["hello", PREAMBLE[1]]
    assert job([*SUBMIT, *late[:2], *late[2:4], *BROKEN, *late]) == [
        "hello",
        "hello",
        PREAMBLE[1],
    ]


@pytest.mark.parametrize("before", [[*SUBMIT, *FOLLOW], FOLLOW, ["sh: noise", *FOLLOW]])
@pytest.mark.parametrize("end", [SUCCEEDED, FAILED, STOPPED, LOST, []])
@pytest.mark.parametrize("closed", [[], [CLOSED]])
def test_only_what_the_job_writes_is_left(
    before: list[str], end: list[str], closed: list[str]
) -> None:
    wrote = ["hello", "", " \x1b[1mworld\x1b[0m"]
    assert job([*before, *wrote, *closed, *end]) == wrote


@pytest.mark.parametrize("end", [SUCCEEDED, FAILED, STOPPED, LOST])
def test_a_last_line_without_an_end_is_kept(end: list[str]) -> None:
    last = "\x1b[1mxxx\x1b[0m"
    assert job([*FOLLOW, "hello", last + end[0], *end[1:]]) == ["hello", last]


def test_what_a_job_says_about_another_job_is_its_own() -> None:
    other = [ADDRESS, *SUBMITTED, *SUCCEEDED, CLOSED]
    other = [line.replace("a1", "b2") for line in other]
    assert job([*FOLLOW, "hello", *other, "bye", *SUCCEEDED]) == [
        "hello",
        *other,
        "bye",
    ]


def test_a_traceback_of_the_job_is_its_own() -> None:
    wrote = [
        "Traceback (most recent call last):",
        '  File "/home/ray/blueprint/go.py", line 1, in <module>',
        "ZeroDivisionError: division by zero",
    ]
    assert job([*FOLLOW, *wrote, *FAILED]) == wrote
    assert job([*FOLLOW, wrote[0]]) == [wrote[0]]


def test_a_traceback_of_rays_command_line_is_not_the_jobs() -> None:
    assert job([*SUBMIT, *BROKEN, *FOLLOW, "hello", *BROKEN]) == ["hello"]


def test_a_submitter_that_never_followed_the_job_keeps_what_it_said() -> None:
    log = SubmitterLog("a1")
    assert list(log.job_lines(["sh: 1: ray: not found"])) == []
    assert not log.begun
    assert list(log.noise) == ["sh: 1: ray: not found"]


def test_another_submitter_tells_only_what_is_new() -> None:
    told = Told()
    assert list(told.new(["a", "a", "b"])) == ["a", "a", "b"]
    assert list(told.new(["a", "a", "b", "b", "c"])) == ["b", "c"]
    assert list(told.new(["a", "a", "b", "b", "c"])) == []


def test_lines_of_its_own_that_a_submitter_told_last_hide_nothing() -> None:
    told = Told()
    assert list(told.new(["a", "connection lost"])) == ["a", "connection lost"]
    assert list(told.new(["a", "b", "c"])) == ["b", "c"]
