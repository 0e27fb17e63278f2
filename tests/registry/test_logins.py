"""Who we are to registries: tokens, logins of Docker's, Google's access token."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ray_gke.errors import RefusedError
from ray_gke.gke.image_names import ImageName, parse
from ray_gke.targets.registry.client import Registries
from ray_gke.targets.registry.logins import Login, Logins
from tests.registry.conftest import Copying, place
from tests.registry.fake import FakeRegistry
from tests.registry.images import image

ANNA = ("anna", "of:course")


@pytest.fixture
def closed() -> Iterator[FakeRegistry]:
    """A registry that lets nobody in but Anna."""
    with FakeRegistry(login=ANNA) as registry:
        yield registry


def docker(folder: Path, **config: Any) -> None:
    (folder / "docker").mkdir(exist_ok=True)
    (folder / "docker" / "config.json").write_text(json.dumps(config))


def auth(login: tuple[str, str] = ANNA) -> Mapping[str, str]:
    return {"auth": base64.b64encode(":".join(login).encode()).decode()}


def test_one_token_serves_all_requests_of_its_scope(
    closed: FakeRegistry, source: FakeRegistry, copy: Copying, tmp_path: Path
) -> None:
    docker(tmp_path, auths={closed.host: auth()})
    original = image(b"a", b"b", b"c")
    copy(closed, source.put("app", original, "1"))
    where = place(source, "app")
    assert closed.tags(where) == {"1": original.digest}
    assert sorted(closed.scopes) == [
        (f"repository:{where}:pull",),
        (f"repository:{where}:pull,push",),
    ]


def test_to_take_a_blob_from_another_repository_both_are_asked_for(
    closed: FakeRegistry, copy: Copying, tmp_path: Path
) -> None:
    docker(tmp_path, auths={closed.host: auth()})
    copy(closed, closed.put("app", image(b"a"), "1"))
    both = f"repository:{place(closed, 'app')}:pull,push", "repository:app:pull"
    assert both in closed.scopes
    assert not closed.sent


def test_a_token_that_is_refused_is_asked_for_anew(
    closed: FakeRegistry, tmp_path: Path
) -> None:
    docker(tmp_path, auths={closed.host: auth()})
    registries, name = Registries(), parse(closed.put("app", image(b"a"), "1"))
    assert registries.manifest(name)
    closed.forget_tokens()
    assert registries.manifest(name)
    assert len(closed.scopes) == 2


def test_a_token_that_runs_out_while_a_blob_is_sent_is_asked_for_anew(
    closed: FakeRegistry, source: FakeRegistry, copy: Copying, tmp_path: Path
) -> None:
    docker(tmp_path, auths={closed.host: auth()})
    challenge = f'Bearer realm="{closed.url}/token",service="fake"'
    closed.faults.answers["PATCH .*"] = [(401, {"WWW-Authenticate": challenge})]
    original = image(b"a")
    copy(closed, source.put("app", original, "1"))
    assert closed.tags(place(source, "app")) == {"1": original.digest}
    assert not closed.uploads


def test_a_token_is_not_used_to_its_very_end(
    closed: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, auths={closed.host: auth()})
    registries, name = Registries(), parse(closed.put("app", image(b"a"), "1"))
    registries.manifest(name)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 295)
    registries.manifest(name)
    assert len(closed.scopes) == 2
    assert closed.times("GET", "/manifests/") == 3  # the first was refused


def test_basic_authentication(tmp_path: Path) -> None:
    with FakeRegistry(login=ANNA, basic=True) as registry:
        name = parse(registry.put("app", image(b"a"), "1"))
        docker(tmp_path, auths={registry.host: auth()})
        assert Registries().manifest(name)
        docker(tmp_path, auths={registry.host: auth(("anna", "wrong"))})
        with pytest.raises(RefusedError, match=r"does not let us read app \(401\)"):
            Registries().manifest(name)


@pytest.mark.parametrize(
    "entry",
    [
        auth(),
        {"username": ANNA[0], "password": ANNA[1]},
        {"auth": auth(("", ""))["auth"], "identitytoken": ANNA[1]},
    ],
)
@pytest.mark.parametrize("key", ["{host}", "http://{host}", "http://{host}/v1/"])
def test_logins_as_docker_writes_them(
    closed: FakeRegistry, tmp_path: Path, entry: Mapping[str, str], key: str
) -> None:
    name = parse(closed.put("app", image(b"a"), "1"))
    docker(tmp_path, auths={key.format(host=closed.host): entry})
    assert Registries().manifest(name)


@pytest.mark.parametrize("config", [{}, {"auths": {}}, {"auths": None}])
def test_nobody_is_refused_with_what_to_do(
    closed: FakeRegistry, tmp_path: Path, config: Mapping[str, Any]
) -> None:
    name = parse(closed.put("app", image(b"a"), "1"))
    docker(tmp_path, **config)
    with pytest.raises(RefusedError, match="does not take our login") as e:
        Registries().manifest(name)
    hint = f"log in with docker login {closed.host}, as somebody who may"
    assert e.value.problems[0].hint == hint


@pytest.mark.parametrize("helper", ["credsStore", "credHelpers"])
def test_credential_helpers_are_not_run_and_the_hint_says_so(
    closed: FakeRegistry, tmp_path: Path, helper: str
) -> None:
    name = parse(closed.put("app", image(b"a"), "1"))
    value = "desktop" if helper == "credsStore" else {closed.host: "desktop"}
    docker(tmp_path, auths={closed.host: {}}, **{helper: value})
    with pytest.raises(RefusedError) as e:
        Registries().manifest(name)
    hint = e.value.problems[0].hint or ""
    assert "credential helper, which is never run here" in hint
    assert f"docker login {closed.host}" in hint


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 100_000, '{"auths": {"HOST": {"auth": "?"}}}'],
    ids=["cut", "nested", "no login"],
)
def test_a_broken_configuration_is_told(
    closed: FakeRegistry, tmp_path: Path, text: str
) -> None:
    name = parse(closed.put("app", image(b"a"), "1"))
    docker(tmp_path)
    file = tmp_path / "docker" / "config.json"
    file.write_text(text.replace("HOST", closed.host))
    with pytest.raises(RefusedError, match=str(file)):
        Registries().manifest(name)


def test_whether_an_image_is_there_may_not_be_known(
    closed: FakeRegistry, tmp_path: Path
) -> None:
    there = parse(closed.put("app", image(b"a"), "1"))
    missing = ImageName(closed.host, "app", "2")
    assert Registries().exists(there) is None
    docker(tmp_path, auths={closed.host: auth()})
    registries = Registries()
    assert registries.exists(there) is True
    assert registries.exists(missing) is False


def test_size_and_configuration_of_an_image(source: FakeRegistry) -> None:
    original = image(b"abc")
    name = parse(source.put("app", original, "1"))
    registries = Registries()
    manifest = registries.manifest(name)
    assert manifest
    assert registries.config(name, manifest)["architecture"] == "amd64"
    _, layer = original.blobs
    assert registries.blob_size(name, layer) == 3
    assert registries.blob_size(name, "sha256:" + "0" * 64) is None


def test_a_registry_without_logins_is_asked_for_no_token(source: FakeRegistry) -> None:
    assert Registries().manifest(parse(source.put("app", image(b"a"), "1")))
    assert source.asked == ["GET /v2/app/manifests/1"]


@pytest.mark.parametrize(
    "host", ["europe-west4-docker.pkg.dev", "gcr.io", "eu.gcr.io", "us-docker.pkg.dev"]
)
def test_googles_registries_get_googles_token(host: str) -> None:
    found = Logins(lambda: "ya29.token").of(host)
    assert found == Login("oauth2accesstoken", "ya29.token")
    assert "ya29" not in repr(found)


@pytest.mark.parametrize(
    "host", ["docker.io", "quay.io", "pkg.dev.example.com", "notgcr.io", "localhost"]
)
def test_nobody_else_gets_it(host: str) -> None:
    assert Logins(lambda: "ya29.token").of(host) is None


def test_without_credentials_of_google_we_come_as_nobody_and_ask_once() -> None:
    asked = []

    def no_credentials() -> str:
        asked.append(1)
        raise RefusedError("there are no credentials for Google Cloud")

    logins = Logins(no_credentials)
    assert logins.of("gcr.io") is None
    assert logins.of("gcr.io") is None
    assert len(asked) == 1


def test_a_login_of_dockers_comes_first(tmp_path: Path) -> None:
    docker(tmp_path, auths={"eu.gcr.io": auth(("_json_key", "key"))})
    assert Logins(lambda: "token").of("eu.gcr.io") == Login("_json_key", "key")


def test_docker_hub_has_a_key_of_its_own(tmp_path: Path) -> None:
    docker(tmp_path, auths={"https://index.docker.io/v1/": auth()})
    assert Logins().of("docker.io") == Login(*ANNA)
    assert Logins().hint("docker.io") == "log in with docker login, as somebody who may"
