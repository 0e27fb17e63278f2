"""What is rendered for Prometheus and Grafana; tests/test_alerts.py runs the rules."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.catalog.blueprint import Cluster, Job, Service
from ray_gke.planning.day_two import DayTwo, Metrics
from ray_gke.planning.plan import Plan
from ray_gke.rendering import monitoring
from ray_gke.rendering.schema_check import faults
from ray_gke.rendering.templates import Templates
from tests.local.conftest import group, plan

ROOT = Path(__file__).resolve().parents[2]
ELASTIC = plan(Cluster(), group("cpu", 0, 3))
KUBERAY = "1.5.1"
RAY_PODS = {
    "matchLabels": {"ray-gke/run": "trial"},
    "matchExpressions": [{"key": "ray.io/node-type", "operator": "Exists"}],
}


def metadata(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "team", "labels": {"ray-gke/run": "trial"}}


def rendered(of: Plan, mode: str, **more: Any) -> list[dict[str, Any]]:
    day_two = DayTwo(metrics=Metrics(mode=mode, **more))
    wanted = replace(of, day_two=day_two)
    return list(monitoring.objects(wanted, Templates(), metadata))


def kinds(objects: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["kind"], one["metadata"]["name"]) for one in objects]


def alerts(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    (group,) = objects[1]["spec"]["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_nothing_is_rendered_when_nobody_reads() -> None:
    assert rendered(ELASTIC, "none", alerts=True, dashboards=True) == []


def test_the_prometheus_operator_finds_every_port_of_rays_pods() -> None:
    monitor, rules = rendered(ELASTIC, "PodMonitor")
    assert monitor == {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": metadata("trial"),
        "spec": {
            "selector": RAY_PODS,
            "podTargetLabels": [
                "ray-gke/run",
                "ray.io/cluster",
                "ray.io/group",
                "ray.io/node-type",
            ],
            "podMetricsEndpoints": [
                {"port": "metrics", "interval": "30s"},
                {"port": "as-metrics", "interval": "30s"},
                {"port": "dash-metrics", "interval": "30s"},
            ],
        },
    }
    assert rules["apiVersion"] == "monitoring.coreos.com/v1"
    assert kinds([rules]) == [("PrometheusRule", "trial")]


def test_managed_prometheus_finds_the_same() -> None:
    monitor, rules = rendered(ELASTIC, "PodMonitoring")
    assert monitor == {
        "apiVersion": "monitoring.googleapis.com/v1",
        "kind": "PodMonitoring",
        "metadata": metadata("trial"),
        "spec": {
            "selector": RAY_PODS,
            "endpoints": [
                {"port": "metrics", "interval": "30s"},
                {"port": "as-metrics", "interval": "30s"},
                {"port": "dash-metrics", "interval": "30s"},
            ],
            "targetLabels": {
                "metadata": ["container", "node", "pod"],
                "fromPod": [
                    {"from": "ray-gke/run", "to": "ray_gke_run"},
                    {"from": "ray.io/cluster", "to": "ray_io_cluster"},
                    {"from": "ray.io/group", "to": "ray_io_group"},
                    {"from": "ray.io/node-type", "to": "ray_io_node_type"},
                ],
            },
        },
    }
    assert rules["apiVersion"] == "monitoring.googleapis.com/v1"
    assert kinds([rules]) == [("Rules", "trial")]


def test_the_operators_series_are_read_by_rules_of_the_whole_cluster() -> None:
    """Rules of a namespace are given nothing that was scraped in another one."""
    job = plan(Job(entrypoint="true"), group("cpu"))
    _, rules, of_cluster = rendered(job, "PodMonitoring")
    assert kinds([rules]) == [("Rules", "trial")]
    assert "RayJobFailed" not in alerts([{}, rules])
    assert of_cluster["kind"] == "ClusterRules"
    # Another run's cannot have its name: that of a namespace has no dot.
    assert of_cluster["metadata"] == {
        "name": "team.trial",
        "labels": {"ray-gke/run": "trial", "ray-gke/namespace": "team"},
    }
    assert list(alerts([{}, of_cluster])) == ["RayJobFailed"]
    assert list(faults(of_cluster, KUBERAY)) == []


def test_the_documents_have_the_operators_monitor_of_the_chart() -> None:
    chart = ROOT / "terraform/addons/charts/kuberay-monitoring"
    template = (chart / "templates/pod-monitoring.yaml").read_text()
    # All but the condition, which stands on lines of its own.
    monitor = re.sub(r"^{{-.*}}\n", "", template, flags=re.MULTILINE)
    assert f"```yaml\n{monitor}```" in (ROOT / "docs/day-two.md").read_text()
    assert list(faults(yaml.safe_load(monitor), KUBERAY)) == []


def test_the_autoscalers_port_is_not_scraped_where_there_is_no_autoscaler() -> None:
    monitor, _ = rendered(plan(Cluster(), group("cpu")), "PodMonitor")
    ports = [endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]]
    assert ports == ["metrics", "dash-metrics"]


def test_alerts_may_be_left_out() -> None:
    objects = rendered(ELASTIC, "PodMonitoring", alerts=False)
    assert kinds(objects) == [("PodMonitoring", "trial")]


@pytest.mark.parametrize(
    ("workload", "groups", "expected"),
    [
        (Cluster(), (), {"RayHeadDown", "RayObjectStoreSpilling"}),
        (
            Job(entrypoint="true"),
            (group("cpu"),),
            {
                "RayHeadDown",
                "RayObjectStoreSpilling",
                "RayWorkersPending",
                "RayJobFailed",
            },
        ),
        (
            Service(serve_config="serve.yaml"),
            (group("gpu", 0, 2, num_gpus=1),),
            {
                "RayHeadDown",
                "RayObjectStoreSpilling",
                "RayWorkersPending",
                "RayGpuIdle",
                "RayServeErrors",
                "RayServeLatency",
            },
        ),
    ],
)
def test_a_run_has_the_alerts_that_can_concern_it(
    workload: Cluster | Job | Service, groups: tuple[Any, ...], expected: set[str]
) -> None:
    found = alerts(rendered(plan(workload, *groups), "PodMonitor"))
    assert found.keys() == expected
    for rule in found.values():
        assert rule["labels"]["ray_gke_run"] == "trial"
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert "`ray-gke explain trial`" in rule["annotations"]["description"]


def test_rules_mean_every_namespace_where_theirs_is_not_known() -> None:
    job = plan(Job(entrypoint="true"), group("cpu"))
    wanted = replace(job, day_two=DayTwo(metrics=Metrics(mode="PodMonitor")))
    without = monitoring.objects(wanted, Templates(), lambda name: {"name": name})
    known = rendered(job, "PodMonitor")
    assert "namespace=" not in json.dumps(list(without))
    assert all('namespace="team"' in rule["expr"] for rule in alerts(known).values())


def test_dashboards_come_last_and_are_found_by_grafana() -> None:
    objects = rendered(ELASTIC, "PodMonitor", dashboards=True)
    assert kinds(objects) == [
        ("PodMonitor", "trial"),
        ("PrometheusRule", "trial"),
        ("ConfigMap", "trial-grafana-default"),
        ("ConfigMap", "trial-grafana-data"),
        ("ConfigMap", "trial-grafana-data-llm"),
        ("ConfigMap", "trial-grafana-serve"),
        ("ConfigMap", "trial-grafana-serve-deployment"),
        ("ConfigMap", "trial-grafana-serve-llm"),
        ("ConfigMap", "trial-grafana-serve-llm-sglang"),
        ("ConfigMap", "trial-grafana-train"),
    ]
    uids = set()
    for config in objects[2:]:
        labels = config["metadata"]["labels"]
        assert labels == {"ray-gke/run": "trial", "grafana_dashboard": "1"}
        ((key, text),) = config["data"].items()
        assert key.endswith("_grafana_dashboard.json")
        assert len(text) < 2**20, "more than a ConfigMap holds"
        dashboard = json.loads(text)
        assert "rayVersion:2.60.0" in dashboard["tags"]
        uids.add(dashboard["uid"])
    assert len(uids) == 8


def test_the_dashboards_are_those_of_the_pinned_ray() -> None:
    script = ROOT / "tools" / "write_dashboards.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["PodMonitor", "PodMonitoring"])
def test_what_is_rendered_keeps_to_our_schemas(mode: str) -> None:
    service = plan(Service(serve_config="serve.yaml"), group("gpu", 0, 2, num_gpus=1))
    for one in rendered(service, mode, dashboards=True):
        assert list(faults(one, KUBERAY)) == []


EDITS: list[tuple[str, int, list[str | int], Any]] = [
    ("PodMonitor", 0, ["spec", "podTargetLabel"], []),
    ("PodMonitor", 0, ["spec", "podMetricsEndpoints", 0, "interval"], "often"),
    ("PodMonitor", 1, ["spec", "groups", 0, "rules", 0, "exp"], "up"),
    ("PodMonitoring", 0, ["spec", "endpoints"], []),
    ("PodMonitoring", 0, ["spec", "targetLabels", "fromPod", 0, "to"], "job"),
    ("PodMonitoring", 0, ["spec", "targetLabels", "metadata", 0], "namespace"),
    ("PodMonitoring", 1, ["spec", "groups", 0, "rules"], []),
]


@pytest.mark.parametrize(("mode", "number", "path", "value"), EDITS)
def test_a_wrong_patch_is_refused(
    mode: str, number: int, path: list[str | int], value: Any
) -> None:
    one = rendered(ELASTIC, mode)[number]
    place: Any = one
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    (fault,) = faults(one, KUBERAY)
    assert list(fault.path) == path
