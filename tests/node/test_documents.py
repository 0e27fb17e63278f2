"""The documents' commands for a cluster are run on one, and answer as written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ray_gke.testing import RayGke
from tests.cluster.bed import Bed
from tests.test_docs import README, ROOT, run_all

pytestmark = pytest.mark.node


@pytest.fixture
def newcomer(
    ray_gke: RayGke, real_cluster: Bed, real_namespace: str, tmp_path: Path
) -> RayGke:
    """A command line whose kubeconfig names a cluster and a namespace."""
    kubeconfig = yaml.safe_load(real_cluster.kubeconfig.read_text())
    for context in kubeconfig["contexts"]:
        context["context"]["namespace"] = real_namespace
    own = tmp_path / "kubeconfig"
    own.write_text(yaml.safe_dump(kubeconfig))
    ray_gke.env["KUBECONFIG"] = str(own)
    return ray_gke


def test_the_commands_of_the_documents_answer_as_written(
    newcomer: RayGke, real_cluster: Bed, real_namespace: str, tmp_path: Path
) -> None:
    documents = [README, *sorted(ROOT.glob("blueprints/*/README.md"))]
    texts = [document.read_text() for document in documents]
    counts = [run_all(t, newcomer, tmp_path, on_kubernetes=True) for t in texts]
    assert counts[0] >= 10
    left = real_cluster.kubectl("get", "rayclusters,rayjobs,rayservices", "-A")
    assert real_namespace not in left
    assert "demo" not in real_cluster.kubectl("get", "namespaces", "-o", "name")
