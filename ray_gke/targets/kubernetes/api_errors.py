"""What can come of a request to the API server besides an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ray_gke.errors import FailedError, RayGkeError, RefusedError
from ray_gke.targets.kubernetes.client import Client


class ApiError(FailedError):
    """The API server said no; `code`, `reason` and `causes` are those of its Status."""

    def __init__(self, what: str, code: int, status: Mapping[str, Any]) -> None:
        """`what` was asked; `status` is the Status object that came back."""
        self.code = code
        self.reason = str(status.get("reason", ""))
        self.said = str(status.get("message") or f"HTTP {code}")
        details = status.get("details") or {}
        self.causes: tuple[Mapping[str, str], ...] = tuple(details.get("causes") or ())
        super().__init__(f"{what}: {self.said}")


class NotAllowedError(RefusedError):
    """The user of the context may not do this."""


class UnreachableError(FailedError):
    """The API server does not answer, for as long as we are patient."""


class StreamEnded(Exception):
    """A stream broke off; what it is about may still go on."""


def refusal(client: Client, what: str, code: int, answer: bytes) -> RayGkeError:
    """Return what an answer means that is no success."""
    status = _status(answer)
    said = str(status.get("message", ""))
    if code == HTTPStatus.UNAUTHORIZED:
        return NotAllowedError(
            f"the credentials of context {client.context} are not accepted",
            hint="log in again, or choose another with --context",
        )
    if code == HTTPStatus.FORBIDDEN and "is forbidden: User" in said:
        return NotAllowedError(
            f"{what}: {said}",
            hint="ask an administrator of the cluster for this permission",
        )
    return ApiError(what, code, status)


def unreachable(client: Client, error: Exception | str) -> UnreachableError:
    """Return that there was no answer, and why."""
    reason = " ".join(str(getattr(error, "reason", error)).split())
    return UnreachableError(
        f"the API server of context {client.context} ({client.server}) "
        f"does not answer: {reason}",
        hint="check the network, or choose another with --context; "
        "then run the same command again: it goes on where it stopped",
    )


def _status(answer: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    text = answer.decode(errors="replace").strip()
    return found if isinstance(found, dict) else {"message": text[:500]}
