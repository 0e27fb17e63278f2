"""A real Prometheus scrapes real Ray pods as the rendered PodMonitor asks.

What this does not prove: that the Prometheus operator and Managed Prometheus, which do
not run here, make the same of these objects (their part is written in prometheus.py);
that network policies let them through, since nothing enforces those here; and what
GPUs, the libraries that did not run and language models would measure. Queries about
these are not asked, because Ray emits none of their metrics here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.rendering import monitoring
from tests import dashboard_queries
from tests.cluster.bed import Bed
from tests.cluster.processes import ProgramError, eventually
from tests.node import prometheus
from tests.node.prometheus import Prometheus
from tests.node.test_real_node import RAY_PATIENCE, status

pytestmark = pytest.mark.node

BLUEPRINT = """
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: measured}
spec:
  cluster: {}
  head: {cpu: 500m, memory: 3Gi}
  worker_groups:
    - {name: small, min_replicas: 1, max_replicas: 2, cpu: 500m, memory: 2Gi}
  metrics: {mode: PodMonitor}
"""
WORK = """
import contextlib, urllib.error, urllib.request
import ray
from ray import serve
from ray.util.placement_group import placement_group
ray.init()
@ray.remote(num_cpus=0.1)
def square(number):
    return number ** 2
@ray.remote(num_cpus=0.1)
class Keeper:
    def keep(self):
        return b"x" * 2**21
print(ray.get([square.remote(number) for number in range(20)]))
keeper = Keeper.options(name="keeper", lifetime="detached").remote()
ray.get(keeper.keep.remote())
group = placement_group([{"CPU": 0.1}], name="held", lifetime="detached")
ray.get(group.ready())
@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class App:
    def __call__(self, request):
        if request.query_params.get("fail"):
            raise ValueError("as asked")
        return "well"
serve.run(App.bind(), name="app", route_prefix="/")
for number in range(20):
    with contextlib.suppress(urllib.error.HTTPError):
        question = "?fail=1" if number % 4 == 0 else ""
        urllib.request.urlopen("http://127.0.0.1:8000/" + question).read()
"""
ASKED_BY_ALERTS = (
    'up{ray_io_node_type="head",instance=~".+:(8080|metrics)"}',
    'up{ray_io_node_type="worker",instance=~".+:(8080|metrics)"}',
    'autoscaler_pending_nodes{NodeType="small"}',
    'ray_object_store_memory{Location="SPILLED"}',
    'ray_resources{Name="CPU",State="USED"}',
    'ray_resources{Name="CPU",State="AVAILABLE"}',
    'ray_serve_num_http_requests_total{application="app"}',
    'ray_serve_num_http_error_requests_total{application="app",error_code="500"}',
    'ray_serve_http_request_latency_ms_bucket{application="app",le="+Inf"}',
    'ray_serve_http_request_latency_ms_bucket{application="app",le=~"10000(.0)?"}',
)
"""Series with the labels that alerts tell apart; GPUs are resources like CPUs."""
EMPTY_HERE = (
    ('IsRetry!="0"', "no task was tried again"),
    ('Name="GPU"', "there are no GPUs"),
    ("num_ongoing_http_requests", "no request is under way any more"),
    ("num_scheduling_tasks", "no request waits for a replica any more"),
    ("> (", "nodes are pending, which they are for a moment only"),
)
"""What a query has in it whose series are there and whose answer is empty, and why."""


def rendered(folder: Path) -> list[dict[str, Any]]:
    (folder / "measured").mkdir()
    (folder / "measured" / "blueprint.yaml").write_text(BLUEPRINT)
    command = (Path(sys.executable).with_name("ray-gke"), "render", "./measured")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True
    )
    return [d for d in yaml.safe_load_all(done.stdout) if d]


@pytest.fixture
def scraping(
    real_cluster: Bed, real_namespace: str, tmp_path: Path
) -> Iterator[Prometheus]:
    """Prometheus beside a RayCluster that has worked."""
    objects = rendered(tmp_path)
    # Nobody has told the API server of the monitoring kinds, nor need it know them.
    known = [o for o in objects if not o["apiVersion"].startswith("monitoring.")]
    text = yaml.safe_dump_all(known)
    real_cluster.control_plane.apply(text, namespace=real_namespace)
    (monitor,) = (o for o in objects if o["kind"] == "PodMonitor")
    with prometheus.running(tmp_path, monitor, real_namespace) as started:
        wait_until_ready(real_cluster, real_namespace)
        pods = f"/api/v1/namespaces/{real_namespace}/pods"
        started.discover(real_cluster.control_plane.get(pods)["items"])
        work(real_cluster, real_namespace)
        yield started


def wait_until_ready(cluster: Bed, namespace: str) -> None:
    def is_ready() -> bool:
        found = status(cluster, namespace, "raycluster", "measured")
        return found.get("readyWorkerReplicas") == 1 and found.get("state") == "ready"

    eventually("the RayCluster to be ready", is_ready, patience=RAY_PATIENCE)


def work(cluster: Bed, namespace: str) -> None:
    chosen = ("-n", namespace, "-l", "ray.io/node-type=head", "-o", "name")
    head = cluster.kubectl("get", "pods", *chosen).strip()
    inside = ("exec", head, "-n", namespace, "-c", "ray-head", "--")
    cluster.kubectl(*inside, "python", "-c", WORK)


def test_all_ports_are_up_and_dashboards_have_data(
    scraping: Prometheus, real_namespace: str
) -> None:
    _all_ports_are_up(scraping, real_namespace)
    _series_of_alerts_are_there(scraping)
    _queries_answer(scraping)


def _all_ports_are_up(scraping: Prometheus, namespace: str) -> None:
    targets = {
        ("head", "metrics"),
        ("head", "as-metrics"),
        ("head", "dash-metrics"),
        ("worker", "metrics"),
    }

    def found() -> set[tuple[str, str]]:
        up = [series["metric"] for series in scraping.query("up == 1")]
        return {(labels["ray_io_node_type"], labels["endpoint"]) for labels in up}

    eventually("all ports to be up", lambda: found() == targets, patience=120)
    for series in scraping.query("up"):
        labels = series["metric"]
        assert labels["namespace"] == namespace
        assert labels["ray_gke_run"] == "measured"
        assert labels["ray_io_cluster"].startswith("measured")
        assert labels["ray_io_group"] in {"headgroup", "small"}
        assert labels["pod"].startswith("measured")


def _series_of_alerts_are_there(scraping: Prometheus) -> None:
    def missing() -> list[str]:
        return [query for query in ASKED_BY_ALERTS if not scraping.query(query)]

    eventually_none("series that alerts ask for", missing)


def _queries_answer(scraping: Prometheus) -> None:
    every = [q for n in monitoring.DASHBOARDS for q in dashboard_queries.of_panels(n)]

    def without_answer() -> list[str]:
        emitted = scraping.metrics()
        return [q for q in every if _can_answer(q, emitted) and not scraping.query(q)]

    eventually_none("answers to queries of dashboards", without_answer)
    asked = [q for q in every if _can_answer(q, scraping.metrics())]
    assert len(asked) > 80, "most of the default dashboard, and half of Serve's"


def _can_answer(query: str, emitted: set[str]) -> bool:
    names = set(re.findall(r"\b(?:ray|autoscaler)_\w+(?=\{)", query))
    empty = any(part in query for part, _ in EMPTY_HERE)
    return bool(names) and names <= emitted and not empty


def eventually_none(what: str, missing: Callable[[], list[str]]) -> None:
    left: list[str] = []

    def are_there() -> bool:
        left[:] = missing()
        return not left

    try:
        eventually(what, are_there, patience=180)
    except ProgramError as error:
        raise AssertionError(f"{error}:\n" + "\n".join(left)) from None
