"""Whether a Prometheus of the cluster reads our runs, and what is said if none does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from ray_gke.catalog.blueprint import Cluster
from ray_gke.catalog.day_two import NetworkPolicy
from ray_gke.planning.day_two import DayTwo, Metrics
from ray_gke.rendering import monitoring
from ray_gke.rendering.templates import Templates
from ray_gke.targets.kubernetes import checks, prometheus
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.live import Wanted
from tests.local.conftest import group, plan

RELEASE = {"matchLabels": {"release": "kps"}}
OURS = {"matchExpressions": [{"key": "ray-gke/run", "operator": "Exists"}]}
ALL: dict[str, Any] = {}
FLAGS = (
    "--set prometheus.prometheusSpec.podMonitorSelectorNilUsesHelmValues=false "
    "--set prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues=false"
)


@dataclass
class There:
    """A cluster with these Prometheus objects, or one that shows none."""

    found: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False

    def list(self, kind: str) -> list[dict[str, Any]]:
        assert kind == "Prometheus"
        if self.closed:
            raise NotAllowedError("no")
        return self.found


def selecting(
    monitors: Any = None,
    rules: Any = None,
    *,
    within: Any = ALL,
    home: str = "monitoring",
) -> dict[str, Any]:
    """A Prometheus; None is a selector that is not there."""
    given = {
        "podMonitorSelector": monitors,
        "ruleSelector": rules,
        "podMonitorNamespaceSelector": within,
        "ruleNamespaceSelector": within,
    }
    spec = {key: value for key, value in given.items() if value is not None}
    return {"metadata": {"name": "kps", "namespace": home}, "spec": spec}


def run(mode: str = "PodMonitor", *, network: str = "DenyAll", **labels: str) -> Wanted:
    day_two = DayTwo(
        metrics=Metrics(mode=mode),
        network_policy=NetworkPolicy.model_validate({"mode": network}),
    )
    wanted = replace(plan(Cluster(), group("cpu")), day_two=day_two)
    own = {"ray-gke/run": "trial", **labels}
    objects = monitoring.objects(
        wanted,
        Templates(),
        lambda name: {"name": name, "namespace": "team", "labels": own},
    )
    return Wanted(wanted, "team", tuple(objects))


def notes(*found: dict[str, Any], of: Wanted | None = None) -> list[str]:
    api = cast("Api", There(list(found)))
    return list(prometheus.notes(api, [of or run(), of or run()]))


def test_what_the_chart_selects_by_default_is_not_ours() -> None:
    (note,) = notes(selecting(RELEASE, RELEASE))
    assert note == (
        "no Prometheus of the cluster reads our PodMonitor and PrometheusRule: "
        "monitoring/kps wants release=kps. Give them these labels by a patch, or "
        f"upgrade its chart, kube-prometheus-stack, with {FLAGS}"
    )
    assert FLAGS in checks._INSTALLED["monitoring.coreos.com"]


@pytest.mark.parametrize(
    "there",
    [
        [selecting(ALL, ALL)],
        [selecting(OURS, OURS)],
        [selecting(RELEASE, RELEASE), selecting(ALL, ALL)],
        [selecting(ALL, RELEASE), selecting(RELEASE, ALL)],
        [selecting(ALL, ALL, within={"matchLabels": {"team": "ml"}})],
        [],
    ],
    ids=["all", "ours", "one of two", "each one of two", "of a namespace", "none"],
)
def test_nothing_is_said_where_somebody_reads(there: list[dict[str, Any]]) -> None:
    assert notes(*there) == []


@pytest.mark.parametrize(
    ("there", "kinds", "wants"),
    [
        (selecting(ALL, RELEASE), "PrometheusRule", "release=kps"),
        (selecting(None, ALL), "PodMonitor", "a podMonitorSelector"),
        (
            selecting(ALL, ALL, within=None),
            "PodMonitor and PrometheusRule",
            "a namespace with kubernetes.io/metadata.name=monitoring",
        ),
        (
            selecting({"matchExpressions": [{"key": "x", "operator": "Exists"}]}, ALL),
            "PodMonitor",
            "x Exists",
        ),
    ],
)
def test_what_a_prometheus_wants_is_named(
    there: dict[str, Any], kinds: str, wants: str
) -> None:
    (note,) = notes(there)
    assert f"reads our {kinds}: monitoring/kps wants {wants}." in note


def test_labels_by_a_patch_are_seen() -> None:
    assert notes(selecting(RELEASE, RELEASE), of=run(release="kps")) == []


def test_a_prometheus_that_the_network_policy_keeps_out_is_told() -> None:
    elsewhere = selecting(ALL, ALL, home="observability")
    (note,) = notes(elsewhere)
    assert note == (
        "the NetworkPolicy lets Prometheus in from monitoring, and it runs in "
        "observability: name that in metrics.namespaces"
    )
    assert notes(elsewhere, of=run(network="DenyAllEgress")) == []


def test_nobody_is_asked_about_what_managed_prometheus_reads() -> None:
    assert notes(selecting(RELEASE, RELEASE), of=run("PodMonitoring")) == []


def test_who_may_not_look_is_told_nothing() -> None:
    closed = cast("Api", There(closed=True))
    assert list(prometheus.notes(closed, [run()])) == []
