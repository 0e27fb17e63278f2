"""What a cluster must have for logs and metrics, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from ray_gke.errors import RefusedError
from ray_gke.targets.kubernetes import (
    checks,
    cluster_facts,
    kuberay_operator,
    operator_gates,
)
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.checks import Needs

CLIENT: Any = SimpleNamespace(context="lab", server="https://lab:6443", namespace="ml")


@dataclass
class Cluster(Api):
    """Answers what it is given by the path, or by the kind of a list."""

    answers: dict[str, Any] = field(default_factory=dict)

    def read(self, path: str, *_arguments: Any, **_options: Any) -> Any:
        return self.answers.get(path)

    def list(self, kind: str, *_arguments: Any, **_options: Any) -> list[Any]:
        found: list[Any] = self.answers.get(kind, [])
        return found

    def ask(self, *_arguments: Any) -> Any:
        return {"status": {"allowed": self.answers["may"]}}


def cluster(version: str, **kinds: str) -> Cluster:
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


@pytest.mark.parametrize("may", [True, False])
def test_rules_of_the_whole_cluster_are_for_who_may_write_them(may: bool) -> None:
    api = cluster("v1.34.0")
    names = ("podmonitorings", "rules", "clusterrules")
    found = {"resources": [{"name": name} for name in names]}
    api.answers |= {"/apis/monitoring.googleapis.com/v1": found, "may": may}
    monitors = cluster_facts.read(api).monitors
    assert monitors == {"PodMonitoring", "Rules"} | ({"ClusterRules"} if may else set())


def test_googles_nodes_are_known_by_the_version() -> None:
    def is_gke(version: str) -> bool:
        return cluster_facts.read(cluster(version)).gke

    assert is_gke("v1.34.1-gke.2037000")
    assert not is_gke("v1.34.1")
    assert not is_gke("v1.34.1-eks-113cf36")


RAY = {"resources": [{"name": n} for n in ("rayclusters", "rayjobs", "rayservices")]}
TLS, HISTORY = "RayClusterMTLS", "RayClusterHistoryServer"


def with_operator(*words: str, version: str = "1.7.0") -> Cluster:
    """Return a cluster whose operator has these words in its command."""
    container = {
        "image": f"quay.io/kuberay/operator:v{version}",
        "command": ["/manager"],
        "args": list(words),
    }
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": "kuberay-operator", "namespace": "ray-system"},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": 1},
    }
    api = cluster("v1.34.0")
    api.answers |= {"/apis/ray.io/v1": RAY, "Deployment": [deployment]}
    return api


def refusal(api: Api, *gates: str) -> tuple[str, str]:
    needs = Needs("ml", frozenset({"RayCluster"}), feature_gates=gates)
    with pytest.raises(RefusedError) as raised:
        checks.check(api, needs)
    (problem,) = raised.value.problems
    return problem.message, problem.hint or ""


@pytest.mark.parametrize(
    "words",
    [
        (),
        (f"--feature-gates={TLS}=true,{HISTORY}=false",),
        ("--feature-gates", "RayJobDeletionPolicy=true"),
    ],
)
def test_a_gate_that_is_off(words: tuple[str, ...]) -> None:
    message, hint = refusal(with_operator(*words), HISTORY)
    assert "would refuse historyServerOptions: Deployment kuberay-operator" in message
    assert f"does not turn on its feature gate {HISTORY}" in message
    assert "--version 1.7.0 --namespace ray-system --reuse-values" in hint
    assert f'{{"name": "{HISTORY}", "enabled": true}}]' in hint
    assert hint.count(TLS) == str(words).count(TLS)


@pytest.mark.parametrize(
    "words",
    [
        (f"--feature-gates=RayCronJob=false,{HISTORY}=true",),
        ("-feature-gates", f"{HISTORY}=True"),
        ("--feature-gates=AllAlpha=true",),
    ],
)
def test_a_gate_that_is_on(words: tuple[str, ...]) -> None:
    operator = kuberay_operator.find(with_operator(*words))
    assert operator
    assert not list(operator_gates.check(with_operator(*words), [HISTORY], operator))


def test_tls_by_the_operator_needs_cert_manager() -> None:
    on = f"--feature-gates={TLS}=true"
    message, hint = refusal(with_operator(on), TLS)
    assert "context lab has no cert-manager" in message
    assert hint.startswith("helm install cert-manager")
    assert hint.endswith(
        "kubectl -n ray-system rollout restart deployment kuberay-operator"
    )
    there = with_operator(on)
    there.answers["/apis/cert-manager.io/v1"] = {
        "resources": [{"name": "certificates"}]
    }
    operator = kuberay_operator.find(there)
    assert not list(operator_gates.check(there, [TLS], operator))


def test_gates_of_an_operator_out_of_sight_or_too_old_are_not_known() -> None:
    (note,) = operator_gates.check(cluster("v1.34.0"), [HISTORY], None)
    assert f"its feature gate {HISTORY} is on" in note
    old = with_operator(version="1.5.1")
    assert not list(operator_gates.check(old, [TLS], kuberay_operator.find(old)))
