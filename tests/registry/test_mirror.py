"""What a copy is: the same bytes, what nodes need, each blob once, a tag last."""

from __future__ import annotations

import json

import pytest

from ray_gke.errors import FailedError, RefusedError
from ray_gke.events import Note, Progress, StepFinished, StepStarted
from tests.registry import images
from tests.registry.conftest import Copying, place
from tests.registry.fake import FakeRegistry
from tests.registry.images import Image, image, index, random_bytes

BOTH = ("linux/amd64", "linux/arm64")


def one(seed: int = 1, **more: str | bool) -> Image:
    layers = random_bytes(300_000, seed), random_bytes(5_000, seed + 1)
    return image(*layers, **more)  # type: ignore[arg-type]


def several(*, docker: bool = False) -> Image:
    """An index as BuildKit writes it: two platforms, and what attests them."""
    attestation = image(b"{}", architecture="unknown")
    return index(
        [
            ("linux/amd64", one(1, docker=docker)),
            ("linux/arm64", one(11, architecture="arm64", docker=docker)),
            ("unknown/unknown", attestation),
        ],
        docker=docker,
    )


@pytest.mark.parametrize("docker", [False, True])
def test_manifest_and_blobs_of_a_copy_are_those_of_the_original(
    source: FakeRegistry, target: FakeRegistry, copy: Copying, *, docker: bool
) -> None:
    original = one(docker=docker)
    name = source.put("team/app", original, "1.0")
    (copied,) = copy(target, name)
    where = place(source, "team/app")
    assert copied.digest == original.digest
    assert copied.target == f"{target.host}/{where}:1.0"
    assert target.manifests[where, "1.0"] == (original.media_type, original.body)
    for digest, data in original.blobs.items():
        assert target.blobs[where, digest] == data
    assert not target.uploads


def test_the_manifest_is_written_after_all_blobs_and_the_tag_last(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    copy(target, source.put("app", several(), "1"), platforms=BOTH)
    written = [path for path in target.asked if path.startswith("PUT ")]
    kinds = ["manifests" if "/manifests/" in path else "blobs" for path in written]
    assert kinds == sorted(kinds)
    assert written[-1].endswith("/manifests/1")
    assert [path for path in written if "sha256" not in path] == [written[-1]]


@pytest.mark.parametrize("docker", [False, True])
def test_of_an_index_nodes_of_one_architecture_get_its_manifest_itself(
    source: FakeRegistry, target: FakeRegistry, copy: Copying, *, docker: bool
) -> None:
    everything = several(docker=docker)
    (copied,) = copy(target, source.put("app", everything, "1"))
    amd64 = everything.listed[0]
    assert copied.digest == amd64.digest
    assert target.tags(place(source, "app")) == {"1": amd64.digest}
    assert {digest for _, digest in target.blobs} == set(amd64.blobs)


def test_for_two_architectures_the_index_has_these_alone(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    everything = several()
    (copied,) = copy(target, source.put("app", everything, "1"), platforms=BOTH)
    kind, body = target.manifests[place(source, "app"), "1"]
    assert kind == images.OCI_INDEX
    assert copied.digest == images.digest(body)
    assert json.loads(body)["manifests"] == json.loads(everything.body)["manifests"][:2]
    for below in everything.listed[:2]:
        assert (place(source, "app"), below.digest) in target.manifests


def test_an_index_that_is_named_by_its_digest_is_copied_whole(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    everything = several()
    (copied,) = copy(target, source.put("app", everything))
    assert copied.digest == everything.digest
    assert {digest for _, digest in target.blobs} == set(everything.all_blobs)
    (again,) = copy(target, f"{source.host}/app@{everything.digest}")
    assert again == copied


def test_a_tag_with_a_digest_is_written_too(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    original = one()
    source.put("app", original, "1")
    (copied,) = copy(target, f"{source.host}/app:2@{original.digest}")
    assert copied.target.endswith("/app:2")
    assert target.tags(place(source, "app")) == {"2": original.digest}


def test_an_image_for_other_nodes_is_refused_with_what_there_is(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    arm = index([("linux/arm64", one(architecture="arm64"))])
    name = source.put("app", arm, "1")
    with pytest.raises(RefusedError, match="app:1 has no image for linux/amd64") as e:
        copy(target, name)
    assert e.value.problems[0].hint == "it has linux/arm64"
    assert not target.repositories()


def test_schema_1_is_refused_with_its_reason(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    old = Image(
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        b'{"schemaVersion": 1, "name": "app", "tag": "1", "fsLayers": []}',
    )
    with pytest.raises(RefusedError, match="schema 1, which containerd no longer"):
        copy(target, source.put("app", old, "1"))


def test_all_images_that_are_missing_are_told_before_anything_is_copied(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    there = source.put("app", one(), "1")
    with pytest.raises(RefusedError) as e:
        copy(target, there, f"{source.host}/app:2", f"{source.host}/other:1")
    assert [p.message.partition(": ")[0] for p in e.value.problems] == [
        f"{source.host}/app:2",
        f"{source.host}/other:1",
    ]
    assert not target.repositories()


def test_a_second_run_asks_for_no_blob(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    name = source.put("app", one(), "1")
    first = copy(target, name)
    before = len(source.asked), len(target.asked)
    assert copy(target, name) == first
    assert [path.split()[0] for path in source.asked[before[0] :]] == ["GET"]
    assert [path.split()[0] for path in target.asked[before[1] :]] == ["HEAD"]
    assert copy.events[-1] == Note("images", f"{first[0].target} is there already")


def test_only_blobs_that_are_missing_are_copied(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    original = one()
    config, first, second = original.blobs
    for digest in (config, first):
        target.blobs[place(source, "app"), digest] = original.blobs[digest]
    copy(target, source.put("app", original, "1"))
    assert list(source.sent) == [second]


def test_a_blob_of_several_images_is_sent_once(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    base, *own = (random_bytes(200_000, seed) for seed in range(4))
    names = [
        source.put(f"app-{number}", image(base, layer), "1")
        for number, layer in enumerate(own)
    ]
    copied = copy(target, *names)
    shared = images.digest(base)
    assert source.sent[shared] == len(base)
    assert target.times("PUT", shared.replace(":", "%3A")) == 1
    assert target.times("POST", f"mount={shared.replace(':', '%3A')}") == 2
    for number, one_copy in enumerate(copied):
        where = place(source, f"app-{number}")
        assert target.tags(where) == {"1": one_copy.digest}
        assert target.blobs[where, shared] == base


def test_a_registry_that_mounts_nothing_gets_it_once_more(
    source: FakeRegistry, copy: Copying
) -> None:
    base = random_bytes(1000, 1)
    names = [
        source.put(f"app-{number}", image(base, bytes([number])), "1")
        for number in range(2)
    ]
    with FakeRegistry(mounts=False) as target:
        copy(target, *names)
        assert source.sent[images.digest(base)] == 2 * len(base)
        for number in range(2):
            where = place(source, f"app-{number}")
            assert target.blobs[where, images.digest(base)] == base
        assert not target.uploads


def test_within_one_registry_nothing_is_sent(
    source: FakeRegistry, copy: Copying
) -> None:
    original = one()
    copy(source, source.put("app", original, "1"))
    assert source.tags(place(source, "app")) == {"1": original.digest}
    assert not source.sent
    assert source.times("PUT", "/blobs/") == 0


def test_layers_that_only_their_owner_hands_out_stay_there(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    original = one()
    said = json.loads(original.body)
    foreign = {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": images.digest(b"foreign"),
        "size": 7,
        "urls": ["https://example.com/layer"],
    }
    said["layers"].append(foreign)
    body = json.dumps(said).encode()
    changed = Image(original.media_type, body, original.blobs)
    (copied,) = copy(target, source.put("app", changed, "1"))
    assert copied.digest == changed.digest
    assert {digest for _, digest in target.blobs} == set(original.blobs)


def test_an_empty_blob_is_copied(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    copy(target, source.put("app", image(b""), "1"))
    assert target.blobs[place(source, "app"), images.digest(b"")] == b""


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"not JSON", b'{"schemaVersion": 2, "config": 7}']
)
def test_a_manifest_that_is_none_is_told(
    source: FakeRegistry, target: FakeRegistry, copy: Copying, body: bytes
) -> None:
    broken = Image(images.OCI_IMAGE, body)
    with pytest.raises(FailedError, match=r"app:1: .* is not understood"):
        copy(target, source.put("app", broken, "1"))


def test_what_is_done_is_told_in_steps(
    source: FakeRegistry, target: FakeRegistry, copy: Copying
) -> None:
    name = source.put("app", one(), "1")
    copy(target, name)
    begun, *between, ended = copy.events
    assert begun == StepStarted("images", "mirror", "copy images")
    last = between[-1]
    assert isinstance(last, Progress)
    assert (last.finished, last.done, last.total) == (name, 1, 1)
    assert isinstance(ended, StepFinished)
    assert ended.detail == "298.1 KiB copied"
