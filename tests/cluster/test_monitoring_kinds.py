"""What is rendered for Prometheus keeps to the published definitions of its kinds.

Rules that are written in CEL are not looked at: only an API server evaluates them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from ray_gke.catalog.blueprint import Job, Service
from ray_gke.planning.day_two import DayTwo, Metrics
from ray_gke.rendering import monitoring
from ray_gke.rendering.templates import Templates
from tests.cluster import kuberay, monitoring_kinds, parts
from tests.local.conftest import group, plan

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parents[2]
SERVICE = Service(serve_config="serve.yaml")
JOB = Job(entrypoint="true")


def schema(kind: str) -> dict[str, Any]:
    """The published schema of version v1, which takes no unknown field."""
    (definition,) = (
        d for d in monitoring_kinds.definitions() if d["spec"]["names"]["kind"] == kind
    )
    (version,) = (v for v in definition["spec"]["versions"] if v["name"] == "v1")
    result: dict[str, Any] = closed(version["schema"]["openAPIV3Schema"])
    return result


def closed(part: Any) -> Any:
    """Refuse what an API server would drop, and leave out what JSON Schema has not."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    result = {
        key: {name: closed(one) for name, one in value.items()}
        if key == "properties"
        else closed(value)
        for key, value in part.items()
        if key != "format"
    }
    if "properties" in result and result.get("type") == "object":
        result["additionalProperties"] = False
    return result


def rendered(mode: str, workload: Service | Job) -> Iterator[dict[str, Any]]:
    run = plan(workload, group("gpu", 0, 2, num_gpus=1))
    wanted = replace(run, day_two=DayTwo(metrics=Metrics(mode=mode)))
    yield from monitoring.objects(wanted, Templates(), lambda name: {"name": name})


@pytest.mark.parametrize(
    ("mode", "workload", "kinds"),
    [
        ("PodMonitor", SERVICE, ["PodMonitor", "PrometheusRule"]),
        ("PodMonitoring", SERVICE, ["PodMonitoring", "Rules"]),
        ("PodMonitoring", JOB, ["PodMonitoring", "Rules", "ClusterRules"]),
    ],
)
def test_the_published_definitions_take_what_is_rendered(
    mode: str, workload: Service | Job, kinds: list[str]
) -> None:
    found = list(rendered(mode, workload))
    assert [one["kind"] for one in found] == kinds
    for one in found:
        validator = jsonschema_rs.Draft202012Validator(schema(one["kind"]))
        # Of metadata a definition says nothing but that it is an object.
        assert [str(e) for e in validator.iter_errors({**one, "metadata": {}})] == []
        wrong = {**one, "metadata": {}, "spec": {**one["spec"], "unknown": 1}}
        assert not validator.is_valid(wrong)


@pytest.mark.parametrize("there", [True, False])
def test_the_operator_is_read_where_managed_prometheus_is(there: bool) -> None:
    """By Helm itself, with what it knows of a cluster."""
    chart = ROOT / "terraform/addons/charts/kuberay-monitoring"
    known = ["--api-versions", "monitoring.googleapis.com/v1/PodMonitoring"]
    command = [str(parts.path("helm")), "template", "kuberay-monitoring", str(chart)]
    told = subprocess.run(
        [*command, *(known if there else ())],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = [one for one in yaml.safe_load_all(told) if one]
    assert len(found) == there
    validator = jsonschema_rs.Draft202012Validator(schema("PodMonitoring"))
    for one in found:
        assert [str(e) for e in validator.iter_errors({**one, "metadata": {}})] == []
        selected = one["spec"]["selector"]["matchLabels"]
        template = kuberay._deployment()["spec"]["template"]
        assert selected.items() <= template["metadata"]["labels"].items()
