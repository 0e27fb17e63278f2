"""What the stand-in providers know of what they import: as little as the real ones."""

from __future__ import annotations

import http.server
import json
from typing import Any

from tests.loopback_server import LoopbackServer
from tests.terraform.cloud import Cloud
from tests.terraform.configurations import REPOSITORY
from tests.terraform.conftest import Root

REPOSITORY_ID = "projects/some-project/locations/us-central1/repositories/mirror"
RELEASE = """
resource "helm_release" "this" {
  name       = "kuberay-operator"
  namespace  = "kuberay-system"
  repository = "https://charts.example.com"
  chart      = "charts/kuberay-operator"
  values     = ["a: 1"]
}
"""
NAMESPACE = """
provider "kubernetes" { host = "URL" }
resource "kubernetes_namespace_v1" "this" {
  metadata {
    name   = "vision"
    labels = {
      "app.kubernetes.io/managed-by"       = "terraform"
      "pod-security.kubernetes.io/enforce" = "baseline"
    }
  }
}
"""


class _ApiServer(http.server.BaseHTTPRequestHandler):
    """Has one namespace, as it is asked for."""

    def do_GET(self) -> None:
        if self.path == "/api/v1":
            kinds = [{"name": "namespaces", "kind": "Namespace", "namespaced": False}]
            return self._answer({"resources": kinds})
        labels = {
            "app.kubernetes.io/managed-by": "terraform",
            "kubernetes.io/metadata.name": "vision",
            "pod-security.kubernetes.io/enforce": "baseline",
        }
        return self._answer({"metadata": {"name": "vision", "labels": labels}})

    def _answer(self, document: dict[str, Any]) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _change(root: Root) -> dict[str, Any]:
    """Return what a plan would do to the only resource."""
    plan = str(root.folder / "plan")
    root.succeeds("plan", f"-out={plan}")
    (one,) = json.loads(root.succeeds("show", "-json", plan))["resource_changes"]
    found: dict[str, Any] = one["change"]
    assert found["actions"] == ["update"]
    return found


def _forgotten(root: Root, address: str, identity: str) -> dict[str, Any]:
    root.succeeds("apply")
    (root.folder / "terraform.tfstate").unlink()
    root.succeeds("import", address, identity)
    return _change(root)


def test_google_has_labels_at_one_place_alone(cloud: Cloud, root: Root) -> None:
    root.write(REPOSITORY)
    address = "google_artifact_registry_repository.this"
    change = _forgotten(root, address, REPOSITORY_ID)
    both = {"goog-terraform-provisioned": "true", "team": "vision"}
    before, after = change["before"], change["after"]
    assert not before["labels"]
    assert not before["terraform_labels"]
    assert before["effective_labels"] == after["effective_labels"] == both
    assert after["labels"] == {"team": "vision"}
    root.succeeds("apply")
    assert root.run("plan", "-detailed-exitcode").returncode == 0
    assert len(cloud.calls("create")) == 1


def test_labels_of_others_stay(cloud: Cloud, root: Root) -> None:
    root.write(REPOSITORY).succeeds("apply")
    both = {"goog-terraform-provisioned": "true", "team": "vision", "owner": "them"}
    kind = "google_artifact_registry_repository"
    cloud.drift(kind, "mirror", {"effective_labels": both})
    assert root.run("plan", "-detailed-exitcode").returncode == 0
    root.write(REPOSITORY.replace("vision", "speech")).succeeds("apply")
    (repository,) = cloud.objects(kind)
    assert repository.values["effective_labels"] == both | {"team": "speech"}


def test_helm_knows_neither_values_nor_repository(root: Root) -> None:
    root.write(RELEASE)
    identity = "kuberay-system/kuberay-operator"
    change = _forgotten(root, "helm_release.this", identity)
    before = change["before"]
    assert (before["values"], before["repository"]) == (None, None)
    assert before["chart"] == before["metadata"]["chart"] == "kuberay-operator"
    assert change["after_unknown"]["metadata"] is True
    root.succeeds("apply")
    assert root.run("plan", "-detailed-exitcode").returncode == 0


def test_kubernetes_leaves_out_labels_of_its_own_domains(root: Root) -> None:
    with LoopbackServer(_ApiServer) as server:
        root.write(NAMESPACE.replace("URL", server.url))
        root.succeeds("import", "kubernetes_namespace_v1.this", "vision")
        change = _change(root)
    (before,), (after,) = change["before"]["metadata"], change["after"]["metadata"]
    assert before["labels"] == {"app.kubernetes.io/managed-by": "terraform"}
    assert after["labels"] == {
        "app.kubernetes.io/managed-by": "terraform",
        "pod-security.kubernetes.io/enforce": "baseline",
    }
