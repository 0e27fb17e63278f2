"""What cannot be known is told, with the reason; what may pass is asked again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ray_gke.errors import FailedError
from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google import calls
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.client import Google
from tests.gke.identity import Identity
from tests.google.apis import CUT, GoogleApis, endpoints
from tests.google.questions import OURS, QUESTIONS

every_question = pytest.mark.parametrize(
    ("api", "ask"), QUESTIONS.values(), ids=QUESTIONS
)


@every_question
def test_an_api_that_is_off_is_named(
    apis: GoogleApis, google: Google, api: str, ask: Callable[[Google], object]
) -> None:
    apis.turn_off(api)
    told = ask(google)
    assert isinstance(told, Unread)
    assert (told.reason, told.api) == ("api_off", api)
    assert "has not been used in project" in told.message
    assert "http://127.0.0.1" not in told.message
    assert len(apis.asked) == 1


@every_question
def test_what_is_denied_is_not_known(
    apis: GoogleApis, google: Google, api: str, ask: Callable[[Google], object]
) -> None:
    apis.deny("*")
    told = ask(google)
    assert isinstance(told, Unread)
    assert (told.reason, told.api) == ("denied", "")
    assert told.message.startswith("Permission denied on resource 'projects/my-project")
    assert len(apis.asked) == 1


@every_question
def test_an_answer_comes_in_spite_of_errors_that_pass(
    apis: GoogleApis, google: Google, api: str, ask: Callable[[Google], object]
) -> None:
    told = ask(google)
    pages = len(apis.asked)
    apis.asked.clear()
    for status in (429, 500, 502, 503, 504, CUT):
        apis.fail("*", status, times=1)
    assert ask(google) == told
    assert not isinstance(told, Unread)
    assert len(apis.asked) == pages + 6


LASTING = {
    429: ("throttled", "Quota exceeded for quota metric 'Read requests'"),
    500: ("failed", "Internal error encountered."),
    502: ("failed", "The server encountered a temporary error"),
    503: ("failed", "The service is currently unavailable."),
    504: ("failed", "Deadline expired before operation could complete."),
    CUT: ("unreachable", "127.0.0.1"),
}


@pytest.mark.parametrize("status", LASTING)
@pytest.mark.parametrize("question", ["project", "disks", "service account"])
def test_errors_that_stay_are_told(
    apis: GoogleApis,
    google: Google,
    monkeypatch: pytest.MonkeyPatch,
    question: str,
    status: int,
) -> None:
    monkeypatch.setattr(calls, "SECONDS", 0.1)
    apis.fail("*", status)
    _, ask = QUESTIONS[question]
    told = ask(google)
    assert isinstance(told, Unread)
    reason, message = LASTING[status]
    assert told.reason == reason
    assert message in told.message
    assert "\n" not in told.message


@every_question
def test_where_nothing_listens_it_says_so(
    google: Google,
    monkeypatch: pytest.MonkeyPatch,
    api: str,
    ask: Callable[[Google], object],
) -> None:
    monkeypatch.setattr(calls, "SECONDS", 0.01)
    for name, value in endpoints("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    told = ask(google)
    assert isinstance(told, Unread)
    assert told.reason == "unreachable"
    assert told.message.startswith("127.0.0.1:1 cannot be reached: ")
    assert told.message.endswith("Connection refused")


def test_a_login_that_has_expired_is_told(
    apis: GoogleApis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN")
    with Identity("some-token") as identity:
        file = identity.credentials_file(tmp_path)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        google = Google(Credentials.default(), OURS)
        assert google.billing_enabled() is True
        identity.refuse("Token has been expired or revoked.")
        again = Google(Credentials.default(), OURS)
        told = again.billing_enabled()
    assert isinstance(told, Unread)
    assert told.reason == "failed"
    assert told.message.startswith("Google gives no access token")
    assert len(apis.asked) == 1


def test_a_project_that_is_not_there_is_denied(apis: GoogleApis) -> None:
    told = Google(Credentials.default(), "another-project").project()
    assert isinstance(told, Unread)
    assert told.reason == "denied"


def test_an_api_that_cannot_be_turned_on_is_told(
    apis: GoogleApis, google: Google
) -> None:
    apis.turn_off("run.googleapis.com")
    apis.deny("POST *:batchEnable")
    with pytest.raises(FailedError) as caught:
        google.enable_apis(["run.googleapis.com"])
    assert str(caught.value).startswith(
        "run.googleapis.com cannot be turned on in my-project: Permission denied"
    )
