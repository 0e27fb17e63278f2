"""Google's APIs on loopback tell of what Terraform made in the stand-in cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google.answers import ServiceAccount
from ray_gke.targets.google.client import Google
from tests.gke_site import Site
from tests.google.questions import REGION


def test_what_terraform_made_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site.new(tmp_path / "site")
    site.enter(monkeypatch)
    site.up()
    with site.google(monkeypatch) as apis:
        google = Google(Credentials.default(), "some-project")
        (cluster,) = google.clusters()  # type: ignore[misc]
        assert (cluster.name, cluster.location) == ("demo", "us-central1-a")
        assert google.networks() == frozenset({cluster.network})
        (subnetwork,) = google.subnetworks(REGION)  # type: ignore[misc]
        assert subnetwork.name == cluster.subnetwork
        assert subnetwork.network == cluster.network
        assert subnetwork.private_ip_google_access
        assert google.routers(REGION) == frozenset({"demo"})
        repositories = google.repositories(REGION)
        assert isinstance(repositories, tuple)
        assert "DOCKER_HUB" in {one.upstream for one in repositories}
        (told,) = apis.there("clusters")
        assert told["status"] == "RUNNING"
        (account,) = apis.there("serviceAccounts")
        seen = google.service_account(account["email"])
        assert isinstance(seen, ServiceAccount)
        member = f"serviceAccount:{seen.email}"
        roles = google.project_roles(member)
        assert isinstance(roles, frozenset)
        assert "roles/container.defaultNodeServiceAccount" in roles
        google.delete_service_account(seen)
        assert google.service_account(seen.email) is None
        assert "google_service_account" not in {one.split()[0] for one in site.there()}
