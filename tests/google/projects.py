"""The APIs about a project: Resource Manager, Cloud Billing, Service Usage."""

from __future__ import annotations

from tests.google.requests_and_errors import NUMBER, Api, Json, Request, invalid
from tests.google.state import State


def _project(state: State, request: Request, project: str) -> Json:
    return {
        "name": f"projects/{NUMBER}",
        "parent": "organizations/1",
        "projectId": project,
        "state": state.project_state,
        "displayName": project,
        "createTime": "2026-01-05T09:00:00.000Z",
    }


def _permissions(state: State, request: Request, project: str) -> Json:
    asked = request.body.get("permissions", [])
    if len(asked) > 100:
        raise invalid("Too many permissions were asked for: at most 100 are allowed.")
    return {"permissions": [one for one in asked if state.may(one)]}


def _policy(state: State, request: Request, project: str) -> Json:
    bindings = [*state.bindings, *_made(state, project)]
    version = request.body.get("options", {}).get("requestedPolicyVersion", 1)
    return {
        "version": 3 if any("condition" in one for one in bindings) else 1,
        "etag": "BwYf5cEHpRo=",
        "bindings": [one if version == 3 else _old(one) for one in bindings],
    }


def _made(state: State, project: str) -> list[Json]:
    made = state.cloud.objects("google_project_iam_member") if state.cloud else []
    return [
        {"role": one.values["role"], "members": [one.values["member"]]}
        for one in made
        if one.values["project"] == project
    ]


def _old(binding: Json) -> Json:
    """Return what a reader is told who does not know of conditions."""
    if "condition" not in binding:
        return binding
    return {
        "role": f"{binding['role']}_withcond_0123456789abcdef",
        "members": binding["members"],
    }


def _billing(state: State, request: Request, project: str) -> Json:
    account = "billingAccounts/012345-567890-ABCDEF" if state.billing_enabled else ""
    return {
        "name": f"projects/{project}/billingInfo",
        "projectId": project,
        "billingAccountName": account,
        "billingEnabled": state.billing_enabled,
    }


def _services(state: State, request: Request, project: str) -> Json:
    names = request.query.get("names", [])
    if len(names) > 30:
        raise invalid("The number of services in a batch is limited to 30.")
    return {"services": [_service(state, name.rpartition("/")[2]) for name in names]}


def _enabled(state: State, request: Request, project: str) -> Json:
    names = request.body["serviceIds"]
    if len(names) > 20:
        raise invalid("The number of services in a batch is limited to 20.")
    operation = f"operations/acat.p2-{NUMBER}-{len(state.operations)}"
    state.operations[operation] = {
        "name": operation,
        "done": True,
        "response": {
            "@type": "type.googleapis.com/"
            "google.api.serviceusage.v1.BatchEnableServicesResponse",
            "services": [
                _service(state, name) | {"state": "ENABLED"} for name in names
            ],
        },
    }
    state.off -= set(names)
    return {"name": operation}


def _operation(state: State, request: Request, operation: str) -> Json:
    return state.operations[f"operations/{operation}"]


def _service(state: State, name: str) -> Json:
    return {
        "name": f"projects/{NUMBER}/services/{name}",
        "parent": f"projects/{NUMBER}",
        "config": {"name": name},
        "state": "DISABLED" if name in state.off else "ENABLED",
    }


RESOURCE_MANAGER = Api(
    "cloudresourcemanager.googleapis.com",
    "Cloud Resource Manager API",
    {
        "GET /v3/projects/{project}": _project,
        "POST /v3/projects/{project}:testIamPermissions": _permissions,
        "POST /v3/projects/{project}:getIamPolicy": _policy,
    },
)
BILLING = Api(
    "cloudbilling.googleapis.com",
    "Cloud Billing API",
    {"GET /v1/projects/{project}/billingInfo": _billing},
)
SERVICE_USAGE = Api(
    "serviceusage.googleapis.com",
    "Service Usage API",
    {
        "GET /v1/projects/{project}/services:batchGet": _services,
        "POST /v1/projects/{project}/services:batchEnable": _enabled,
        "GET /v1/operations/{operation}": _operation,
    },
)
