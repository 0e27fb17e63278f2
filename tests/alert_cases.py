"""Series of runs, with the alerts that they fire and those that they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ray_gke.catalog.blueprint import Cluster, Job, Service
from ray_gke.gke.nodes import Shape
from ray_gke.planning.plan import Plan
from tests.local.conftest import group, plan

GPU: dict[str, Any] = {"num_gpus": 1, "shape": Shape("nvidia-tesla-a100")}
MIG: dict[str, Any] = {**GPU, "shape": Shape("nvidia-tesla-a100", "1g.5gb")}
PLANS: dict[str, Plan] = {
    "elastic": plan(
        Cluster(), group("cpu", 0, 3), group("gpu", 0, 2, **GPU), group("mig", **MIG)
    ),
    "fixed": plan(Cluster(), group("small", 2), group("large", 1)),
    "job": plan(Job(entrypoint="true"), group("cpu", 0, 2)),
    "service": plan(Service(serve_config="serve.yaml"), group("cpu", 0, 2)),
}
Series = tuple[str, dict[str, str], str]


def scraped(
    metric: str,
    values: str,
    *,
    role: str = "worker",
    port: str = "metrics",
    **labels: str,
) -> Series:
    """Series of a Ray pod; each value of `values` holds for half a minute."""
    of_pod = {
        "namespace": "team",
        "ray_gke_run": "trial",
        "ray_io_cluster": "trial-abcde",
        "ray_io_group": "headgroup" if role == "head" else "cpu",
        "ray_io_node_type": role,
        "pod": f"trial-{role}",
        "instance": port,
    }
    return metric, {**of_pod, **labels}, values


def head(values: str = "1+0x200", **labels: str) -> Series:
    return scraped("up", values, role="head", **labels)


def worker(number: int, values: str = "1+0x200") -> Series:
    return scraped("up", values, pod=f"trial-worker-{number}")


def gpu(group: str, busy: str, used: str, every: str = "1") -> list[Series]:
    """A pod whose GPUs are busy by so many percent, and held by so many actors."""
    of_pod = {"ray_io_group": group, "Name": "GPU"}
    free = str(int(every) - int(used))
    return [
        scraped("ray_node_gpus_utilization", f"{busy}+0x200", ray_io_group=group),
        scraped("ray_resources", f"{used}+0x200", State="USED", **of_pod),
        scraped("ray_resources", f"{free}+0x200", State="AVAILABLE", **of_pod),
    ]


def requests(errors: str, each: str = "10", code: str = "500") -> list[Series]:
    of_app = {"application": "app", "route": "/"}
    every, failed = (
        f"ray_serve_num_http_{kind}_total" for kind in ("requests", "error_requests")
    )
    return [
        scraped(every, f"0+{each}x200", role="head", **of_app),
        scraped(failed, f"0+{errors}x200", role="head", error_code=code, **of_app),
    ]


def latency(within_ten_seconds: str) -> list[Series]:
    bounds = {"10000": within_ten_seconds, "60000": "10", "+Inf": "10"}
    name = "ray_serve_http_request_latency_ms_bucket"
    return [
        scraped(name, f"0+{count}x200", application="app", le=bound)
        for bound, count in bounds.items()
    ]


def job(status: str, name: str = "trial-0a1b2c3d", **places: str) -> Series:
    labels = {"name": name, "deployment_status": status, **places}
    return "kuberay_job_deployment_status", labels, "1+0x200"


def pending(values: str, **labels: str) -> Series:
    return scraped(
        "autoscaler_pending_nodes", values, role="head", NodeType="cpu", **labels
    )


def stored(where: str, values: str) -> Series:
    return scraped("ray_object_store_memory", values, Location=where)


@dataclass(frozen=True)
class Case:
    """Series of a run of PLANS, and whether the alert fires `at` that time."""

    alert: str
    when: str
    run: str
    fires: bool
    series: Sequence[Series]
    at: str


Row = tuple[str, str, str, list[Series], str]
"""Of a Case: the alert, when it is, the run, the series, and the time."""

FIRING: list[Row] = [
    ("RayHeadDown", "it does not answer", "fixed", [head("1 0+0x99")], "7m"),
    (
        "RayHeadDown",
        "only the autoscaler beside it answers",
        "elastic",
        [head("0+0x99"), head(port="as-metrics")],
        "7m",
    ),
    ("RayHeadDown", "it is gone", "elastic", [head("1 1 stale")], "8m"),
    ("RayHeadDown", "a job's is gone", "job", [head("1 stale"), worker(1)], "7m"),
    ("RayWorkersPending", "for long", "elastic", [head(), pending("2+0x99")], "20m"),
    (
        "RayWorkersPending",
        "one of three is not there",
        "fixed",
        [head(), worker(1), worker(2), worker(3, "0+0x99")],
        "20m",
    ),
    ("RayWorkersPending", "none is there", "fixed", [head()], "20m"),
    (
        "RayGpuIdle",
        "an actor does nothing",
        "elastic",
        [head(), *gpu("gpu", "1", "1")],
        "70m",
    ),
    (
        "RayGpuIdle",
        "nobody holds it",
        "elastic",
        [head(), *gpu("gpu", "90", "0")],
        "70m",
    ),
    (
        "RayGpuIdle",
        "nobody holds MIG",
        "elastic",
        [head(), *gpu("mig", "-1", "0")],
        "70m",
    ),
    (
        "RayObjectStoreSpilling",
        "for long",
        "fixed",
        [head(), *map(worker, range(3)), stored("SPILLED", "1000000+0x99")],
        "15m",
    ),
    ("RayServeErrors", "one of ten", "service", [head(), *requests("1")], "20m"),
    ("RayServeLatency", "one of ten", "service", [head(), *latency("9")], "20m"),
    ("RayJobFailed", "Failed", "job", [job("Failed", namespace="team")], "1m"),
    (
        "RayJobFailed",
        "the operator's scrape has its own namespace",
        "job",
        [job("Failed", namespace="kuberay-system", exported_namespace="team")],
        "1m",
    ),
]
SILENT: list[Row] = [
    ("RayHeadDown", "it answers", "elastic", [head()], "20m"),
    ("RayHeadDown", "it was away", "elastic", [head("1 0 0 0 0 1+0x99")], "2m"),
    (
        "RayHeadDown",
        "only its dashboard is down",
        "elastic",
        [head(), head("0+0x99", port="dash-metrics")],
        "20m",
    ),
    (
        "RayHeadDown",
        "another run's is down",
        "elastic",
        [head(), head("0+0x99", ray_gke_run="other", ray_io_cluster="other-xyz")],
        "20m",
    ),
    ("RayHeadDown", "the job is over", "job", [head("1 1 stale")], "20m"),
    (
        "RayWorkersPending",
        "they come after five minutes",
        "elastic",
        [head(), pending("2+0x10 0+0x99")],
        "5m",
    ),
    (
        "RayWorkersPending",
        "another namespace waits",
        "elastic",
        [head(), pending("2+0x99", namespace="other")],
        "20m",
    ),
    (
        "RayWorkersPending",
        "all are there",
        "fixed",
        [head(), *map(worker, range(3))],
        "20m",
    ),
    ("RayGpuIdle", "busy", "elastic", [head(), *gpu("gpu", "60", "1")], "70m"),
    ("RayGpuIdle", "MIG, held", "elastic", [head(), *gpu("mig", "-1", "1")], "70m"),
    (
        "RayGpuIdle",
        "there is none",
        "elastic",
        [head(), *gpu("cpu", "0", "0", every="0")],
        "70m",
    ),
    (
        "RayObjectStoreSpilling",
        "for a moment",
        "elastic",
        [head(), stored("SPILLED", "1000000+0x10 0+0x99")],
        "5m",
    ),
    (
        "RayObjectStoreSpilling",
        "all in memory",
        "elastic",
        [head(), stored("SPILLED", "0+0x99"), stored("IN_MEMORY", "1000000+0x99")],
        "20m",
    ),
    (
        "RayServeErrors",
        "one of a hundred",
        "service",
        [head(), *requests("1", each="100")],
        "20m",
    ),
    (
        "RayServeErrors",
        "the clients' fault",
        "service",
        [head(), *requests("1", code="404")],
        "20m",
    ),
    (
        "RayServeErrors",
        "nobody asks",
        "service",
        [head(), *requests("0", each="0")],
        "20m",
    ),
    ("RayServeLatency", "quick", "service", [head(), *latency("10")], "20m"),
    ("RayJobFailed", "Complete", "job", [job("Complete", namespace="team")], "1m"),
    (
        "RayJobFailed",
        "that of a run whose name begins alike",
        "job",
        [job("Failed", name="trial-2-0a1b2c3d", namespace="team")],
        "1m",
    ),
    ("RayJobFailed", "another's", "job", [job("Failed", namespace="other")], "1m"),
    (
        "RayJobFailed",
        "another's, where the operator's scrape has its own namespace",
        "job",
        [job("Failed", namespace="kuberay-system", exported_namespace="other")],
        "1m",
    ),
]


def cases() -> Iterator[Case]:
    for fires, rows in ((True, FIRING), (False, SILENT)):
        for alert, when, run, series, at in rows:
            yield Case(alert, when, run, fires, series, at)
