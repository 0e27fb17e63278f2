"""Bad days: connections that break, registries that are busy, bytes that are wrong."""

from __future__ import annotations

import re

import pytest

from ray_gke.errors import FailedError, RayGkeError, RefusedError
from ray_gke.targets.registry import connections
from ray_gke.targets.registry.logins import Login
from tests.registry import images
from tests.registry.conftest import Copying, place
from tests.registry.fake import FakeRegistry
from tests.registry.images import Image, image, random_bytes

SIZE = 3_000_000
LAYER = random_bytes(SIZE, 7)
NAME = images.digest(LAYER)


@pytest.fixture
def original(source: FakeRegistry) -> Image:
    one = image(LAYER)
    source.put("app", one, "1")
    return one


def assert_copied(source: FakeRegistry, target: FakeRegistry, original: Image) -> None:
    where = place(source, "app")
    assert target.tags(where) == {"1": original.digest}
    assert target.blobs[where, NAME] == LAYER
    assert not target.uploads


def assert_nothing_is_there(source: FakeRegistry, target: FakeRegistry) -> None:
    assert not target.manifests
    assert (place(source, "app"), NAME) not in target.blobs
    assert not target.uploads


def ranges(registry: FakeRegistry) -> list[str]:
    asked = [headers.get("Range") for headers in registry.headers]
    return [one for one in asked if one]


def test_where_reading_broke_it_goes_on(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying
) -> None:
    source.faults.reading_ends_after[NAME] = [1_200_000, 500_000, 0]
    copy(target, f"{source.host}/app:1")
    assert_copied(source, target, original)
    starts = [int(one.split("=")[1].split("-")[0]) for one in ranges(source)]
    assert len(starts) == 3
    assert starts == sorted(starts)
    assert target.times("PATCH", "/blobs/") == len(original.blobs)


def test_a_registry_without_ranges_is_read_from_the_start_and_written_once(
    target: FakeRegistry, copy: Copying
) -> None:
    with FakeRegistry(ranges=False) as source:
        original = image(LAYER)
        source.faults.reading_ends_after[NAME] = [2_500_000]
        copy(target, source.put("app", original, "1"))
        assert_copied(source, target, original)
        assert target.times("PATCH", "/blobs/") == len(original.blobs)


def test_where_writing_broke_it_goes_on(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying
) -> None:
    target.faults.writing_ends_after = [1_000_000, 700_000]
    copy(target, f"{source.host}/app:1")
    assert_copied(source, target, original)
    last = SIZE - 1
    assert ranges(source) == [f"bytes=1000000-{last}", f"bytes=1700000-{last}"]
    assert target.times("POST", "/blobs/") == len(original.blobs)


def test_a_registry_that_does_not_continue_gets_this_blob_again(
    source: FakeRegistry, original: Image, copy: Copying
) -> None:
    with FakeRegistry(continues=False) as target:
        target.faults.writing_ends_after = [1_000_000]
        copy(target, f"{source.host}/app:1")
        assert_copied(source, target, original)
        assert target.times("POST", "/blobs/") == len(original.blobs) + 1


def test_an_answer_that_got_lost_is_no_reason_to_send_a_blob_again(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying
) -> None:
    where = place(source, "app")
    target.faults.answers[f"PUT /v2/{where}/blobs/.*{NAME[7:]}"] = [(404, {})]
    target.blobs[where, NAME] = LAYER
    # Told to be missing, as it was before the answer got lost.
    target.faults.answers[f"HEAD /v2/{where}/blobs/{NAME}"] = [(404, {})]
    copy(target, f"{source.host}/app:1")
    assert_copied(source, target, original)
    assert target.times("PUT", NAME[7:]) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_is_waited_for(
    source: FakeRegistry,
    target: FakeRegistry,
    original: Image,
    copy: Copying,
    status: int,
) -> None:
    for registry, request in (
        (source, "GET .*/manifests/1"),
        (source, f"GET .*/blobs/{NAME}"),
        (target, "HEAD .*/manifests/1"),
        (target, "POST .*"),
        (target, "PATCH .*"),
        (target, f"PUT .*{NAME[7:]}"),
        (target, "PUT .*/manifests/1"),
    ):
        registry.faults.answers[request] = [(status, {}), (status, {})]
    copy(target, f"{source.host}/app:1")
    assert_copied(source, target, original)


def test_a_registry_is_not_waited_for_without_end(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying
) -> None:
    target.faults.answers["PUT .*/manifests/1"] = [(503, {})] * 100
    with pytest.raises(FailedError, match=r"app:1: .* answered \(503\)") as e:
        copy(target, f"{source.host}/app:1")
    assert e.value.problems[0].hint == (
        "run the command again; what has been copied is not copied again"
    )
    assert target.times("PUT", "/manifests/1") == connections.ATTEMPTS
    assert not target.tags(place(source, "app"))


def test_retry_after_is_heeded(
    source: FakeRegistry,
    target: FakeRegistry,
    original: Image,
    copy: Copying,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []
    stop = copy.registries.connections.stop
    monkeypatch.setattr(stop, "wait", waited.append)
    source.faults.answers["GET .*/manifests/1"] = [
        (429, {"Retry-After": "7"}),
        (429, {"Retry-After": "7000"}),
    ]
    copy(target, f"{source.host}/app:1")
    assert waited == [7.0, 30.0]


def test_wrong_bytes_are_refused_and_leave_nothing(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying
) -> None:
    source.faults.other_blobs[NAME] = LAYER[:-1] + bytes([LAYER[-1] ^ 1])
    with pytest.raises(FailedError, match=f"another digest than {NAME}") as e:
        copy(target, f"{source.host}/app:1")
    assert f"{source.host}/app:1: the registry {source.host}" in str(e.value)
    assert_nothing_is_there(source, target)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(LAYER + b"more", id="longer"),
        pytest.param(LAYER[:-1], id="shorter"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_another_size_is_refused(
    source: FakeRegistry,
    target: FakeRegistry,
    original: Image,
    copy: Copying,
    other: bytes,
) -> None:
    source.faults.other_blobs[NAME] = other
    with pytest.raises(FailedError, match=f"another size than {NAME}"):
        copy(target, f"{source.host}/app:1")
    assert_nothing_is_there(source, target)


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_another_manifest_is_refused(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying, by: str
) -> None:
    version = {"tag": "1", "digest": original.digest}[by]
    source.faults.other_manifests[version] = image(b"another").body
    name = f"{source.host}/app{':1' if by == 'tag' else f'@{version}'}"
    with pytest.raises(FailedError, match=f"not {original.digest}"):
        copy(target, name)
    assert not target.repositories()


def test_one_image_that_fails_leaves_no_upload_of_another(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying
) -> None:
    ones = [image(random_bytes(1_500_000, seed)) for seed in range(6)]
    others = [source.put(f"other-{n}", one, "1") for n, one in enumerate(ones)]
    source.faults.other_blobs[NAME] = LAYER[::-1]
    with pytest.raises(FailedError, match="another digest"):
        copy(target, *others, f"{source.host}/app:1")
    assert not target.uploads
    assert not target.tags(place(source, "app"))
    copied = copy(target, *others)
    assert [one.digest for one in copied] == [one.digest for one in ones]


def test_blobs_are_read_from_another_host_without_the_login(
    target: FakeRegistry, copy: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        FakeRegistry(login=("anna", "secret")) as source,
        FakeRegistry() as elsewhere,
    ):
        original = image(LAYER)
        source.put("app", original, "1")
        elsewhere.put("app", original)
        source.blob_host = elsewhere.url
        monkeypatch.setattr(
            copy.registries.logins, "of", lambda _: Login("anna", "secret")
        )
        elsewhere.faults.reading_ends_after[NAME] = [1_000_000]
        copy(target, f"{source.host}/app:1")
        assert_copied(source, target, original)
        assert not source.sent
        assert all("Authorization" not in one for one in elsewhere.headers)
        assert any("Authorization" in one for one in source.headers)


@pytest.mark.parametrize("to", ["http://blobs.example.com/layer", "file:///etc/passwd"])
def test_nothing_is_read_unencrypted_from_other_machines(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying, to: str
) -> None:
    source.faults.answers[f"GET .*/blobs/{NAME}"] = [(307, {"Location": to})]
    with pytest.raises(FailedError, match="unencrypted"):
        copy(target, f"{source.host}/app:1")


def test_redirects_have_an_end(
    source: FakeRegistry, target: FakeRegistry, original: Image, copy: Copying
) -> None:
    source.faults.answers["GET .*/manifests/.*"] = [
        (307, {"Location": "/v2/app/manifests/1"})
    ] * 20
    with pytest.raises(FailedError, match="again and again"):
        copy(target, f"{source.host}/app:1")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (404, (RefusedError, "has no repository for")),
        (403, (RefusedError, "does not let us write")),
        (400, (FailedError, r"answered \(400\)")),
    ],
)
@pytest.mark.usefixtures("original")
def test_what_the_target_does_not_want_is_told_with_the_image(
    source: FakeRegistry,
    target: FakeRegistry,
    copy: Copying,
    status: int,
    told: tuple[type[RayGkeError], str],
) -> None:
    target.faults.answers["POST .*"] = [(status, {})] * 10
    with pytest.raises(told[0], match=told[1]) as e:
        copy(target, f"{source.host}/app:1")
    assert re.search(f"^{source.host}/app:1: {target.host}/", str(e.value))
    assert e.value.problems[0].hint


@pytest.mark.parametrize("status", [403, 404, 405])
def test_where_a_blob_may_not_be_taken_from_it_is_sent(
    source: FakeRegistry, original: Image, copy: Copying, status: int
) -> None:
    source.faults.answers["POST .*mount=.*"] = [(status, {})] * 10
    copy(source, f"{source.host}/app:1")
    assert_copied(source, source, original)
    assert source.sent[NAME] == SIZE


def test_a_registry_that_is_not_there_is_told(
    source: FakeRegistry, original: Image, copy: Copying
) -> None:
    with FakeRegistry() as gone:
        pass
    with pytest.raises(FailedError, match=f"the registry {gone.host} does not answer"):
        copy(gone, f"{source.host}/app:1")
