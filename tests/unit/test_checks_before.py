"""What a cluster must have for logs and metrics, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from ray_gke.errors import RefusedError
from ray_gke.targets.kubernetes import checks, cluster_facts
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.checks import Needs

CLIENT: Any = SimpleNamespace(context="lab", server="https://lab:6443", namespace="ml")


@dataclass
class Cluster(Api):
    """Answers what it is given by the path."""

    answers: dict[str, Any] = field(default_factory=dict)

    def read(self, path: str, *_arguments: Any, **_options: Any) -> Any:
        return self.answers.get(path)


def cluster(version: str, **kinds: str) -> Api:
    """Return a cluster of this version; `kinds` are plurals by their API group."""
    served = {
        f"/apis/{group.replace('_', '.')}/v1": {"resources": [{"name": plural}]}
        for group, plural in kinds.items()
    }
    return Cluster(CLIENT, answers={"/version": {"gitVersion": version}, **served})


def test_no_sidecars_before_kubernetes_1_29() -> None:
    assert checks.reachable(cluster("v1.29.0-gke.1")) == "1.29.0"
    with pytest.raises(RefusedError) as raised:
        checks.reachable(cluster("v1.28.15-gke.2475000"))
    (problem,) = raised.value.problems
    assert problem.message == (
        "the cluster of context lab runs Kubernetes 1.28.15, which has no native "
        "sidecars: 1.29 or later is needed"
    )
    assert "gcloud container clusters upgrade" in (problem.hint or "")


@pytest.mark.parametrize(
    ("kind", "told", "hint"),
    [
        (
            "PodMonitoring",
            "PodMonitoring of monitoring.googleapis.com: Managed Prometheus is not",
            "--enable-managed-prometheus, or set metrics.mode to none",
        ),
        (
            "PodMonitor",
            "PodMonitor of monitoring.coreos.com: the Prometheus operator is not",
            "kube-prometheus-stack",
        ),
    ],
)
def test_a_monitor_that_nobody_reads(kind: str, told: str, hint: str) -> None:
    with pytest.raises(RefusedError) as raised:
        checks._monitoring(cluster("v1.34.0"), Needs("ml", frozenset({kind})))
    (problem,) = raised.value.problems
    assert told in problem.message
    assert hint in (problem.hint or "")


def test_monitors_that_are_there_are_found() -> None:
    there = cluster("v1.34.0", monitoring_coreos_com="podmonitors")
    kinds = cluster_facts.MONITORING
    assert cluster_facts.served(there, kinds) == {"PodMonitor"}
    checks._monitoring(there, Needs("ml", frozenset({"PodMonitor", "ConfigMap"})))
    assert cluster_facts.served(cluster("v1.34.0"), kinds) == frozenset()
