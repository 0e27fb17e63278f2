"""Whether an object is in Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.client import Google
from tests.terraform.bucket import Bucket

URL = "gs://my-states/ray/platform/default.tfstate"
KEY = "ray/platform/default.tfstate"
_OF_BACKEND = "GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT"
_OF_PROVIDER = "GOOGLE_STORAGE_CUSTOM_ENDPOINT"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "some-token")
    with Bucket("my-states") as opened:
        monkeypatch.setenv(_OF_BACKEND, f"{opened.url}/storage/v1/b")
        yield opened


def asked(url: str = URL) -> bool | Unread:
    return Google(Credentials.default(), "my-project").object_exists(url)


def test_only_an_object_of_that_very_name_is_it(bucket: Bucket) -> None:
    bucket.put("my-states", f"{KEY}.old", b"{}")
    assert asked() is False
    bucket.put("my-states", KEY, b"{}")
    assert asked() is True
    assert set(bucket.asked) == {"GET /storage/v1/b/my-states/o"}


def test_of_a_bucket_that_is_not_there_nothing_is_known(bucket: Bucket) -> None:
    told = asked(URL.replace("my-states", "no-such-states"))
    assert isinstance(told, Unread)
    assert told.message == "The specified bucket does not exist."


def test_a_bucket_that_is_denied_is_not_empty(bucket: Bucket) -> None:
    bucket.refuse(403, "you do not have storage.objects.list access")
    told = asked()
    assert isinstance(told, Unread)
    assert told.reason == "denied"


def test_storage_is_where_terraform_finds_it(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("my-states", KEY, b"{}")
    monkeypatch.setenv(_OF_PROVIDER, "http://127.0.0.1:1/storage/v1/")
    assert asked() is True
    monkeypatch.delenv(_OF_BACKEND)
    monkeypatch.setenv(_OF_PROVIDER, f"{bucket.url}/storage/v1/")
    assert asked() is True


def test_which_permissions_there_are_on_a_bucket(bucket: Bucket) -> None:
    google = Google(Credentials.default(), "my-project")
    wanted = {"storage.objects.create", "storage.objects.get"}
    assert google.granted_on_bucket("my-states", wanted) == frozenset(wanted)
    bucket.revoked.add("storage.objects.create")
    found = google.granted_on_bucket("my-states", wanted)
    assert found == frozenset({"storage.objects.get"})
    none = google.granted_on_bucket("my-states", {"storage.objects.create"})
    assert none == frozenset()
    assert isinstance(google.granted_on_bucket("no-such", wanted), Unread)
