"""Prometheus on this machine, which scrapes pods as a rendered PodMonitor asks.

Its configuration is made as the Prometheus operator makes it: pkg/prometheus/promcfg.go
of prometheus-operator. Debian builds Prometheus without its discovery of pods, so we
write the file that tells it of them, with the labels that discovery/kubernetes/pod.go
of Prometheus gives them; what it makes of these is its own.
"""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import packages
from tests.cluster.processes import Program, answers, free_port
from tests.promtool import write

_POD = "__meta_kubernetes_pod"
PROGRAM = Path("/usr/bin/prometheus")
"""Where Debian puts it."""

SCRAPE_INTERVAL = "5s"
"""Shorter than what is rendered, so that rates are there soon."""


class Prometheus:
    """A running one."""

    def __init__(self, url: str, pods: Path) -> None:
        """Ask at `url`; the file `pods` is what it reads of pods."""
        self._url = url
        self._pods = pods

    def discover(self, pods: Iterable[Mapping[str, Any]]) -> None:
        """Tell it of these pods of the API server, and of no others."""
        _write_pods(self._pods, pods)

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Return the series of an instant query."""
        asked = urllib.parse.urlencode({"query": promql})
        result: list[dict[str, Any]] = self._get(f"query?{asked}")["result"]
        return result

    def metrics(self) -> set[str]:
        """Return the names of all metrics that were scraped."""
        return set(self._get("label/__name__/values"))

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self._url}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)["data"]


@contextmanager
def running(
    folder: Path, monitor: Mapping[str, Any], namespace: str
) -> Iterator[Prometheus]:
    """Run it until the end of the block; all it writes is in `folder`."""
    packages.install(("prometheus",))
    pods = folder / "pods.json"
    _write_pods(pods, ())
    jobs = list(scrape_configs(monitor, namespace, pods))
    config = write(folder / "prometheus.yml", {"scrape_configs": jobs})
    address = f"127.0.0.1:{free_port()}"
    program = Program(
        "prometheus",
        [
            PROGRAM,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address={address}",
        ],
        log=folder / "prometheus.log",
        ready=answers(f"http://{address}/-/ready"),
        env={"NO_PROXY": "*"},
    )
    program.start()
    try:
        yield Prometheus(f"http://{address}", pods)
    finally:
        program.stop()


def scrape_configs(
    monitor: Mapping[str, Any], namespace: str, pods: Path
) -> Iterator[dict[str, Any]]:
    """Yield a job for each endpoint of a PodMonitor in `namespace`."""
    name, spec = monitor["metadata"]["name"], monitor["spec"]
    for number, endpoint in enumerate(spec["podMetricsEndpoints"]):
        yield {
            "job_name": f"podMonitor/{namespace}/{name}/{number}",
            "scrape_interval": SCRAPE_INTERVAL,
            "scrape_timeout": SCRAPE_INTERVAL,
            "metrics_path": endpoint.get("path", "/metrics"),
            "file_sd_configs": [{"files": [str(pods)], "refresh_interval": "5s"}],
            "relabel_configs": [
                # The operator's discovery asks for pods of this namespace only.
                _match("keep", ["__meta_kubernetes_namespace"], namespace),
                *_selected(spec["selector"]),
                _match("drop", [f"{_POD}_phase"], "(Failed|Succeeded)"),
                _match("keep", [f"{_POD}_container_port_name"], endpoint["port"]),
                _copy("__meta_kubernetes_namespace", "namespace"),
                _copy(f"{_POD}_container_name", "container"),
                _copy(f"{_POD}_name", "pod"),
                *(
                    _copy(f"{_POD}_label_{_sanitized(label)}", _sanitized(label))
                    for label in spec["podTargetLabels"]
                ),
                {"target_label": "job", "replacement": f"{namespace}/{name}"},
                {"target_label": "endpoint", "replacement": endpoint["port"]},
            ],
        }


def _write_pods(file: Path, pods: Iterable[Mapping[str, Any]]) -> None:
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps([t for pod in pods for t in targets(pod)]))
    unfinished.rename(file)


def targets(pod: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a target for each port of a pod that has an address."""
    address = pod["status"].get("podIP")
    containers = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
    for container in containers if address else ():
        for port in container.get("ports", ()):
            labels = {
                **_of_pod(pod),
                f"{_POD}_container_name": container["name"],
                f"{_POD}_container_port_name": port.get("name", ""),
                f"{_POD}_container_port_number": str(port["containerPort"]),
            }
            target = f"{address}:{port['containerPort']}"
            yield {"targets": [target], "labels": labels}


def _of_pod(pod: Mapping[str, Any]) -> dict[str, str]:
    own = {
        "__meta_kubernetes_namespace": pod["metadata"]["namespace"],
        f"{_POD}_name": pod["metadata"]["name"],
        f"{_POD}_phase": pod["status"]["phase"],
    }
    for label, value in pod["metadata"].get("labels", {}).items():
        own[f"{_POD}_label_{_sanitized(label)}"] = value
        own[f"{_POD}_labelpresent_{_sanitized(label)}"] = "true"
    return own


def _selected(selector: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for label, value in selector.get("matchLabels", {}).items():
        name = _sanitized(label)
        sources = [f"{_POD}_label_{name}", f"{_POD}_labelpresent_{name}"]
        yield _match("keep", sources, f"({re.escape(value)});true")
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "Exists", "the others are not written here"
        name = _sanitized(expression["key"])
        yield _match("keep", [f"{_POD}_labelpresent_{name}"], "true")


def _match(action: str, sources: list[str], regex: str) -> dict[str, Any]:
    return {"action": action, "source_labels": sources, "regex": regex}


def _copy(source: str, target: str) -> dict[str, Any]:
    return {
        "source_labels": [source],
        "regex": "(.+)",
        "target_label": target,
        "replacement": "${1}",
    }


def _sanitized(name: str) -> str:
    return re.sub("[^a-zA-Z0-9_]", "_", name)
