"""Who we are to Google Cloud: one identity for Terraform too, and plain errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ray_gke.errors import RefusedError
from ray_gke.targets.gke.credentials import Credentials
from tests.gke.identity import Identity

GCLOUD = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"


def test_a_lost_network_is_no_missing_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Identity("some-token") as gone:
        file = gone.credentials_file(tmp_path)
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(RefusedError) as refused:
        Credentials.default().token()
    (problem,) = refused.value.problems
    asked = "127.0.0.1 cannot be reached for an access token: "
    assert problem.message.startswith(asked)
    assert problem.message.endswith("Connection refused")
    assert problem.hint == "check the network, and HTTPS_PROXY"


def test_a_login_of_gcloud_asks_through_the_proxy_and_warns_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no quota project: google.auth would warn, and tests let no warning by."""
    login = {"type": "authorized_user", "client_id": GCLOUD}
    file = tmp_path / "application_default_credentials.json"
    file.write_text(json.dumps(login | {"client_secret": "x", "refresh_token": "y"}))
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RefusedError) as refused:
        Credentials.default().token()
    told = refused.value.problems[0].message
    asked = "oauth2.googleapis.com cannot be reached for an access token"
    assert told.startswith(asked)
    assert "proxy" in told


@pytest.mark.parametrize(
    "name",
    [
        "GOOGLE_CREDENTIALS",
        "GOOGLE_CLOUD_KEYFILE_JSON",
        "GCLOUD_KEYFILE_JSON",
        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
        "GOOGLE_BACKEND_CREDENTIALS",
        "GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT",
    ],
)
def test_terraform_is_nobody_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "some-token")
    monkeypatch.setenv(name, "")
    assert Credentials.default().token() == "some-token"
    monkeypatch.setenv(name, "deployer@my-project.iam.gserviceaccount.com")
    with pytest.raises(RefusedError, match=f"only Terraform would heed {name},") as one:
        Credentials.default()
    assert one.value.exit_code == 4
    (problem,) = one.value.problems
    assert problem.hint is not None
    assert "GOOGLE_APPLICATION_CREDENTIALS" in problem.hint
    assert "--impersonate-service-account" in problem.hint
