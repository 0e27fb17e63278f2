"""Definitions of the kinds that the Prometheus operator and Managed Prometheus read.

They come from the Go modules of both, and are kept where built parts are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import parts
from tests.cluster.parts import Part

PROMETHEUS_OPERATOR = Part(
    "github.com/prometheus-operator/prometheus-operator", "v0.85.0"
)
PROMETHEUS_ENGINE = Part("github.com/GoogleCloudPlatform/prometheus-engine", "v0.17.2")
KINDS = ("PodMonitor", "PrometheusRule", "PodMonitoring", "Rules", "ClusterRules")


def definitions() -> list[dict[str, Any]]:
    """Return the CustomResourceDefinitions of KINDS, downloaded once by version."""
    versions = f"{PROMETHEUS_OPERATOR.version}-{PROMETHEUS_ENGINE.version}"
    kept = parts.cache() / "monitoring-kinds" / f"{versions}-{'-'.join(KINDS)}.json"
    if not kept.exists():
        with parts.one_build_at_a_time():
            if not kept.exists():
                _keep(kept)
    found: list[dict[str, Any]] = json.loads(kept.read_text())
    return found


def _keep(file: Path) -> None:
    by_kind = {d["spec"]["names"]["kind"]: d for d in _published()}
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps([by_kind[kind] for kind in KINDS]))
    unfinished.rename(file)


def _published() -> Iterator[dict[str, Any]]:
    operator = parts.download(PROMETHEUS_OPERATOR) / "example/prometheus-operator-crd"
    plurals = ("podmonitors", "prometheusrules")
    files = [operator / f"monitoring.coreos.com_{plural}.yaml" for plural in plurals]
    engine = parts.download(PROMETHEUS_ENGINE) / "manifests" / "setup.yaml"
    for file in (*files, engine):
        for document in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            if document and document["kind"] == "CustomResourceDefinition":
                yield document
