"""Whether a Prometheus of the cluster reads what is written for its operator.

Source: the fields of Prometheus of monitoring.coreos.com/v1 in the documentation of
prometheus-operator. A selector that is not there selects nothing, an empty one all; of
namespaces, one that is not there means the Prometheus' own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api, ApiError, NotAllowedError
from ray_gke.targets.kubernetes.live import Wanted
from ray_gke.targets.kubernetes.node_matching import holds
from ray_gke.targets.kubernetes.resources import labels

_SELECTORS = {"PodMonitor": "podMonitor", "PrometheusRule": "rule"}
"""How the fields begin by which a Prometheus selects a kind."""

READS_ALL = " ".join(
    f"--set prometheus.prometheusSpec.{field}SelectorNilUsesHelmValues=false"
    for field in _SELECTORS.values()
)
"""Without it the chart's Prometheus reads only what has a label of its release."""

_NAME = "kubernetes.io/metadata.name"
_CLOSED = frozenset({"DenyAll", "DenyAllIngress"})


def notes(api: Api, wanted: Sequence[Wanted]) -> Iterator[str]:
    """Yield, each once, what keeps every Prometheus there is from reading these runs.

    Nothing, where there is none, or where the user may not look.
    """
    monitored = [r for r in wanted if r.plan.day_two.metrics.mode == "PodMonitor"]
    there = _prometheuses(api) if monitored else []
    if there:
        yield from dict.fromkeys(t for run in monitored for t in _of_run(run, there))


def _prometheuses(api: Api) -> list[Manifest]:
    try:
        return api.list("Prometheus")
    except (ApiError, NotAllowedError):
        return []


def _of_run(run: Wanted, there: Sequence[Manifest]) -> Iterator[str]:
    ours = [one for one in run.objects if one["kind"] in _SELECTORS]
    unread = [one for one in ours if all(any(_lacks(p, one)) for p in there)]
    if unread:
        kinds = " and ".join(one["kind"] for one in unread)
        yield (
            f"no Prometheus of the cluster reads our {kinds}: "
            f"{'; '.join(_wishes(p, unread) for p in there)}. Give them these labels "
            "by a patch, or upgrade its chart, kube-prometheus-stack, with "
            f"{READS_ALL}"
        )
    given = run.plan.day_two
    runs_in = {one["metadata"]["namespace"] for one in there}
    let_in = given.metrics.namespaces
    if given.network_policy.mode in _CLOSED and not runs_in & set(let_in):
        yield (
            f"the NetworkPolicy lets Prometheus in from {', '.join(let_in)}, and it "
            f"runs in {', '.join(sorted(runs_in))}: name that in metrics.namespaces"
        )


def _wishes(prometheus: Manifest, unread: Sequence[Manifest]) -> str:
    metadata = prometheus["metadata"]
    lacks = dict.fromkeys(t for one in unread for t in _lacks(prometheus, one))
    return f"{metadata['namespace']}/{metadata['name']} wants {', '.join(lacks)}"


def _lacks(prometheus: Manifest, one: Manifest) -> Iterator[str]:
    """Yield what an object would need so that this Prometheus reads it."""
    spec, field = prometheus["spec"], _SELECTORS[one["kind"]]
    selector = spec.get(f"{field}Selector")
    if selector is None:
        yield f"a {field}Selector"
    else:
        yield from _unmet(selector, labels(one))
    home = {"matchLabels": {_NAME: prometheus["metadata"]["namespace"]}}
    within = spec.get(f"{field}NamespaceSelector")
    # The other labels of a namespace we do not know.
    namespace = {_NAME: one["metadata"]["namespace"]}
    for lack in _unmet(home if within is None else within, namespace):
        if lack.startswith(_NAME):
            yield f"a namespace with {lack}"


def _unmet(selector: Mapping[str, Any], found: Mapping[str, str]) -> Iterator[str]:
    for key, value in (selector.get("matchLabels") or {}).items():
        if found.get(key) != value:
            yield f"{key}={value}"
    for expression in selector.get("matchExpressions") or ():
        if not holds(expression, found):
            values = ", ".join(expression.get("values") or ())
            yield f"{expression['key']} {expression['operator']} {values}".rstrip()
