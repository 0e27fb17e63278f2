"""Teams that share a platform, and what is the same for all of a team's blueprints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ray_gke.catalog.model import Model
from ray_gke.catalog.parameters import ParameterValue
from ray_gke.catalog.quantities import Shape

Namespace = Annotated[
    str,
    Shape(
        "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        "small letters, digits and '-', such as team-vision",
        most=63,
    ),
]
"""A DNS-1123 label, which Kubernetes asks of the names of namespaces."""


class Team(Model):
    """What is the same for all blueprints of a team."""

    namespace: Namespace | None = Field(
        default=None, description="Namespace of its blueprints; the team's name without"
    )
    set: dict[str, ParameterValue] = Field(
        default={},
        description="Values of parameters, for those of its blueprints that have them",
    )
