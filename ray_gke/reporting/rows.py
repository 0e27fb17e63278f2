"""Tables: which columns people see of each kind of answer."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from typing import Any

Rows = list[dict[str, str]]


def entries(values: Sequence[Any]) -> Rows:
    """Return the blueprints: name, what it runs, summary; the catalog if it differs."""
    several = len({entry.catalog for entry in values}) > 1
    return [
        {
            "NAME": entry.name,
            "KIND": entry.kind,
            "SUMMARY": f"(broken: {entry.problem})" if entry.problem else entry.summary,
            **({"CATALOG": entry.catalog} if several else {}),
        }
        for entry in values
    ]


def parameters(values: Sequence[Any]) -> Rows:
    """Return a blueprint's parameters, with their limits."""
    return [
        {
            "PARAMETER": name,
            "TYPE": _type(parameter),
            "DEFAULT": _default(parameter),
            "DESCRIPTION": parameter.description,
        }
        for name, parameter in values
    ]


def _default(parameter: Any) -> str:
    if parameter.default is None:
        return "(must be set)"
    return json.dumps(parameter.default, ensure_ascii=False)


def _type(parameter: Any) -> str:
    if parameter.enum:
        return " | ".join(map(str, parameter.enum))
    limits = [
        f"{sign} {limit}"
        for sign, limit in ((">=", parameter.minimum), ("<=", parameter.maximum))
        if limit is not None
    ]
    return " ".join([parameter.type, *limits])


def runs(values: Sequence[Any]) -> Rows:
    """Return the runs on this machine."""
    return [
        {
            "NAME": run.name,
            "KIND": run.kind,
            "STATUS": run.status,
            "AGE": duration(time.time() - run.since) if run.since else "",
            "WORKERS": str(len(run.workers)),
            "ADDRESS": run.urls.get("service") or run.urls.get("dashboard", ""),
        }
        for run in values
    ]


def facts_of_run(run: Any) -> dict[str, str]:
    """Return one run, a fact a line; `export` lines let other programs connect."""
    facts = {"name": run.name, "kind": run.kind, "status": run.status}
    if run.message:
        facts["message"] = run.message
    facts |= run.urls
    for group in run.groups:
        limits = f"{group.min_replicas} to {group.max_replicas}"
        facts[f"group {group.name}"] = f"{group.alive} of {limits} workers"
    exports = [f"{k}={shlex.quote(v)}" for k, v in run.environment.items()]
    return facts | ({"export": " ".join(exports)} if exports else {})


def duration(seconds: float) -> str:
    """Return a time as people say it: `3.4 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 60:  # noqa: PLR2004 a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left:02} min"
    return f"{minutes} min {rest:02} s"
