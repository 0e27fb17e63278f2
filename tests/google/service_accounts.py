"""IAM's API: service accounts."""

from __future__ import annotations

from tests.google.requests_and_errors import Api, Json, Request, refused
from tests.google.state import State
from tests.google.things import Thing


def _got(state: State, request: Request, project: str, account: str) -> Json:
    return _one(state, project, account).told


def _deleted(state: State, request: Request, project: str, account: str) -> Json:
    state.remove(_one(state, project, account))
    return {}


def _one(state: State, project: str, account: str) -> Thing:
    for one in state.things("serviceAccounts", project):
        if account in {one.told["email"], one.told["uniqueId"]}:
            return one
    raise refused(404, f"Unknown service account: {account}")


_ONE = "/v1/projects/{project}/serviceAccounts/{account}"

API = Api(
    "iam.googleapis.com",
    "Identity and Access Management (IAM) API",
    {f"GET {_ONE}": _got, f"DELETE {_ONE}": _deleted},
)
