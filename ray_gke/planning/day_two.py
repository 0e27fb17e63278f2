"""What a run gets beside running: decided here, where blueprint and platform do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ray_gke import versions
from ray_gke.catalog.blueprint import Spec
from ray_gke.catalog.day_two import (
    AuthOptions,
    GcsFaultToleranceOptions,
    HistoryServerOptions,
    NetworkPolicy,
    TlsOptions,
)
from ray_gke.planning.site import Site

MONITORS: Mapping[str, tuple[str, ...]] = {
    "PodMonitoring": ("gmp-system", "gke-gmp-system"),
    "PodMonitor": ("monitoring",),
}
"""Who reads metrics, by what tells it to, and the namespaces that it runs in.

Sources: prometheus-engine's manifests (its own namespace, and that of GKE's managed
collection), kube-prometheus.
"""

READERS = {
    "PodMonitoring": "Managed Prometheus",
    "PodMonitor": "the Prometheus operator",
}
RULES = {"PodMonitoring": "Rules", "PodMonitor": "PrometheusRule"}
"""What carries alerts to whoever reads the metrics."""

CLUSTER_RULES = "ClusterRules"
"""What carries alerts on other namespaces' series to Managed Prometheus."""

_SIZE_LIMIT = "10Gi"


@dataclass(frozen=True)
class Logs:
    """Where log files go, which image ships them, and how much a pod keeps."""

    mode: Literal["sidecar", "gke", "none"] = "sidecar"
    image: str = versions.FLUENT_BIT_IMAGE
    size_limit: str = _SIZE_LIMIT


@dataclass(frozen=True)
class Metrics:
    """Who reads metrics, and from which `namespaces`.

    `mode` is one of MONITORS, or none; `asked` tells whether somebody said so: then it
    must be there. `cluster_rules` tells whether CLUSTER_RULES may be written.
    """

    mode: str = "PodMonitor"
    namespaces: tuple[str, ...] = MONITORS["PodMonitor"]
    alerts: bool = True
    dashboards: bool = False
    asked: bool = False
    cluster_rules: bool = True


@dataclass(frozen=True)
class DayTwo:
    """Logs, metrics, security and recovery of a run.

    The models of the blueprint where nothing is left to decide. `operator_namespace` is
    where KubeRay's operator runs; where the cluster does not show it, it may be beside
    the API server (`hosted_operator`). `pods_range` are the pods' addresses where they
    are known. `metadata_server` is where pods get their identity in Google Cloud from.
    `log_collector` is the site's. With a `managed_operator` nobody here turns on what
    KubeRay has turned off.
    """

    logs: Logs = field(default_factory=Logs)
    metrics: Metrics = field(default_factory=Metrics)
    auth: AuthOptions = field(default_factory=AuthOptions)
    network_policy: NetworkPolicy = field(default_factory=NetworkPolicy)
    tls: TlsOptions | None = None
    fault_tolerance: GcsFaultToleranceOptions | None = None
    history_server: HistoryServerOptions | None = None
    highly_available: bool = False
    operator_namespace: str = versions.OPERATOR_NAMESPACE
    hosted_operator: bool = False
    pods_range: str | None = None
    metadata_server: bool = False
    managed_operator: bool = False
    log_collector: bool | None = None


def day_two(spec: Spec, site: Site) -> DayTwo:
    """Return it for a blueprint on a site."""
    tls = spec.tls_options
    return DayTwo(
        logs=logs(spec, site),
        metrics=metrics(spec, site),
        auth=spec.auth_options,
        network_policy=spec.network_policy,
        tls=tls if tls and tls.enabled else None,
        fault_tolerance=spec.gcs_fault_tolerance_options,
        history_server=spec.history_server_options,
        highly_available=spec.highly_available,
        operator_namespace=site.operator_namespace or versions.OPERATOR_NAMESPACE,
        # Who looked at the cluster would know where it is.
        hosted_operator=site.monitors is not None and not site.operator_namespace,
        pods_range=site.pods_range,
        metadata_server=site.target == "gke" or site.gke_nodes,
        managed_operator=site.target == "gke" and site.managed_operator,
        log_collector=site.log_collector,
    )


def logs(spec: Spec, site: Site) -> Logs:
    """Return what the blueprint says of logs, or else the platform, or we."""
    given = {**_said(site.logs), **_said(spec.logs)}
    return Logs(**given)


def metrics(spec: Spec, site: Site) -> Metrics:
    """Return what the blueprint says of metrics, or else the platform, or we."""
    given = {**_said(site.metrics), **_said(spec.metrics)}
    asked = "mode" in given
    mode = given.pop("mode", None) or _likely(site)
    namespaces = given.pop("namespaces", None) or MONITORS.get(mode, ())
    found = Metrics(
        mode=mode,
        namespaces=namespaces,
        asked=asked,
        cluster_rules=site.monitors is None or CLUSTER_RULES in site.monitors,
        **given,
    )
    lacking = site.monitors is not None and RULES.get(mode) not in site.monitors
    return replace(found, alerts=False) if lacking and not asked else found


def _said(model: Any) -> dict[str, Any]:
    if model is None:
        return {}
    return {
        k: getattr(model, k)
        for k in model.model_fields_set
        if getattr(model, k) is not None
    }


def _likely(site: Site) -> str:
    """Return the monitor that the cluster has, or would have."""
    if site.monitors is not None:
        return next((m for m in MONITORS if m in site.monitors), "none")
    return "PodMonitoring" if site.target == "gke" else "PodMonitor"


def assumed(found: DayTwo) -> str | None:
    """Return what the metrics take for granted of a cluster that nobody looked at."""
    mode = found.metrics.mode
    if found.metrics.asked or mode == "none":
        return None
    return (
        f"{mode} and {RULES[mode]} are for a cluster with {READERS[mode]}: "
        "metrics.mode none leaves them out"
    )


def notes(spec: Spec, site: Site) -> Iterator[str]:
    """Yield what a user should know of it."""
    found = metrics(spec, site)
    if found.mode == "none" and not found.asked and site.monitors is not None:
        yield (
            "nothing reads the metrics: the cluster knows neither PodMonitoring nor "
            "PodMonitor"
        )
    managed = found.mode == "PodMonitoring" and found.alerts
    if spec.job and managed and not found.cluster_rules:
        yield (
            f"no alert tells that the job fails: it takes {CLUSTER_RULES}, which "
            "you may not write in this cluster"
        )
