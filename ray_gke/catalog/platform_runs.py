"""What runs on a platform: blueprints, and the KubeRay that their objects are for."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ray_gke import versions
from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model
from ray_gke.catalog.parameters import ParameterValue
from ray_gke.catalog.quantities import Name
from ray_gke.catalog.teams import Namespace


def _known_kuberay(version: str) -> str:
    if version not in versions.KUBERAY_VERSIONS:
        message = f"KubeRay {version[:20]} is not known"
        raise fault(message, hint=f"use {' or '.join(versions.KUBERAY_VERSIONS)}")
    return version


class KubeRay(Model):
    """Which KubeRay the rendered objects are for, and Terraform installs on GKE.

    Both are GKE's to say where it runs its own (`cluster.ray_operator`): its version
    comes with that of GKE, and changes with it. What is rendered before the cluster is
    there is for the oldest version that we know, whose fields all newer ones have.
    """

    version: Annotated[str, AfterValidator(_known_kuberay)] | None = Field(
        default=None, description=f"One of {', '.join(versions.KUBERAY_VERSIONS)}"
    )
    namespace: Namespace | None = Field(
        default=None,
        description="Where its operator runs; kuberay-system without it",
    )


class Run(Model):
    """A blueprint that runs on the platform."""

    blueprint: str = Field(min_length=1, description="Its name in a catalog, or a path")
    name: Name | None = Field(
        default=None, description="Name of the run; the blueprint's without"
    )
    team: str | None = Field(default=None, description="Whose it is: one of teams")
    namespace: Namespace | None = Field(
        default=None, description="Its namespace; the team's without"
    )
    set: dict[str, ParameterValue] = Field(
        default={}, description="Values of its parameters"
    )


def distinct(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Return the runs if each has its own name: on the platform, not in a namespace.

    Commands name a run, and its node pools are the whole cluster's.
    """
    names = [run.name or run.blueprint for run in runs]
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"two runs are called {name!r}"
            at = (index, "name" if runs[index].name else "blueprint")
            raise fault(message, hint="give each its own name", at=at)
    return runs
