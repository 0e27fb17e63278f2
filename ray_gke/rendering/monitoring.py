"""The objects that let Prometheus and Grafana see a run.

Sources: the definitions of monitoring.coreos.com/v1 (prometheus-operator) and
monitoring.googleapis.com/v1 (prometheus-engine). Both turn a pod's label into that of
a series by writing `_` for what Prometheus does not allow in a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.resources import files

from ray_gke.planning.plan import Plan
from ray_gke.rendering import alerts
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.templates import Manifest, Templates

INTERVAL = "30s"
"""How often every port is scraped, and every rule evaluated."""

POD_LABELS = (RUN, "ray.io/cluster", "ray.io/group", "ray.io/node-type")
"""The labels of a pod that every series of it carries: those of Ray are KubeRay's."""

DASHBOARDS = (
    "default",
    "data",
    "data-llm",
    "serve",
    "serve-deployment",
    "serve-llm",
    "serve-llm-sglang",
    "train",
)
"""Ray's Grafana dashboards, as tools/write_dashboards.py has written them."""

_RULES = {"PodMonitor": "prometheus-rule", "PodMonitoring": "managed-rules"}


def objects(
    plan: Plan, templates: Templates, metadata: Callable[[str], Manifest]
) -> Iterator[Manifest]:
    """Yield what the plan says of metrics: monitor, rules, then dashboards.

    `metadata` gives that of an object by its name.
    """
    metrics = plan.day_two.metrics
    if metrics.mode == "none":
        return
    named = metadata(plan.name)
    yield _monitor(plan, templates, named)
    if metrics.alerts:
        groups = alerts.groups(plan, named.get("namespace"), INTERVAL)
        yield templates.render(_RULES[metrics.mode], metadata=named, groups=groups)
    if metrics.dashboards:
        for dashboard in DASHBOARDS:
            yield _dashboard(plan, dashboard, templates, metadata)


def dashboard_text(name: str) -> str:
    """Return one of DASHBOARDS as Ray's generator gives it: JSON."""
    source = files("ray_gke.rendering") / "dashboards" / f"{name}.json"
    return source.read_text("utf-8")


def _monitor(plan: Plan, templates: Templates, metadata: Manifest) -> Manifest:
    selector = {
        "matchLabels": {RUN: plan.name},
        # The submitter and the balloons have no metrics; KubeRay labels Ray's own pods.
        "matchExpressions": [{"key": "ray.io/node-type", "operator": "Exists"}],
    }
    endpoints = [{"port": port, "interval": INTERVAL} for port in _ports(plan)]
    if plan.day_two.metrics.mode == "PodMonitor":
        return templates.render(
            "pod-monitor",
            metadata=metadata,
            selector=selector,
            pod_labels=POD_LABELS,
            endpoints=endpoints,
        )
    return templates.render(
        "pod-monitoring",
        metadata=metadata,
        selector=selector,
        endpoints=endpoints,
        from_pod=[{"from": name, "to": _series_label(name)} for name in POD_LABELS],
    )


def _ports(plan: Plan) -> Iterator[str]:
    yield "metrics"
    if plan.autoscaling:  # nobody listens there without an autoscaler
        yield "as-metrics"
    yield "dash-metrics"


def _series_label(pod_label: str) -> str:
    return re.sub("[^a-zA-Z0-9_]", "_", pod_label)


def _dashboard(
    plan: Plan,
    name: str,
    templates: Templates,
    metadata: Callable[[str], Manifest],
) -> Manifest:
    named = metadata(f"{plan.name}-grafana-{name}")
    # The label that Grafana's sidecar looks for in its chart and in kube-prometheus.
    labels = {**named.get("labels", {}), "grafana_dashboard": "1"}
    # Ray's own file name: runs that share a Grafana write one file there, not several
    # of one uid.
    key = f"{name.replace('-', '_')}_grafana_dashboard.json"
    return templates.render(
        "dashboard-config-map",
        metadata={**named, "labels": labels},
        data={key: dashboard_text(name)},
    )
