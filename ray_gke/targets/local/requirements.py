"""Whether this machine can run Ray at all, without importing it."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from ray_gke.errors import RefusedError

_INSTALL = "pip install 'ray-gke[local]'"
# What ray[default] adds to ray, and we need: without it there is no job API.
_WITH_RAY = ("psutil", "aiohttp", "aiohttp_cors", "prometheus_client")


def check(ray_version: str) -> tuple[str, ...]:
    """Return notes for the user about the installed Ray.

    Raises RefusedError when a plan for `ray_version` cannot run here.
    """
    if sys.platform not in ("linux", "darwin"):
        raise RefusedError(
            f"Ray clusters of several nodes do not run on {sys.platform}",
            hint="use Linux, macOS or the Windows Subsystem for Linux",
        )
    installed = _installed()
    if installed == ray_version:
        return ()
    if installed.split(".")[:2] == ray_version.split(".")[:2]:
        return (f"the blueprint says Ray {ray_version}; Ray {installed} is used here",)
    raise RefusedError(
        f"the blueprint needs Ray {ray_version}, but Ray {installed} is installed",
        hint=f"pip install 'ray[default]=={ray_version}', or change spec.ray.version",
    )


def _installed() -> str:
    try:
        found = version("ray")
    except PackageNotFoundError:
        raise RefusedError("Ray is not installed", hint=_INSTALL) from None
    missing = [name for name in _WITH_RAY if find_spec(name) is None]
    if missing:
        raise RefusedError(
            f"Ray is installed without {', '.join(missing)}", hint=_INSTALL
        )
    return found
