"""The log of a container whose stream breaks: each line once, none lost."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_gke.targets.kubernetes.api import ApiError, StreamEnded
from ray_gke.targets.kubernetes.log_stream import Stream

BEGAN = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)


def stamped(at: float, text: str) -> str:
    time = BEGAN + timedelta(seconds=at)
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}000Z {text}"


@dataclass
class FakeApi:
    """An API whose one pod has written `lines`; `cuts` says after how many it breaks.

    Once all cuts have been made, streams are whole and the pod has ended.
    """

    lines_written: list[str]
    cuts: list[int] = field(default_factory=list)
    restarts: int = 0
    previous: list[str] = field(default_factory=list)
    error: int = 0
    patience: float = 60.0
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def get(self, _: object) -> dict[str, Any]:
        ended = not self.cuts
        status = {
            "name": "ray",
            "state": {"terminated": {}} if ended else {"running": {}},
            "restartCount": self.restarts,
        }
        return {
            "spec": {"restartPolicy": "Never"},
            "status": {"phase": "Running", "containerStatuses": [status]},
        }

    def lines(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        assert path == "/api/v1/namespaces/space/pods/pod/log"
        assert query["container"] == "ray"
        self.asked.append(query)
        if self.error:
            raise ApiError("read", self.error, {})
        if query["previous"] == "true":
            yield from self._since(self.previous, query)
            return
        found = self._since(self.lines_written, query)
        if self.cuts:
            yield from found[: self.cuts.pop(0)]
            raise StreamEnded
        yield from found

    @staticmethod
    def _since(lines: list[str], query: Mapping[str, str]) -> list[str]:
        since = query.get("sinceTime")
        return [x for x in lines if not since or x.partition(" ")[0] >= since[:-1]]


def stream(api: FakeApi, **more: Any) -> Stream:
    return Stream(api, "space", "pod", "ray", **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray_gke.targets.kubernetes.log_stream._FIRST_PAUSE", 0)


@settings(max_examples=200)
@given(st.integers(), st.integers(1, 60), st.lists(st.integers(0, 40), max_size=6))
def test_every_line_comes_once_wherever_streams_break(
    seed: int, count: int, cuts: list[int]
) -> None:
    draw = random.Random(seed)
    at = 0.0
    written = []
    for number in range(count):
        at += draw.choice((0, 0, 0.0001, 0.4, 1.3, 7))
        # Two streams of a container are a little out of order.
        late = at - draw.choice((0, 0, 0.0002, 0.01))
        written.append(stamped(late, draw.choice((f"line {number}", "same", ""))))
    texts = [line.partition(" ")[2] for line in written]
    assert list(stream(FakeApi(written, cuts)).lines()) == texts


def test_the_rest_of_a_long_line_that_was_told_is_not_a_line() -> None:
    whole = [stamped(0.5, "long"), stamped(3, "next")]
    api = FakeApi(whole, [2])
    told = stream(api)
    lines = told.lines()
    assert [next(lines), next(lines)] == ["long", "next"]
    # From 12:00:02 on, only the end of the long line is left of it.
    api.lines_written = [stamped(1.99, "end of long"), stamped(3, "next")]
    assert list(lines) == []


def test_what_is_not_of_the_container_is_left_out() -> None:
    api = FakeApi([stamped(1, "mine"), "unable to retrieve container logs for x"])
    assert list(stream(api, follow=False).lines()) == ["mine"]


def test_a_restart_while_the_stream_is_broken_loses_nothing() -> None:
    api = FakeApi([stamped(1, "a"), stamped(2, "b")], [1])
    told = stream(api)
    lines = told.lines()
    assert next(lines) == "a"
    api.previous, api.lines_written = api.lines_written, [stamped(9, "c")]
    api.restarts = 1
    assert list(lines) == ["b", "c"]


@pytest.mark.parametrize("code", [400, 404])
def test_a_container_without_a_log_has_no_lines(code: int) -> None:
    assert list(stream(FakeApi([], error=code), follow=False).lines()) == []


def test_a_log_that_may_not_be_read_is_an_error() -> None:
    with pytest.raises(ApiError):
        list(stream(FakeApi([], error=409)).lines())


def test_without_follow_a_log_that_cannot_be_read_is_an_error_in_the_end() -> None:
    api = FakeApi([stamped(1, "a")], [0] * 100, patience=-1)
    with pytest.raises(StreamEnded):
        list(stream(api, follow=False).lines())
    assert len(api.cuts) == 99


def test_previous_is_asked_for_and_not_followed() -> None:
    api = FakeApi([], previous=[stamped(1, "before")])
    told = stream(api, follow=False, previous=True)
    assert list(told.lines()) == ["before"]
    assert [(q["previous"], q["follow"]) for q in api.asked] == [("true", "false")]
