"""Names of images as Docker reads them, and where their copies are."""

from __future__ import annotations

import pytest

from ray_gke.errors import InvalidError
from ray_gke.gke.image_names import ImageName, mirrored, parse

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("python", ImageName("docker.io", "library/python", "latest")),
        ("python:3.11", ImageName("docker.io", "library/python", "3.11")),
        ("rayproject/ray:2", ImageName("docker.io", "rayproject/ray", "2")),
        ("docker.io/python", ImageName("docker.io", "library/python", "latest")),
        ("index.docker.io/a/b", ImageName("docker.io", "a/b", "latest")),
        ("quay.io/a/b/c:1", ImageName("quay.io", "a/b/c", "1")),
        ("localhost/app", ImageName("localhost", "app", "latest")),
        ("localhost:5000/app", ImageName("localhost:5000", "app", "latest")),
        ("host:5000/app:1", ImageName("host:5000", "app", "1")),
        ("[::1]:5000/app:1", ImageName("[::1]:5000", "app", "1")),
        ("Host/app", ImageName("Host", "app", "latest")),
        (f"a/b@{DIGEST}", ImageName("docker.io", "a/b", None, DIGEST)),
        (f"a/b:1@{DIGEST}", ImageName("docker.io", "a/b", "1", DIGEST)),
        ("a/b__c--d.e:A_b.C-1", ImageName("docker.io", "a/b__c--d.e", "A_b.C-1")),
    ],
)
def test_references_as_docker_reads_them(reference: str, name: ImageName) -> None:
    assert parse(reference) == name
    assert parse(str(name)) == name


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "Python",
        "a/B",
        "a//b",
        "a/",
        ":1",
        "a:",
        "a:-1",
        "a b",
        "a\n",
        "a@sha256:12",
        "a@md5:" + "0" * 32,
        "https://quay.io/a",
        "my_host.io/a",
        "a/" + "b" * 255,
        "a:" + "1" * 129,
    ],
)
def test_what_is_no_name_is_refused(reference: str) -> None:
    with pytest.raises(InvalidError, match="is no name of an image") as e:
        parse(reference)
    assert "HOST/PATH:TAG" in (e.value.problems[0].hint or "")


def test_long_nonsense_is_refused_at_once() -> None:
    with pytest.raises(InvalidError):
        parse("a" * 100_000 + "/!" + "-a" * 100_000)


@pytest.mark.parametrize(
    ("reference", "copy"),
    [
        ("rayproject/ray:2", "rayproject/ray:2"),
        ("python:3.11", "library/python:3.11"),
        ("quay.io/kuberay/collector:1", "quay.io/kuberay/collector:1"),
        (f"gcr.io/a/b@{DIGEST}", f"gcr.io/a/b@{DIGEST}"),
        ("Localhost:5000/a:1", "localhost-5000/a:1"),
    ],
)
def test_a_copy_keeps_host_and_path(reference: str, copy: str) -> None:
    prefix = "europe-west4-docker.pkg.dev/project/demo-images"
    found = mirrored(parse(reference), prefix)
    assert str(found) == f"{prefix}/{copy}"
    assert parse(str(found)) == found
    assert mirrored(parse(reference), f"{prefix}/") == found
    assert mirrored(found, prefix) == found


def test_a_registry_itself_may_take_copies() -> None:
    name = parse("quay.io/a/b:1")
    assert str(mirrored(name, "localhost:5000")) == "localhost:5000/quay.io/a/b:1"
    assert str(mirrored(name, "me")) == "docker.io/me/quay.io/a/b:1"
