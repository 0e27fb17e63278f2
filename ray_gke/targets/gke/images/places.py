"""Where in Artifact Registry an image is.

Sources: Artifact Registry "Repository and image names", and "Transition to gcr.io
repositories".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ray_gke.gke.image_names import ImageName

_HOST = re.compile(r"(.+)-docker\.pkg\.dev")
_GCR = {"gcr.io": "us", "us.gcr.io": "us", "eu.gcr.io": "europe", "asia.gcr.io": "asia"}


@dataclass(frozen=True)
class Place:
    """A repository of Artifact Registry."""

    project: str
    location: str
    repository: str


def place(name: ImageName) -> Place | None:
    """Return where in Artifact Registry an image is; None elsewhere, or unknown.

    gcr.io is a repository of that name; in names a domain is the part before a project.
    """
    project, _, rest = name.path.partition("/")
    if "." in project:
        inside, _, rest = rest.partition("/")
        project = f"{project}:{inside}"
    if name.host in _GCR:
        return Place(project, _GCR[name.host], name.host)
    match = _HOST.fullmatch(name.host)
    return Place(project, match[1], rest.partition("/")[0]) if match else None


def contains(location: str, region: str) -> bool:
    """Tell whether a location is the region, or the multi-region around it."""
    return location == region or region.startswith(f"{location}-")
