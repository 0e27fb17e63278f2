"""Packages of a runtime environment that this machine has already.

On Kubernetes the image of the Ray project lacks what a workload needs, and Ray installs
it; here the packages of ray-gke's own environment are there, and installing them again
would take a network and minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def trimmed(runtime_env: Mapping[str, Any]) -> dict[str, Any]:
    """Return `runtime_env` without `pip` and `uv` when all their packages are here.

    Both are lists of requirements, or mappings with such a list as `packages` (Ray's
    documentation of runtime environments). Anything else is Ray's to judge.
    """
    return {
        key: value
        for key, value in runtime_env.items()
        if key not in ("pip", "uv") or not _all_here(value)
    }


def serve_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Serve config whose applications and deployments are trimmed."""
    applications = [_application(a) for a in config.get("applications", ())]
    return {**config, "applications": applications}


def _application(application: Mapping[str, Any]) -> dict[str, Any]:
    trimmed_one = _with_env_trimmed(application)
    if "deployments" in application:
        trimmed_one["deployments"] = [
            {**d, "ray_actor_options": _with_env_trimmed(d["ray_actor_options"])}
            if "ray_actor_options" in d
            else d
            for d in application["deployments"]
        ]
    return trimmed_one


def _with_env_trimmed(options: Mapping[str, Any]) -> dict[str, Any]:
    if "runtime_env" not in options:
        return dict(options)
    return {**options, "runtime_env": trimmed(options["runtime_env"])}


def _all_here(value: Any) -> bool:
    packages = value.get("packages") if isinstance(value, Mapping) else value
    if not isinstance(packages, list | tuple) or isinstance(packages, str):
        return False
    return all(isinstance(text, str) and _is_here(text) for text in packages)


def _is_here(text: str) -> bool:
    # A dependency of Ray's; imported here because reading a blueprint does without.
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(text)
        if wanted.url or (wanted.marker and not wanted.marker.evaluate()):
            return not wanted.url
        return wanted.specifier.contains(version(wanted.name), prereleases=True)
    except (InvalidRequirement, PackageNotFoundError):
        return False
