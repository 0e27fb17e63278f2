"""A cluster around a run: its pods, other runs, and everybody else who is there.

Labels of the run's pods are those of the rendered objects, and what KubeRay adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ray_gke import versions
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render
from tests.network_evaluator import Connection, Host, Pod, allows

Object = dict[str, Any]

PORTS = (
    *("22", "53", "53/UDP", "80", "443", "443/UDP", "988", "6379", "6443", "8000"),
    *("8080", "8265", "10001", "10002", "20000", "44217", "44227", "52365"),
)
"""What is tried of everybody."""

OPERATOR = Pod(
    "operator",
    "kuberay-system",
    "10.8.2.1",
    {"app.kubernetes.io/name": "kuberay-operator"},
)
BY_KUSTOMIZE = {
    "app.kubernetes.io/name": "kuberay",
    "app.kubernetes.io/component": "kuberay-operator",
}
BESIDE: Mapping[str, Pod | Host] = {
    "operator": OPERATOR,
    "operator by kustomize": Pod("op", "kuberay-system", "10.8.2.2", BY_KUSTOMIZE),
    "pod beside the operator": Pod("x", "kuberay-system", "10.8.2.3", {"app": "x"}),
    "Prometheus": Pod("prometheus", "monitoring", "10.8.2.4", {"app": "prometheus"}),
    "pod beside Prometheus": Pod("grafana", "monitoring", "10.8.2.5"),
    "collector": Pod("collector", "gmp-system", "10.8.2.6", {"app": "collector"}),
    "client": Pod("client", "ml", "10.8.2.7", {"app": "client"}),
    "tenant": Pod("tenant", "rival", "10.8.2.8", {"app": "tenant"}),
    "Redis": Pod("redis", "store", "10.8.2.9", {"app": "redis"}),
    "DNS": Pod("dns", "kube-system", "10.8.2.10", {"k8s-app": "kube-dns"}),
    "pod beside DNS": Pod("y", "kube-system", "10.8.2.11", {"k8s-app": "y"}),
    "NodeLocal DNSCache": Host("169.254.20.10"),
    "metadata server": Host("169.254.169.254"),
    "its node's end": Host("169.254.169.252"),
    "API server": Host("10.100.0.2"),
    "public host": Host("151.101.0.223"),
    "public host by IPv6": Host("2a04:4e42::223"),
    "private host": Host("192.168.7.7"),
    "private host by IPv6": Host("fd00::7"),
    "own node": Host("10.0.0.1", node="node"),
    "other node": Host("10.0.0.2", node="other"),
}


@dataclass(frozen=True)
class World:
    """Policies, and everybody who is there; `traits` as the tables name them."""

    policies: tuple[Object, ...]
    ends: Mapping[str, Pod | Host]
    traits: frozenset[str]


def world(plan: Plan, kuberay_version: str = versions.KUBERAY_VERSION) -> World:
    def objects(name: str, namespace: str) -> tuple[Object, ...]:
        named = replace(plan, name=name)
        return render(named, kuberay_version=kuberay_version, namespace=namespace)

    run, other = objects("run", "ml"), objects("other", "ml")
    # A tenant may call a run as others call theirs.
    rival = objects("run", "rival")
    ours, theirs = dict(pods(run, "10.8.0")), dict(pods(rival, "10.8.3"))
    ends = {
        **BESIDE,
        **ours,
        "Ray beside the operator": replace(ours["head"], namespace="kuberay-system"),
        "other run": dict(pods(other, "10.8.1"))["head"],
        "tenant's run": theirs["head"],
        "tenant's worker": theirs["its other worker"],
    }
    policies = tuple(o for o in (*run, *other, *rival) if o["kind"] == "NetworkPolicy")
    return World(policies, ends, frozenset(traits(run, plan.day_two.pods_range)))


def traits(run: tuple[Object, ...], pods_range: str | None) -> Iterator[str]:
    yield {"RayCluster": "cluster", "RayJob": "job", "RayService": "service"}[
        workload(run)["kind"]
    ]
    yield "gke" if pods_range else "plain"
    if cluster(run)["enableInTreeAutoscaling"]:
        yield "autoscaling"
        if not pods_range:
            yield "blind"


def workload(run: tuple[Object, ...]) -> Object:
    (found,) = (one for one in run if one["apiVersion"] == "ray.io/v1")
    return found


def cluster(run: tuple[Object, ...]) -> Object:
    spec: Object = workload(run)["spec"]
    inner: Object = spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec
    return inner


def pods(run: tuple[Object, ...], block: str) -> Iterator[tuple[str, Pod]]:
    """The pods that the operator makes of a run, each on a node that is called so."""
    namespace = workload(run)["metadata"]["namespace"]
    head = cluster(run)["headGroupSpec"]["template"]
    workers = [group["template"] for group in cluster(run)["workerGroupSpecs"]]
    templates = {
        "head": by_kuberay(head, "head", "run-a"),
        "cleanup": by_kuberay(head, "redis-cleanup", "run-a"),
        "its other head": by_kuberay(head, "head", "run-b"),
        "its other worker": by_kuberay((workers or [head])[0], "worker", "run-b"),
    }
    if workers:
        templates["worker"] = by_kuberay(workers[0], "worker", "run-a")
    if submitter := workload(run)["spec"].get("submitterPodTemplate"):
        templates["submitter"] = submitter["metadata"]["labels"]
    for index, (name, labels) in enumerate(templates.items(), start=1):
        node = "node" if name in {"head", "worker", "submitter"} else "third"
        yield name, Pod(name, namespace, f"{block}.{index}", labels, node=node)


def by_kuberay(template: Object, node_type: str, cluster_name: str) -> dict[str, str]:
    """What KubeRay 1.5.1 labels a pod with (controllers/ray/common/pod.go)."""
    return {
        **template["metadata"]["labels"],
        "ray.io/is-ray-node": "yes",
        "ray.io/cluster": cluster_name,
        "ray.io/node-type": node_type,
        "ray.io/group": "group" if node_type == "worker" else "headgroup",
        "app.kubernetes.io/name": "kuberay",
        "app.kubernetes.io/created-by": "kuberay-operator",
    }


def reached(there: World, source: str, destination: str) -> set[str]:
    ends = there.ends[source], there.ends[destination]
    return {
        port
        for port in PORTS
        if allows(there.policies, Connection(*ends, *number_and_protocol(port)))
    }


def number_and_protocol(port: str) -> tuple[int, str]:
    number, _, protocol = port.partition("/")
    return int(number), protocol or "TCP"
