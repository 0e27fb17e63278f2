"""A project: whether it is there and paid for, what is on in it, who may do what."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from ray_gke.targets.google.answers import Project, ServiceAccount, Unread
from ray_gke.targets.google.calls import ONCE, ask, done, find
from ray_gke.targets.google.connections import Connections

_AT_ONCE = 20
"""Services in one request: of 30 that may be read, and 20 that may be enabled."""

_PERMISSIONS_AT_ONCE = 100
_ENABLING = 600.0


def project(to: Connections) -> Project | Unread | None:
    """Return the project. Google denies what is not there, more often than not."""

    def question() -> Project:
        with to.projects() as client:
            found = client.get_project(name=f"projects/{to.project}", **ONCE)
        return Project(
            found.project_id,
            found.name.rpartition("/")[2],
            active=found.state.name == "ACTIVE",
        )

    return find(question)


def billing_enabled(to: Connections) -> bool | Unread:
    """Tell whether an account pays for the project."""

    def question() -> bool:
        with to.billing() as client:
            name = f"projects/{to.project}"
            found = client.get_project_billing_info(name=name, **ONCE)
        return bool(found.billing_enabled)

    return ask(question)


def enabled_apis(to: Connections, names: Collection[str]) -> frozenset[str] | Unread:
    """Return which of the APIs the project has turned on."""
    parent = f"projects/{to.project}"

    def question() -> frozenset[str]:
        with to.service_usage() as client:
            found = [
                service
                for some in _parts(names, _AT_ONCE)
                for service in client.batch_get_services(
                    request={
                        "parent": parent,
                        "names": [f"{parent}/services/{name}" for name in some],
                    },
                    **ONCE,
                ).services
            ]
        return frozenset(
            service.name.rpartition("/")[2]
            for service in found
            if service.state.name == "ENABLED"
        )

    return ask(question)


def enable_apis(to: Connections, names: Collection[str]) -> None:
    """Turn the APIs on, and wait for it. Raises FailedError."""
    for some in _parts(names, _AT_ONCE):
        what = f"{', '.join(some)} cannot be turned on in {to.project}"
        done(what, ask(partial(_enable, to, some)))


def _enable(to: Connections, names: list[str]) -> None:
    with to.service_usage() as client:
        operation = client.batch_enable_services(
            request={"parent": f"projects/{to.project}", "service_ids": names}, **ONCE
        )
        operation.result(timeout=_ENABLING)


def granted(to: Connections, permissions: Collection[str]) -> frozenset[str] | Unread:
    """Return which of the permissions whoever runs us has on the project."""

    def question() -> frozenset[str]:
        with to.projects() as client:
            return frozenset(
                permission
                for some in _parts(permissions, _PERMISSIONS_AT_ONCE)
                for permission in client.test_iam_permissions(
                    resource=f"projects/{to.project}", permissions=some, **ONCE
                ).permissions
            )

    return ask(question)


def project_roles(to: Connections, member: str) -> frozenset[str] | Unread:
    """Return the roles of a member on the project, without those under a condition."""

    def question() -> frozenset[str]:
        # Before version 3, a condition is left out and the role's name changed.
        request = {
            "resource": f"projects/{to.project}",
            "options": {"requested_policy_version": 3},
        }
        with to.projects() as client:
            policy = client.get_iam_policy(request=request, **ONCE)
        return frozenset(
            binding.role
            for binding in policy.bindings
            if member in binding.members and not binding.HasField("condition")
        )

    return ask(question)


def service_account(to: Connections, email: str) -> ServiceAccount | Unread | None:
    """Return a service account of the project."""

    def question() -> ServiceAccount:
        found = to.iam("GET", f"projects/{to.project}/serviceAccounts/{email}")
        return ServiceAccount(
            found["email"],
            found["uniqueId"],
            found.get("displayName", ""),
            found.get("description", ""),
        )

    return find(question)


def delete_service_account(to: Connections, account: ServiceAccount) -> None:
    """Delete this one, and no other that has its name. Raises FailedError."""
    path = f"projects/{to.project}/serviceAccounts/{account.unique_id}"
    done(
        f"service account {account.email} cannot be deleted",
        find(partial(to.iam, "DELETE", path)),
    )


def _parts(names: Collection[str], size: int) -> Iterator[list[str]]:
    ordered = sorted(names)
    return (ordered[i : i + size] for i in range(0, len(ordered), size))
