"""Against whose quota it counts what is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.oauth2.credentials import Credentials as UserCredentials

from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.client import Google
from tests.google.apis import GoogleApis
from tests.google.questions import OURS, QUESTIONS
from tests.google.requests_and_errors import NUMBER

every_question = pytest.mark.parametrize(
    ("api", "ask"), QUESTIONS.values(), ids=QUESTIONS
)


def user(project: str | None = None) -> Google:
    """Return Google for somebody who has logged in with gcloud."""
    make: Any = UserCredentials  # without types of its own
    found = make("some-token", refresh_token="1//some", quota_project_id=project)
    return Google(Credentials(found), OURS)


@every_question
def test_what_a_user_asks_counts_against_the_platforms_project(
    apis: GoogleApis, api: str, ask: Callable[[Google], object]
) -> None:
    apis.state.caller, apis.state.off_elsewhere = "gcloud", {api}
    assert not isinstance(ask(user()), Unread)
    assert set(apis.counted) == {OURS}


def test_a_project_that_the_login_names_is_kept(apis: GoogleApis) -> None:
    assert user("teams-project").billing_enabled() is True
    assert user("teams-project").service_account("nobody@example.com") is None
    assert apis.counted == ["teams-project", "teams-project"]


def test_a_token_that_is_given_counts_where_google_counts_it(
    apis: GoogleApis, google: Google
) -> None:
    assert google.billing_enabled() is True
    assert apis.counted == [""]


@pytest.mark.parametrize("question", ["billing", "disks", "service account"])
def test_who_may_not_use_its_quota_asks_without_from_then_on(
    question: str, apis: GoogleApis
) -> None:
    apis.state.not_for_quota = {OURS}
    _, ask = QUESTIONS[question]
    google = user()
    assert not isinstance(ask(google), Unread)
    assert google.billing_enabled() is True
    assert apis.counted == [OURS, *[""] * (len(apis.counted) - 1)]


def test_a_project_that_is_named_and_not_to_be_used_is_told(apis: GoogleApis) -> None:
    apis.state.not_for_quota = {"teams-project"}
    told = user("teams-project").billing_enabled()
    assert isinstance(told, Unread)
    assert (told.reason, told.consumer) == ("quota_project", "teams-project")
    assert "roles/serviceusage.serviceUsageConsumer" in told.message
    assert len(apis.asked) == 1


@pytest.mark.parametrize(("caller", "consumer"), [("", NUMBER), ("7640", "7640")])
@every_question
def test_where_an_api_is_off_its_project_is_told(  # noqa: PLR0913, PLR0917 fixtures too
    apis: GoogleApis,
    google: Google,
    api: str,
    ask: Callable[[Google], object],
    caller: str,
    consumer: str,
) -> None:
    apis.state.caller, apis.state.off_elsewhere = caller, {api}
    apis.turn_off(api)
    told = ask(google)
    assert isinstance(told, Unread)
    assert (told.reason, told.api, told.consumer) == ("api_off", api, consumer)
