"""What a run gets beside running, by what blueprint, platform and cluster say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.catalog import prices
from ray_gke.catalog.day_two import Logs, Metrics
from ray_gke.catalog.load import load
from ray_gke.errors import InvalidError
from ray_gke.planning.build import build
from ray_gke.planning.plan import Plan
from ray_gke.planning.site import Site
from ray_gke.rendering.render import render

SERVE = "applications: [{import_path: 'app:app', deployments: [%s]}]\n"
TWO = "{name: Model, num_replicas: 2}"
AVAILABLE = """
  gcs_fault_tolerance_options: {redis_address: 'redis:6379'}
  service: {serve_config: serve.yaml, highly_available: true}
"""


@pytest.fixture
def site() -> Site:
    return Site(prices.load())


def plan(folder: Path, site: Site, spec: str, deployments: str = TWO) -> Plan:
    place = folder / "demo"
    place.mkdir(exist_ok=True)
    head = "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: demo}\nspec:\n"
    (place / "blueprint.yaml").write_text(head + spec)
    (place / "serve.yaml").write_text(SERVE % deployments)
    (place / "app.py").touch()
    return build(load(place, {}), site=site)


@pytest.mark.parametrize(
    ("target", "monitors", "mode", "namespaces"),
    [
        ("kubernetes", None, "PodMonitor", ("monitoring",)),
        ("gke", None, "PodMonitoring", ("gmp-system", "gke-gmp-system")),
        ("kubernetes", {"PodMonitor", "PrometheusRule"}, "PodMonitor", None),
        ("kubernetes", {"PodMonitoring", "Rules", "PodMonitor"}, "PodMonitoring", None),
        ("kubernetes", set(), "none", ()),
    ],
)
def test_metrics_go_to_who_reads_them(  # noqa: PLR0913, PLR0917 a table
    tmp_path: Path,
    site: Site,
    target: Any,
    monitors: set[str] | None,
    mode: str,
    namespaces: tuple[str, ...] | None,
) -> None:
    known = frozenset(monitors) if monitors is not None else None
    where = replace(site, target=target, monitors=known)
    found = plan(tmp_path, where, "  cluster: {}\n")
    assert found.day_two.metrics.mode == mode
    assert not found.day_two.metrics.asked
    if namespaces is not None:
        assert found.day_two.metrics.namespaces == namespaces
    told = [note for note in found.notes if "nothing reads the metrics" in note]
    assert bool(told) == (mode == "none")


def test_an_operator_out_of_sight_may_be_beside_the_api_server(
    tmp_path: Path, site: Site
) -> None:
    def hosted(**found: Any) -> bool:
        return plan(
            tmp_path, replace(site, **found), "  cluster: {}\n"
        ).day_two.hosted_operator

    assert not hosted()
    assert hosted(monitors=frozenset())
    assert not hosted(monitors=frozenset(), operator_namespace="ray-system")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, False),
        ({"target": "gke"}, True),
        # A cluster that somebody else has made.
        ({"gke_nodes": True}, True),
    ],
)
def test_pods_on_googles_nodes_may_ask_who_they_are(
    tmp_path: Path, site: Site, where: Any, expected: bool
) -> None:
    found = plan(tmp_path, replace(site, **where), "  cluster: {}\n")
    objects = render(found, kuberay_version="1.5.1")
    (policy,) = (
        one
        for one in objects
        if (one["kind"], one["metadata"]["name"]) == ("NetworkPolicy", "demo")
    )
    server = {"ipBlock": {"cidr": "169.254.169.254/32"}}
    asked = [
        rule["ports"] for rule in policy["spec"]["egress"] if rule["to"] == [server]
    ]
    assert bool(asked) == expected


@pytest.mark.parametrize(
    ("field", "gate"),
    [
        ("tls_options: {}", "RayClusterMTLS"),
        ("history_server_options: {gcs_bucket: b-1}", "RayClusterHistoryServer"),
    ],
)
@pytest.mark.parametrize("kuberay", ["1.5.1", "1.7.0"])
def test_nobody_here_sets_up_googles_own_operator(
    tmp_path: Path, site: Site, field: str, gate: str, kuberay: str
) -> None:
    spec = f"  {field}\n  cluster: {{}}\n"
    managed = replace(site, target="gke", managed_operator=True)
    with pytest.raises(InvalidError) as raised:
        render(plan(tmp_path, managed, spec), kuberay_version=kuberay)
    (problem,) = raised.value.problems
    assert f"its feature gate {gate} is off" in problem.message
    assert problem.place
    assert problem.place.line == 5
    elsewhere = replace(managed, target="kubernetes")
    assert render(plan(tmp_path, elsewhere, spec), kuberay_version="1.7.0")


def test_no_alerts_where_nobody_takes_them(tmp_path: Path, site: Site) -> None:
    where = replace(site, monitors=frozenset({"PodMonitor"}))
    found = plan(tmp_path, where, "  cluster: {}\n").day_two.metrics
    assert (found.mode, found.alerts) == ("PodMonitor", False)


@pytest.mark.parametrize(
    ("workload", "may", "told"),
    [
        ("  job: {entrypoint: 'true'}\n", False, True),
        ("  job: {entrypoint: 'true'}\n", True, False),
        ("  cluster: {}\n", False, False),
    ],
)
def test_a_job_goes_without_the_alert_that_its_owner_may_not_write(
    tmp_path: Path, site: Site, workload: str, may: bool, told: bool
) -> None:
    known = {"PodMonitoring", "Rules", *(["ClusterRules"] if may else ())}
    found = plan(tmp_path, replace(site, monitors=frozenset(known)), workload)
    assert found.day_two.metrics.alerts
    kinds = {one["kind"] for one in render(found, kuberay_version="1.5.1")}
    assert "Rules" in kinds
    assert ("ClusterRules" in kinds) == ("job" in workload and may)
    notes = [note for note in found.notes if "no alert tells that the job" in note]
    assert bool(notes) == told


def test_who_asks_gets_it_or_is_refused_later(tmp_path: Path, site: Site) -> None:
    where = replace(site, monitors=frozenset())
    spec = "  metrics: {mode: PodMonitoring}\n  cluster: {}\n"
    found = plan(tmp_path, where, spec)
    assert found.day_two.metrics.asked
    assert (found.day_two.metrics.mode, found.notes) == ("PodMonitoring", ())


def test_the_platform_speaks_for_blueprints_that_say_nothing(
    tmp_path: Path, site: Site
) -> None:
    platform = replace(
        site,
        logs=Logs(mode="gke", size_limit="20Gi"),
        metrics=Metrics(mode="none", namespaces=("observe",)),
    )
    silent = plan(tmp_path, platform, "  cluster: {}\n").day_two
    assert (silent.logs.mode, silent.logs.size_limit) == ("gke", "20Gi")
    assert silent.metrics.mode == "none"
    spec = "  logs: {mode: sidecar}\n  metrics: {mode: PodMonitor}\n  cluster: {}\n"
    own = plan(tmp_path, platform, spec).day_two
    assert (own.logs.mode, own.logs.size_limit) == ("sidecar", "20Gi")
    assert (own.metrics.mode, own.metrics.namespaces) == ("PodMonitor", ("observe",))


def test_a_highly_available_service_has_two_workers(tmp_path: Path, site: Site) -> None:
    groups = "  worker_groups: [{name: a}, {name: b, min_replicas: 3}]\n"
    found = plan(tmp_path, site, groups + AVAILABLE)
    numbers = [(g.min_replicas, g.max_replicas) for g in found.worker_groups]
    assert numbers == [(2, 2), (3, 3)]
    assert found.head.num_cpus == 0
    assert found.notes == ()


def test_replicas_that_nobody_counted_are_told(tmp_path: Path, site: Site) -> None:
    groups = "  worker_groups: [{name: a}]\n"
    found = plan(tmp_path, site, groups + AVAILABLE, deployments="")
    (note,) = found.notes
    assert "list its deployments with num_replicas 2 or more" in note


@pytest.mark.parametrize(
    "deployment",
    [
        "{name: Model, num_replicas: 1}",
        "{name: Model}",
        "{name: Model, num_replicas: auto}",
        "{name: Model, autoscaling_config: {max_replicas: 4}}",
    ],
)
def test_one_replica_is_not_available(
    tmp_path: Path, site: Site, deployment: str
) -> None:
    spec = "  worker_groups: [{name: a}]\n" + AVAILABLE
    with pytest.raises(InvalidError, match="Model may have 1 replica"):
        plan(tmp_path, site, spec, deployment)


@pytest.mark.parametrize(
    ("deployment", "workers", "most", "told"),
    [
        ("num_replicas: 2", 2, 1, False),
        ("num_replicas: 4", 2, 2, False),
        ("num_replicas: 5", 3, 3, False),
        ("num_replicas: 2, max_replicas_per_node: 2", 2, 2, True),
        ("autoscaling_config: {min_replicas: 2, max_replicas: 4}", 4, 1, False),
        ("autoscaling_config: {min_replicas: 2, max_replicas: 4}", 2, 2, True),
    ],
)
def test_replicas_do_not_all_stand_on_one_worker(  # noqa: PLR0913, PLR0917 a table
    tmp_path: Path, site: Site, deployment: str, workers: int, most: int, told: bool
) -> None:
    groups = f"  worker_groups: [{{name: a, max_replicas: {workers}}}]\n"
    found = plan(tmp_path, site, groups + AVAILABLE, f"{{name: Model, {deployment}}}")
    objects = render(found, kuberay_version="1.5.1")
    (service,) = (one for one in objects if one["kind"] == "RayService")
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    (rendered,) = config["applications"][0]["deployments"]
    assert rendered["max_replicas_per_node"] == most
    together = [note for note in found.notes if "all stand on one worker" in note]
    assert bool(together) == told


def test_two_replicas_at_least_are(tmp_path: Path, site: Site) -> None:
    spec = "  worker_groups: [{name: a}]\n" + AVAILABLE
    scaling = "{name: Model, autoscaling_config: {min_replicas: 2, max_replicas: 4}}"
    assert plan(tmp_path, site, spec, scaling).day_two.highly_available
