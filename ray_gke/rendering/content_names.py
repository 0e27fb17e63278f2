"""Names that follow from what an object holds: those of RayJobs and of files.

KubeRay runs a RayJob once: to run something else means to make another object, and to
apply the same again means to do nothing. Pods keep the files that they began with,
those of a cluster that is being replaced too.

Patches and checks see the plain names; these come last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.rendering import blueprint_files
from ray_gke.rendering.templates import Manifest

_DIGITS = 8
_LONGEST_JOB = 47
"""Source: KubeRay controllers/ray/utils/validation.go."""


def named(objects: Sequence[Manifest], plan: Plan) -> tuple[Manifest, ...]:
    """Return the objects with RayJobs and files under the names of their content."""
    plain = blueprint_files.name(plan)
    files = next((one for one in objects if _is(one, "ConfigMap", plain)), None)
    if files:
        name = f"{plain}-{_digest([files.get('data'), files.get('binaryData')])}"
        objects = [
            _renamed(one, name) if one is files else _referring(one, plain, name)
            for one in objects
        ]
    return tuple(_of_job(one, plan) for one in objects)


def pattern_of_jobs(plan: Plan) -> str:
    """Return a regular expression for the names that RayJobs of the run may have."""
    return f"{_beginning(plan)}-[0-9a-f]{{{_DIGITS}}}"


def _beginning(plan: Plan) -> str:
    return plan.name[: _LONGEST_JOB - _DIGITS - 1]


def _of_job(one: Manifest, plan: Plan) -> Manifest:
    if one["kind"] != "RayJob":
        return one
    # Runs whose long names begin alike must not share an object.
    digest = _digest([plan.name, one["spec"]])
    return _renamed(one, f"{_beginning(plan)}-{digest}")


def _renamed(one: Manifest, name: str) -> Manifest:
    return {**one, "metadata": {**one["metadata"], "name": name}}


def _referring(value: Any, plain: str, name: str) -> Any:
    """Return data in which volumes and environments read the ConfigMap `name`."""
    if isinstance(value, dict):
        return {
            key: {**part, "name": name}
            if key.startswith("configMap")
            and isinstance(part, dict)
            and part.get("name") == plain
            else _referring(part, plain, name)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_referring(part, plain, name) for part in value]
    return value


def _is(one: Manifest, kind: str, name: str) -> bool:
    return (one["kind"], one["metadata"]["name"]) == (kind, name)


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
