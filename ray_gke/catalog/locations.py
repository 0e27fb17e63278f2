"""Where on Google Cloud a platform is: project, region, zones and cluster.

Sources: Google Cloud "Creating and managing projects" (project ids), "Regions and
zones" (names, also of AI zones), GKE "About release channels" and the resource
projects.locations.clusters (names of at most 40 characters).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model, not_empty
from ray_gke.catalog.nearest import nearest
from ray_gke.catalog.quantities import Shape

MAX_CLUSTER_NAME = 40
_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+"
_REGION = "[a-z]+-[a-z]+[0-9]{1,2}"
_AREAS = (
    "africa",
    "asia",
    "australia",
    "europe",
    "me",
    "northamerica",
    "southamerica",
    "us",
)
_SIDES = (
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
)


def _not_a_number(project: object) -> object:
    number = str(project)
    if not isinstance(project, bool) and number.isascii() and number.isdecimal():
        message = f"{number[:20]} is the number of a project, not its id"
        hint = (
            "write the id, such as my-project-1: gcloud projects describe "
            f"{number[:20]} --format='value(projectId)'"
        )
        raise fault(message, hint=hint)
    return project


Project = Annotated[
    str,
    BeforeValidator(_not_a_number),
    Shape(
        rf"({_DOMAIN}:)?[a-z][-a-z0-9]{{4,28}}[a-z0-9]",
        "the project's id, not its number: 6 to 30 small letters, digits and '-', "
        "such as my-project-1",
        most=100,
    ),
]
Region = Annotated[str, Shape(_REGION, "a region such as europe-west4", most=40)]
Zone = Annotated[
    str,
    Shape(
        f"{_REGION}-([a-z]|ai[0-9][a-z])",
        "a zone: the region's name with a letter, such as europe-west4-a",
        most=40,
    ),
]
ClusterName = Annotated[
    str,
    Shape(
        "[a-z]([-a-z0-9]*[a-z0-9])?",
        "small letters, digits and '-', beginning with a letter, such as ray-prod",
        most=MAX_CLUSTER_NAME,
    ),
]


def misspelt(region: str) -> str | None:
    """Return what to do about a region that cannot be one, else None.

    Google opens regions and zones; only the words that a region's name is made of stay
    the same. Whether there is a region of this number Google says.
    """
    area, _, rest = region.partition("-")
    side = rest.rstrip("0123456789")
    if area in _AREAS and side in _SIDES:
        return None
    meant = nearest(area, _AREAS), nearest(side, _SIDES)
    if None in meant:
        return "gcloud compute regions list shows all"
    return f"did you mean '{'-'.join(map(str, meant))}{rest[len(side) :]}'?"


def distinct_texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts if each is there once."""
    for index, text in enumerate(texts):
        if text in texts[:index]:
            raise fault(
                f"{text[:100]} is given twice", hint="give each once", at=(index,)
            )
    return texts


Zones = Annotated[
    tuple[Zone, ...], AfterValidator(not_empty), AfterValidator(distinct_texts)
]


class Cluster(Model):
    """The GKE cluster."""

    name: ClusterName | None = Field(
        default=None, description="Name of the cluster; the platform's without"
    )
    location: Literal["regional", "zonal"] = Field(
        default="regional",
        description="Control plane in all zones of the region, or in one",
    )
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = Field(
        default="REGULAR", description="Release channel, which brings new versions"
    )
    version: (
        Annotated[
            str,
            Shape(
                r"1\.[0-9]{1,3}(\.[0-9]{1,4}(-gke\.[0-9]{1,9})?)?",
                "a version of GKE such as 1.34 or 1.34.1-gke.1000",
                most=30,
            ),
        ]
        | None
    ) = Field(default=None, description="Version of GKE; the channel's without")
    deletion_protection: bool = Field(
        default=True,
        description="Whether the cluster is refused to be deleted; false for one that "
        "comes and goes",
    )
    ray_operator: bool = Field(
        default=False,
        description="GKE's own Ray operator, of a version that GKE chooses, instead of "
        "KubeRay's chart",
    )
