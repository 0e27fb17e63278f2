"""pytest fixtures: a cluster for the whole run, and a namespace for each test."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cluster.bed import Bed


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A control plane with the operator and fake nodes; one for each worker."""
    from tests.cluster import bed

    with bed.running(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(scope="session")
def real_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A control plane with the operator and a node on which Ray really runs."""
    from tests.cluster import bed

    with bed.running(tmp_path_factory.mktemp("real"), real=True) as started:
        yield started


@pytest.fixture
def namespace(cluster: Bed) -> Iterator[str]:
    """A fresh namespace of a cluster that is whole; it is deleted without waiting."""
    with _fresh_namespace(cluster) as name:
        yield name


@pytest.fixture
def real_namespace(real_cluster: Bed) -> Iterator[str]:
    """A fresh namespace of the cluster with a real node."""
    with _fresh_namespace(real_cluster) as name:
        yield name


@contextlib.contextmanager
def _fresh_namespace(cluster: Bed) -> Iterator[str]:
    from tests.cluster.processes import eventually

    cluster.heal()
    api = cluster.control_plane.api
    name = f"test-{secrets.token_hex(4)}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    # Pods are refused before that.
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    eventually("a service account", lambda: api.get(accounts)["items"])
    try:
        yield name
    finally:
        cluster.heal()
        cluster.kubectl("delete", "namespace", name, "--wait=false")
