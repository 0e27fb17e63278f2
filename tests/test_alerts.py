"""promtool on every alert, with series that fire and series that do not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ray_gke.planning.day_two import DayTwo, Metrics
from ray_gke.planning.plan import Plan
from ray_gke.rendering import monitoring
from ray_gke.rendering.templates import Templates
from tests import dashboard_queries
from tests.alert_cases import PLANS, Case, Series, cases, head, requests
from tests.promtool import promtool, write

MODES = ("PodMonitor", "PodMonitoring")
SEVERAL = {"PodMonitoring"}
"""The modes in which a job has a second object with rules."""
NUMBERS = {"metrics": 8080, "as-metrics": 44217, "dash-metrics": 44227}
"""The ports by their names."""


def groups(of: Plan, mode: str) -> list[Any]:
    """The rules of a run as whoever reads them evaluates them."""
    wanted = replace(of, day_two=DayTwo(metrics=Metrics(mode=mode)))
    objects = monitoring.objects(
        wanted, Templates(), lambda name: {"name": name, "namespace": "team"}
    )
    _, *rules = objects
    return [
        scoped(found, one["metadata"]["namespace"]) if one["kind"] == "Rules" else found
        for one in rules
        for found in one["spec"]["groups"]
    ]


def scoped(rules: Any, namespace: str) -> Any:
    """As Managed Prometheus reads Rules: each selector is of their own namespace.

    Source: prometheus-engine, pkg/operator/apis/monitoring/v1/rules_config.go.
    """

    def within(found: re.Match[str]) -> str:
        brace = f'{{namespace="{namespace}",'
        return brace if found[0] == "{" else found[0]

    # What stands in quotes has braces of its own.
    every = [
        {**rule, "expr": re.sub(r'"[^"]*"|{', within, rule["expr"])}
        for rule in rules["rules"]
    ]
    return {**rules, "rules": every}


def instance(mode: str, pod: str, port: str) -> str:
    """What the Prometheus operator or Managed Prometheus write into that label."""
    return f"{pod}:{port}" if mode == "PodMonitoring" else f"10.1.2.3:{NUMBERS[port]}"


def in_notation(series: Series, mode: str) -> dict[str, str]:
    metric, labels, values = series
    if port := labels.get("instance"):
        labels = {**labels, "instance": instance(mode, labels["pod"], port)}
    inner = ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items())
    return {"series": f"{metric}{{{inner}}}", "values": values}


def rule_test(case: Case, mode: str) -> dict[str, Any]:
    """Expect exactly that alert to fire, or none."""
    fired = [{"labels": f'{{alertname="{case.alert}"}}', "value": 1}]
    firing = 'group by (alertname) (ALERTS{alertstate="firing",ray_gke_run="trial"})'
    return {
        "name": f"{case.alert}: {case.when}",
        "interval": "30s",
        "input_series": [in_notation(series, mode) for series in case.series],
        "promql_expr_test": [
            {
                "expr": firing,
                "eval_time": case.at,
                "exp_samples": fired if case.fires else [],
            }
        ],
    }


def rules(folder: Path, mode: str) -> dict[str, list[Path]]:
    """Files for promtool, one for each object: in several, groups share a name."""
    return {
        name: [
            write(folder / f"{name}-{number}.yaml", {"groups": [group]})
            for number, group in enumerate(groups(of, mode))
        ]
        for name, of in PLANS.items()
    }


@pytest.mark.parametrize("mode", MODES)
def test_every_alert_has_series_that_fire_and_series_that_do_not(mode: str) -> None:
    rendered = {
        rule["alert"]
        for of in PLANS.values()
        for group in groups(of, mode)
        for rule in group["rules"]
    }
    assert {case.alert for case in cases() if case.fires} == rendered
    assert {case.alert for case in cases() if not case.fires} == rendered
    assert len(rendered) == 7


@pytest.mark.parametrize("mode", MODES)
def test_prometheus_takes_the_rules(tmp_path: Path, mode: str) -> None:
    files = [file for some in rules(tmp_path, mode).values() for file in some]
    told = promtool("check", "rules", *files)
    assert told.count("SUCCESS") == len(files) == len(PLANS) + (mode in SEVERAL)


@pytest.mark.parametrize("mode", MODES)
def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path, mode: str) -> None:
    files = []
    for run, of_run in rules(tmp_path, mode).items():
        tests = {
            "rule_files": [*map(str, of_run)],
            "evaluation_interval": "30s",
            "tests": [rule_test(case, mode) for case in cases() if case.run == run],
        }
        assert tests["tests"]
        files.append(write(tmp_path / f"{run}-tests.yaml", tests))
    promtool("test", "rules", *files)


def test_an_alert_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    (file,) = rules(tmp_path, "PodMonitor")["service"]
    description = (
        "Requests to the application app are answered with 5xx. Run `ray-gke explain "
        "trial`, then `ray-gke logs trial` for the replicas' tracebacks."
    )
    labels = {
        "severity": "critical",
        "namespace": "team",
        "ray_gke_run": "trial",
        "ray_io_cluster": "trial-abcde",
        "application": "app",
    }
    annotations = {
        "summary": "10% of requests to trial fail",
        "description": description,
    }
    series = [in_notation(one, "PodMonitor") for one in (head(), *requests("1"))]
    expected = {
        "eval_time": "20m",
        "alertname": "RayServeErrors",
        "exp_alerts": [{"exp_labels": labels, "exp_annotations": annotations}],
    }
    test = {
        "interval": "30s",
        "input_series": series,
        "alert_rule_test": [expected],
    }
    whole = {
        "rule_files": [str(file)],
        "evaluation_interval": "30s",
        "tests": [test],
    }
    promtool("test", "rules", write(tmp_path / "tests.yaml", whole))


def test_every_query_of_every_dashboard_parses(tmp_path: Path) -> None:
    found = [
        query
        for name in monitoring.DASHBOARDS
        for asked in (dashboard_queries.of_panels, dashboard_queries.of_choices)
        for query in asked(name)
    ]
    assert len(found) > 400
    # Rules of one name and without labels would be duplicates.
    recorded = [{"record": f"q{n}", "expr": query} for n, query in enumerate(found)]
    groups = [{"name": "queries", "rules": recorded}]
    told = promtool("check", "rules", write(tmp_path / "q.yaml", {"groups": groups}))
    assert f"{len(found)} rules found" in told
