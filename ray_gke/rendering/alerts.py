"""The alerts of a run, as groups of Prometheus rules.

Names and labels of the series are those that Ray 2.60 emits: sources are
ray/autoscaler/_private/prom_metrics.py, ray/dashboard/modules/reporter/
reporter_agent.py, ray/serve/_private/request_ingress_metrics.py and the dashboards in
ray/dashboard/modules/metrics; and KubeRay's controllers/ray/metrics. The labels
`namespace` and `pod`, of the run and of Ray's pods come with the scrape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ray_gke.planning.plan import Plan
from ray_gke.rendering import content_names
from ray_gke.rendering.templates import Manifest

_CLUSTER = "namespace, ray_gke_run, ray_io_cluster"
_POD = f"{_CLUSTER}, ray_io_group, pod"
_APPLICATION = f"{_CLUSTER}, application"
# `instance` ends with the number of the port for the Prometheus operator, and with its
# name for Managed Prometheus. The other ports belong to autoscaler and dashboard.
_OF_NODES = 'instance=~".+:(8080|metrics)"'


@dataclass(frozen=True)
class Alert:
    """When to call whom; `lasting` is how long the expression has to hold."""

    name: str
    expr: str
    lasting: str
    severity: Literal["critical", "warning", "info"]
    summary: str
    description: str


def groups(plan: Plan, alerts: Iterable[Alert], interval: str) -> list[Manifest]:
    """Return alerts of a run as the rule groups of one object."""
    name = f"ray-gke-{plan.name}"
    rules = [_rule(alert, plan) for alert in alerts]
    return [{"name": name, "interval": interval, "rules": rules}]


def _rule(alert: Alert, plan: Plan) -> Manifest:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasting,
        "labels": {"severity": alert.severity, "ray_gke_run": plan.name},
        "annotations": {"summary": alert.summary, "description": alert.description},
    }


def of_run(plan: Plan, namespace: str | None) -> Iterator[Alert]:
    """Yield the alerts on series of a run's own pods, in its namespace if known."""
    run = f'ray_gke_run="{plan.name}"'
    within = f'{run},namespace="{namespace}"' if namespace else run
    yield _head_down(plan, within)
    if plan.worker_groups:
        yield _workers_pending(plan, within)
    if any(group.num_gpus for group in plan.groups):
        yield _gpu_idle(plan, within)
    yield _object_store_spilling(plan, within)
    if plan.kind == "service":
        yield _serve_errors(plan, within)
        yield _serve_latency(plan, within)


def of_operator(plan: Plan, namespace: str | None) -> Iterator[Alert]:
    """Yield the alerts on series that KubeRay's operator has of a run."""
    if plan.kind == "job":
        yield _job_failed(plan, namespace)


def _head(within: str) -> str:
    return f'up{{{within},ray_io_node_type="head",{_OF_NODES}}}'


def _workers(within: str) -> str:
    return f'up{{{within},ray_io_node_type="worker",{_OF_NODES}}}'


def _head_down(plan: Plan, within: str) -> Alert:
    head = _head(within)
    silent = f"max by ({_CLUSTER}) ({head}) == 0"
    # A job's cluster goes when the job has ended; the others are meant to stay.
    gone = f"absent({head})"
    if plan.kind == "job":
        workers = f"group by ({_CLUSTER}) ({_workers(within)})"
        gone = f"({workers} unless group by ({_CLUSTER}) ({head}))"
    return Alert(
        "RayHeadDown",
        f"{silent} or {gone}",
        "5m",
        "critical",
        f"The head of {plan.name} is down",
        "Nothing has answered on the head's metrics port for five minutes: no task is "
        "scheduled, and without GCS fault tolerance its state is lost. Run "
        f"`ray-gke explain {plan.name}` to see why its pod does not run.",
    )


def _workers_pending(plan: Plan, within: str) -> Alert:
    return Alert(
        "RayWorkersPending",
        _pending(plan, within),
        "15m",
        "warning",
        f"{plan.name} waits for {{{{ $value }}}} workers",
        "Workers were asked for and have not come for a quarter of an hour: no machine "
        "of that kind is to be had, a quota is used up, or an image is not pulled. Run "
        f"`ray-gke explain {plan.name}` to see which.",
    )


def _pending(plan: Plan, within: str) -> str:
    if plan.autoscaling:
        pending = f"autoscaler_pending_nodes{{{within}}}"
        return f"sum by ({_CLUSTER}, NodeType) ({pending}) > 0"
    wanted = sum(group.min_replicas for group in plan.worker_groups)
    head = f"group by ({_CLUSTER}) ({_head(within)} == 1)"
    there = f"count by ({_CLUSTER}) ({_workers(within)} == 1)"
    return f"{head} * {wanted} - ({there} or {head} * 0) > 0"


def _gpu_idle(plan: Plan, within: str) -> Alert:
    return Alert(
        "RayGpuIdle",
        " or ".join(_idle(plan, within)),
        "30m",
        "info",
        f"A GPU of {plan.name} is paid for and not used",
        "For half an hour no task or actor has held a GPU of the pod "
        "{{ $labels.pod }}, or its GPUs did next to nothing. Run "
        f"`ray-gke explain {plan.name}` to see what keeps it, then lower min_replicas "
        "of the group {{ $labels.ray_io_group }}, or share its GPUs.",
    )


def _idle(plan: Plan, within: str) -> Iterator[str]:
    held = f'ray_resources{{{within},Name="GPU",State="USED"}}'
    every = f'ray_resources{{{within},Name="GPU"}}'
    yield f"(sum by ({_POD}) ({held}) == 0 and sum by ({_POD}) ({every}) > 0)"
    # Ray writes -1 for MIG devices, whose utilization the driver does not tell.
    whole = [g.name for g in plan.groups if g.num_gpus and not g.shape.partition]
    if whole:
        of_them = f'{within},ray_io_group=~"{"|".join(whole)}"'
        busy = f"avg_over_time(ray_node_gpus_utilization{{{of_them}}}[30m])"
        yield f"max by ({_POD}) ({busy}) < 5"


def _object_store_spilling(plan: Plan, within: str) -> Alert:
    spilled = f'ray_object_store_memory{{{within},Location="SPILLED"}}'
    return Alert(
        "RayObjectStoreSpilling",
        f"sum by ({_POD}) ({spilled}) > 0",
        "10m",
        "warning",
        f"The object store of {plan.name} spills to disk",
        "The pod {{ $labels.pod }} has kept {{ $value | humanize1024 }}B of objects on "
        "its disk for ten minutes: tasks become slow, and a full disk gets the pod "
        f"evicted. Run `ray-gke explain {plan.name}`; give the group "
        "{{ $labels.ray_io_group }} more memory, or hold fewer references.",
    )


def _serve_errors(plan: Plan, within: str) -> Alert:
    series = f'{within},application!=""'
    errors = f'ray_serve_num_http_error_requests_total{{{series},error_code=~"5.."}}'
    every = f"ray_serve_num_http_requests_total{{{series}}}"
    return Alert(
        "RayServeErrors",
        f"sum by ({_APPLICATION}) (rate({errors}[5m])) "
        f"/ sum by ({_APPLICATION}) (rate({every}[5m])) > 0.05",
        "5m",
        "critical",
        f"{{{{ $value | humanizePercentage }}}} of requests to {plan.name} fail",
        "Requests to the application {{ $labels.application }} are answered with 5xx. "
        f"Run `ray-gke explain {plan.name}`, then `ray-gke logs {plan.name}` for the "
        "replicas' tracebacks.",
    )


def _serve_latency(plan: Plan, within: str) -> Alert:
    bucket = f'ray_serve_http_request_latency_ms_bucket{{{within},application!=""}}'
    rates = f"sum by ({_APPLICATION}, le) (rate({bucket}[5m]))"
    # A bound of one of Serve's buckets. Image models need seconds, so not less.
    return Alert(
        "RayServeLatency",
        f"histogram_quantile(0.95, {rates}) > 10000",
        "10m",
        "warning",
        f"Requests to {plan.name} take long",
        "One of twenty requests to the application {{ $labels.application }} has taken "
        "more than ten seconds, for ten minutes. Run "
        f"`ray-gke explain {plan.name}` to see whether replicas wait for workers; else "
        "raise max_replicas.",
    )


def _job_failed(plan: Plan, namespace: str | None) -> Alert:
    # Ray counts finished jobs, not how they ended: only KubeRay's operator tells it,
    # and where its own labels are not honoured, `namespace` is the operator's.
    job = content_names.pattern_of_jobs(plan)
    of_job = f'name=~"{job}",deployment_status=~"Failed|ValidationFailed"'
    keys = ("namespace", "exported_namespace") if namespace else ()
    places = [f',{key}="{namespace}"' for key in keys] or [""]
    told = [f"kuberay_job_deployment_status{{{of_job}{place}}}" for place in places]
    return Alert(
        "RayJobFailed",
        f"max by (deployment_status) ({' or '.join(told)}) == 1",
        "0s",
        "critical",
        f"The job {plan.name} has failed",
        f"KubeRay has given up on it. Run `ray-gke explain {plan.name}` for the cause, "
        f"and `ray-gke logs {plan.name}` for the job's own output.",
    )
