"""Google's token endpoint that stands in, asked by google.auth itself."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google.auth
import pytest
import urllib3
from google.auth.exceptions import RefreshError
from google.auth.transport.urllib3 import Request

from tests.gke.identity import Identity
from tests.gke.world import World

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
ASK = """
import json, os
import google.auth, kubernetes, urllib3
from google.auth.transport.urllib3 import Request
found, project = google.auth.default(
    scopes=["https://www.googleapis.com/auth/cloud-platform"]
)
found.refresh(Request(urllib3.PoolManager()))
settings = kubernetes.client.Configuration()
settings.host = os.environ["HOST"]
settings.api_key = {"authorization": f"Bearer {found.token}"}
client = kubernetes.client.ApiClient(settings)
review = kubernetes.client.AuthenticationV1Api(client).create_self_subject_review({})
print(json.dumps([project, review.status.user_info.username]))
"""


@pytest.fixture
def identity() -> Iterator[Identity]:
    with Identity("first") as found:
        yield found


@pytest.fixture
def request_() -> Iterator[Request]:
    with urllib3.PoolManager() as pool:
        yield Request(pool)


def default(
    identity: Identity, folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> Any:
    file = identity.credentials_file(folder)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    credentials, project = google.auth.default(**{"scopes": SCOPES} | more)
    assert project == "my-project"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return credentials


def test_tokens_are_good_for_an_hour_or_as_long_as_is_said(
    identity: Identity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request_: Request,
) -> None:
    credentials = default(identity, tmp_path, monkeypatch)
    credentials.refresh(request_)
    assert (credentials.token, credentials.valid) == ("first", True)
    assert identity.requests == 1
    identity.token, identity.expires_in = "second", 1
    credentials.refresh(request_)
    assert (credentials.token, credentials.valid) == ("second", False)
    assert identity.requests == 2


def test_who_is_refused_hears_it_in_google_s_words_and_may_come_again(
    identity: Identity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request_: Request,
) -> None:
    credentials = default(identity, tmp_path, monkeypatch)
    identity.refuse()
    with pytest.raises(RefreshError) as refused:
        credentials.refresh(request_)
    told = "invalid_grant: reauth related error (invalid_rapt)"
    assert refused.value.args[0] == told
    identity.accept()
    credentials.refresh(request_)
    assert credentials.token == "first"


def test_a_token_is_for_something(
    identity: Identity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request_: Request,
) -> None:
    credentials = default(identity, tmp_path, monkeypatch, scopes=None)
    with pytest.raises(RefreshError, match="invalid_scope"):
        credentials.refresh(request_)


@pytest.mark.cluster
def test_the_api_server_knows_who_has_a_token(gke: World) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=gke.env() | {"HOST": gke.bed.url},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == ["my-project", "admin"]
