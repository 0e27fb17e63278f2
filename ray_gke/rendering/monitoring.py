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
from ray_gke.rendering.labels import RUN, of_whole_cluster
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


def objects(
    plan: Plan, templates: Templates, metadata: Callable[[str], Manifest]
) -> Iterator[Manifest]:
    """Yield what the plan says of metrics: monitor, rules, then dashboards.

    `metadata` gives that of an object by its name.
    """
    metrics = plan.day_two.metrics
    if metrics.mode == "none":
        return
    yield _monitor(plan, templates, metadata(plan.name))
    if metrics.alerts:
        yield from _rules(plan, templates, metadata)
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


def _rules(
    plan: Plan, templates: Templates, metadata: Callable[[str], Manifest]
) -> Iterator[Manifest]:
    named = metadata(plan.name)
    namespace = named.get("namespace")
    own, of_operator = (
        tuple(of(plan, namespace)) for of in (alerts.of_run, alerts.of_operator)
    )
    if plan.day_two.metrics.mode == "PodMonitor":
        groups = alerts.groups(plan, [*own, *of_operator], INTERVAL)
        yield templates.render("prometheus-rule", metadata=named, groups=groups)
        return
    groups = alerts.groups(plan, own, INTERVAL)
    yield templates.render("managed-rules", metadata=named, groups=groups)
    if of_operator and plan.day_two.metrics.cluster_rules:
        # Rules see nothing but their own namespace's series, as prometheus-engine's
        # rules_config.go has it, and the operator is in another one. No name of a
        # namespace has a dot, so no other run's object has this name.
        whole = f"{namespace}.{plan.name}" if namespace else plan.name
        yield templates.render(
            "managed-cluster-rules",
            metadata=of_whole_cluster(metadata(whole)),
            groups=alerts.groups(plan, of_operator, INTERVAL),
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
