"""Google's APIs for a test, and who asks them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google import calls
from ray_gke.targets.google.client import Google
from tests.google.apis import GoogleApis
from tests.google.questions import OURS


@pytest.fixture
def apis(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleApis]:
    """Google's APIs, which this process finds, and where it is logged in."""
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "some-token")
    monkeypatch.setattr(calls, "PAUSE", 0.01)
    with GoogleApis() as opened:
        for name, value in opened.env().items():
            monkeypatch.setenv(name, value)
        yield opened


@pytest.fixture
def google(apis: GoogleApis) -> Google:
    return Google(Credentials.default(), OURS)
