"""Artifact Registry's API: repositories."""

from __future__ import annotations

from tests.google.requests_and_errors import Api, Json, Request, page
from tests.google.state import State


def _listed(state: State, request: Request, project: str, location: str) -> Json:
    every = state.things("repositories", project)
    found = [one.told for one in every if one.place == location]
    some, more = page(found, request, min(1000, state.page_size), "pageSize")
    return {"repositories": some, **more}


API = Api(
    "artifactregistry.googleapis.com",
    "Artifact Registry API",
    {"GET /v1/projects/{project}/locations/{location}/repositories": _listed},
)
