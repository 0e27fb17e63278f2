from __future__ import annotations

import pytest

from ray_gke import versions


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("rayproject/ray:2.60.0-py311-gpu", "2.60.0"),
        ("rayproject/ray:2.60.0", "2.60.0"),
        ("host:5000/team/ray:2.59.1-cu128", "2.59.1"),
        ("host:5000/team/ray:2.59.1@sha256:abc", "2.59.1"),
        ("host:5000/team/ray", None),
        ("example/app:1.2.3.4", None),
        ("example/app:v2.60.0", None),
        ("example/app:latest", None),
    ],
)
def test_the_version_in_a_tag(image: str, version: str | None) -> None:
    assert versions.ray_version_of(image) == version


def test_versions_are_compared_as_numbers() -> None:
    assert versions.parsed("2.9.0") < versions.parsed("2.52.0")


def test_our_own_version_is_supported_and_in_our_image() -> None:
    assert versions.KUBERAY_VERSION in versions.KUBERAY_VERSIONS
    assert versions.ray_version_of(versions.IMAGE) == versions.RAY_VERSION
    oldest = versions.parsed(versions.OLDEST_RAY)
    assert versions.parsed(versions.RAY_VERSION) >= oldest
