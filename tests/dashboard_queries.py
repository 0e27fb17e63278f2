"""What Ray's dashboards ask Prometheus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ray_gke.rendering import monitoring

_VARIABLE = re.compile(r"\$\{?(\w+)(:\w+)?\}?")
_TIMES = {"__range", "__rate_interval", "interval", "window"}
"""Variables of Grafana and of the dashboards that stand for a duration."""


def of_panels(name: str) -> list[str]:
    """Return the queries of a dashboard's panels, for all that can be chosen."""
    dashboard = json.loads(monitoring.dashboard_text(name))
    return [_filled(query) for query in _panels(dashboard)]


def of_choices(name: str) -> list[str]:
    """Return the queries by which a dashboard finds what can be chosen at its top."""
    variables = json.loads(monitoring.dashboard_text(name))["templating"]["list"]
    asking = (v for v in variables if v["type"] == "query")
    return [_filled(_inner(v["query"]["query"])) for v in asking]


def _panels(dashboard: Any) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
        yield from _panels({"panels": panel.get("panels", [])})


def _inner(query: str) -> str:
    """Return the PromQL in `label_values(QUERY, LABEL)` or `query_result(QUERY)`."""
    found = re.fullmatch(r"label_values\((.*), ?\w+\)|query_result\((.*)\)", query)
    assert found, query
    return found[1] or found[2]


def _filled(query: str) -> str:
    return _VARIABLE.sub(lambda v: "5m" if v[1] in _TIMES else ".*", query)
