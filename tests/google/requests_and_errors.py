"""What is asked, and Google's ways to say no (google.rpc.Status in JSON)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

Json = dict[str, Any]
One = TypeVar("One")
NUMBER = "415104041262"
"""The number of the project."""

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_PASSING = {
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
    504: "Deadline expired before operation could complete.",
}
_HTML = """\
<!DOCTYPE html>
<html lang=en>
  <title>Error 502 (Server Error)!!1</title>
  <p><b>502.</b> <ins>That is an error.</ins>
  <p>The server encountered a temporary error and could not complete your request.
"""


class Request(NamedTuple):
    """Something that was asked; `path` is without the query.

    `quota_project` is the project whose quota it is to count against, if one is named.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    body: Json
    quota_project: str = ""

    def first(self, name: str) -> str:
        """Return a parameter of the query, or nothing."""
        return self.query.get(name, [""])[0]


@dataclass(frozen=True)
class Api:
    """One of Google's APIs: a name, a title, and what answers which request.

    Keys of `routes` are such as `GET /v3/projects/{project}`; the words in braces are
    given to what answers, by name.
    """

    name: str
    title: str
    routes: dict[str, Callable[..., Json]]

    def answering(
        self, request: Request
    ) -> tuple[Callable[..., Json], dict[str, str]] | None:
        """Return what answers a request, and the words of its path."""
        for route, answer in self.routes.items():
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(route))
            if found := re.fullmatch(pattern, f"{request.method} {request.path}"):
                return answer, found.groupdict()
        return None


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: Json | str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def refused(  # noqa: PLR0913, PLR0917 - an error of Google's has these parts
    status: int,
    message: str,
    reason: str = "",
    domain: str = "googleapis.com",
    metadata: Json | None = None,
    old: Json | None = None,
) -> Refused:
    """Return an error with google.rpc.ErrorInfo, and `errors` as old APIs have them."""
    error: Json = {"code": status, "message": message, "status": _STATUS[status]}
    if reason:
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason,
                "domain": domain,
                "metadata": metadata or {},
            }
        ]
    if old:
        error["errors"] = [{"message": message, "domain": "global", **old}]
    return Refused(status, {"error": error})


def api_off(api: Api, consumer: str = NUMBER) -> Refused:
    """A project has not turned an API on: ours, or another whose quota is used."""
    url = f"https://console.developers.google.com/apis/api/{api.name}/overview"
    return refused(
        403,
        f"{api.title} has not been used in project {consumer} before or it is "
        f"disabled. Enable it by visiting {url}?project={consumer} then retry. If you "
        "enabled this API recently, wait a few minutes for the action to propagate to "
        "our systems and retry.",
        "SERVICE_DISABLED",
        metadata={
            "service": api.name,
            "consumer": f"projects/{consumer}",
            "serviceTitle": api.title,
            "containerInfo": consumer,
            "activationUrl": f"{url}?project={consumer}",
        },
        old={"domain": "usageLimits", "reason": "accessNotConfigured"},
    )


def may_not_count(project: str, api: Api) -> Refused:
    """Whoever asks may not use a project's quota; an old API tells it in words only."""
    return refused(
        403,
        f"Caller does not have required permission to use project {project}. Grant the "
        "caller the roles/serviceusage.serviceUsageConsumer role, or a custom role "
        "with the serviceusage.services.use permission.",
        "" if api.name == "compute.googleapis.com" else "USER_PROJECT_DENIED",
        metadata={"consumer": f"projects/{project}"},
        old={"reason": "forbidden"},
    )


def denied(request: Request) -> Refused:
    """Whoever asks may not, or what is asked for is not there."""
    resource = re.sub(r"^/(compute/)?v\d/|:\w+$", "", request.path)
    return refused(
        403,
        f"Permission denied on resource '{resource}' (or it may not exist).",
        "IAM_PERMISSION_DENIED",
        "iam.googleapis.com",
        {"resource": resource},
        {"reason": "forbidden"},
    )


def missing(resource: str) -> Refused:
    """Somebody who may read a project is told that something is not in it."""
    message = f"The resource '{resource}' was not found"
    return refused(404, message, old={"reason": "notFound"})


def invalid(message: str) -> Refused:
    """What was asked makes no sense."""
    return refused(400, message, old={"reason": "invalid"})


def passing(status: int, api: Api) -> Refused:
    """Return an error that may be gone at the next try."""
    if status == HTTPStatus.BAD_GATEWAY:
        return Refused(status, _HTML)
    if status != HTTPStatus.TOO_MANY_REQUESTS:
        return refused(status, _PASSING[status], old={"reason": "backendError"})
    return refused(
        status,
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per "
        f"minute' of service '{api.name}' for consumer 'project_number:{NUMBER}'.",
        "RATE_LIMIT_EXCEEDED",
        metadata={"service": api.name, "consumer": f"projects/{NUMBER}"},
    )


def page(
    found: Sequence[One], request: Request, size: int, name: str
) -> tuple[Sequence[One], Json]:
    """Return what is on a page, and the token of the next one where there is one.

    A page has `size` items, or as many as are asked for by the parameter `name`.
    """
    start = int(base64.urlsafe_b64decode(request.first("pageToken") or b"MA=="))
    end = start + min(size, int(request.first(name) or size))
    if end >= len(found):
        return found[start:], {}
    token = base64.urlsafe_b64encode(str(end).encode()).decode()
    return found[start:end], {"nextPageToken": token}
