"""A request is sent again until its answer means something."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ray_gke.targets.kubernetes.api_errors import ApiError, UnreachableError
from ray_gke.targets.kubernetes.client import Client
from ray_gke.targets.kubernetes.exchange import Patience, Request, exchange

GET = Request("GET", "/version", "ask")
PATCH = Request("PATCH", "/api/v1/pods/one", "apply")


@dataclass
class Answer:
    status: int = 200
    body: bytes = b'{"a": 1}'
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"Content-Type": "application/json"}
    )

    def read(self) -> bytes:
        return self.body


class Script:
    """A client that is given these answers, one after the other."""

    context, server = "test", "https://example.com"

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.timeouts: list[tuple[float, float]] = []

    @contextmanager
    def request(
        self, *_: str, timeout: tuple[float, float], **__: Any
    ) -> Iterator[Any]:
        self.timeouts.append(timeout)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield answer


def told(script: Script, request: Request = GET, **patience: Any) -> tuple[int, Any]:
    how = Patience(**{"seconds": 30.0, **patience})
    return exchange(cast("Client", script), request, how)


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(429),
        Answer(500),
        Answer(503),
        Answer(504),
        ConnectionResetError(),
        Answer(body=b'{"a"'),
    ],
)
def test_trouble_that_passes_is_not_seen(trouble: Answer | Exception) -> None:
    assert told(Script(trouble, trouble, Answer())) == (200, {"a": 1})


def test_a_refusal_is_an_answer() -> None:
    script = Script(Answer(409, b"no"))
    assert told(script) == (409, b"no")


def test_the_last_trouble_is_told_when_patience_ends() -> None:
    with pytest.raises(ApiError, match="too busy"):
        told(Script(Answer(429, b"too busy")), seconds=0)
    with pytest.raises(UnreachableError, match="are cut off"):
        told(Script(Answer(body=b"{")), seconds=0)


def test_nothing_is_tried_after_the_end() -> None:
    script = Script(ConnectionResetError("gone"))
    with pytest.raises(UnreachableError, match="gone"):
        told(script, until=time.monotonic() - 1)
    assert max(script.timeouts[0]) < 1


def test_the_server_says_when_to_come_again() -> None:
    began = time.monotonic()
    later = {"Retry-After": "1", "Content-Type": "application/json"}
    told(Script(Answer(429, headers=later), Answer()))
    assert time.monotonic() - began >= 1


def test_whoever_must_stop_writing_does_not_write_again() -> None:
    class Lost(Exception):
        pass

    def guard() -> None:
        raise Lost

    assert told(Script(Answer(503), Answer()), guard=guard) == (200, {"a": 1})
    with pytest.raises(Lost):
        told(Script(Answer(503), Answer()), PATCH, guard=guard)


def test_waiting_can_be_ended() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(ApiError):
        told(Script(Answer(503)), stop=stop)


def test_a_page_that_is_not_of_kubernetes_is_no_answer_that_was_cut() -> None:
    page = Answer(body=b"<html>", headers={"Content-Type": "text/html"})
    with pytest.raises(ValueError, match="Expecting value"):
        told(Script(page))
