"""What a RayJob writes, over submitters that are replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ray_gke.errors import FailedError
from ray_gke.events import LogLine, Note
from ray_gke.targets.kubernetes import job_output as module
from ray_gke.targets.kubernetes.job_output import job_output
from ray_gke.targets.kubernetes.resources import Ref

JOB = Ref("RayJob", "space", "work-1234")
TIME = "2026-11-26 04:09:24,053\t"
BEGIN = [f"{TIME}INFO cli.py:42 -- Job submission server address: http://head:8265"]
BROKEN = [
    "Traceback (most recent call last):",
    '  File "/home/ray/anaconda3/bin/ray", line 8, in <module>',
    "RuntimeError: WebSocket connection closed unexpectedly",
]


def ended_well(job_id: str) -> list[str]:
    rule = f"{TIME}SUCC cli.py:66 -- ------------------"
    return [rule, f"{TIME}SUCC cli.py:67 -- Job '{job_id}' succeeded", rule]


@dataclass
class FakeApi:
    """Submitters in the order in which they come; of each its job and its lines."""

    submitters: list[tuple[str, list[str]]]
    hangs: threading.Event | None = None
    patience: float = 60.0
    shown: int = 1
    ended: bool = False
    status: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def list(self, kind: str, namespace: str, *, selector: str) -> Any:
        assert (kind, namespace) == ("Pod", "space")
        assert selector == "batch.kubernetes.io/job-name=work-1234"
        return [self._pod(n) for n in reversed(range(self.shown))]

    def get(self, _: object) -> dict[str, Any]:
        return {"spec": {}, "status": {"phase": "Succeeded", **self.status}}

    def lines(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        self.asked.append(query["follow"])
        number = int(path.split("/")[-2].removeprefix("submitter-"))
        for second, line in enumerate(self.submitters[number][1]):
            yield f"2030-01-01T12:00:{second:02}.000000000Z {line}"
        if self.hangs:
            self.hangs.wait()
        self.shown = min(self.shown + 1, len(self.submitters))
        self.ended = number == len(self.submitters) - 1

    def _pod(self, number: int) -> dict[str, Any]:
        job_id = self.submitters[number][0]
        env = [{"name": "RAY_JOB_SUBMISSION_ID", "value": job_id}]
        return {
            "metadata": {
                "name": f"submitter-{number}",
                "uid": str(number),
                "creationTimestamp": f"2030-01-01T12:00:0{number}Z",
            },
            "spec": {"containers": [{"name": "ray-job-submitter", "env": env}]},
        }


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.01)


def output(api: FakeApi, *, follow: bool = True) -> list[str]:
    return [one.text for one in told(api, follow=follow) if isinstance(one, LogLine)]


def told(api: FakeApi, *, follow: bool = True) -> list[LogLine | Note]:
    given: Any = api
    return list(job_output(given, "work", JOB, follow=follow, ended=lambda: api.ended))


@pytest.mark.parametrize("follow", [True, False])
def test_a_job_that_has_ended_gives_its_whole_output(follow: bool) -> None:
    api = FakeApi([("a1", [*BEGIN, "[0, 1]", "bye", *ended_well("a1")])], ended=True)
    assert output(api, follow=follow) == ["[0, 1]", "bye"]
    assert api.asked == ["true" if follow else "false"]


def test_another_submitter_of_the_same_job_goes_on() -> None:
    first = ("a1", [*BEGIN, "one", "two", *BROKEN])
    second = ("a1", [*BEGIN, "one", "two", "three", *ended_well("a1")])
    assert output(FakeApi([first, second])) == ["one", "two", "three"]


def test_a_retry_of_the_job_tells_all_again() -> None:
    first = ("a1", [*BEGIN, "begin", "it broke"])
    second = ("b2", [*BEGIN, "begin", "it worked", *ended_well("b2")])
    lines = output(FakeApi([first, second]))
    assert lines == ["begin", "it broke", "begin", "it worked"]


def test_a_submitter_that_hangs_does_not_keep_us_when_the_job_has_ended() -> None:
    hangs = threading.Event()
    api = FakeApi([("a1", [*BEGIN, "one"])], hangs=hangs, ended=True)
    assert output(api) == ["one"]
    hangs.set()


def test_what_kept_the_submitter_from_the_job_is_told() -> None:
    api = FakeApi([("a1", ["sh: 1: ray: not found"])], ended=True)
    assert output(api) == ["sh: 1: ray: not found"]


def test_a_job_that_ended_before_it_was_submitted_wrote_nothing() -> None:
    api = FakeApi([], shown=0, ended=True, status={"jobDeploymentStatus": "Failed"})
    assert told(api) == []


@pytest.mark.parametrize("follow", [True, False])
def test_output_that_is_gone_with_its_pod_is_told(follow: bool) -> None:
    done = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
    (note,) = told(FakeApi([], shown=0, ended=True, status=done), follow=follow)
    assert note == Note(
        "work",
        "its output is gone with its pod; ray-gke up work --rerun runs it again",
        warning=True,
    )


def test_what_ends_the_waiting_is_raised() -> None:
    def ended() -> bool:
        raise FailedError("it was removed")

    given: Any = FakeApi([], shown=0)
    with pytest.raises(FailedError, match="it was removed"):
        list(job_output(given, "work", JOB, follow=True, ended=ended))
