"""Teams that share a platform, and what is the same for all of a team's blueprints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ray_gke.catalog.model import Model
from ray_gke.catalog.parameters import ParameterValue
from ray_gke.catalog.quantities import Shape
from ray_gke.catalog.quotas import Quota

Namespace = Annotated[
    str,
    Shape(
        "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        "small letters, digits and '-', such as team-vision",
        most=63,
    ),
]
"""A DNS-1123 label, which Kubernetes asks of the names of namespaces."""


def is_of_kubernetes(namespace: str) -> bool:
    """Tell whether a namespace is there without being made."""
    return namespace == "default" or namespace.startswith("kube-")


class Team(Model):
    """What is the same for all blueprints of a team."""

    namespace: Namespace | None = Field(
        default=None, description="Namespace of its blueprints; the team's name without"
    )
    set: dict[str, ParameterValue] = Field(
        default={},
        description="Values of parameters, for those of its blueprints that have them",
    )
    quota: Quota = Field(
        default={},
        description="What all pods of its namespace may ask for together, such as "
        "requests.nvidia.com/gpu: 8",
    )
