"""Answers of registries as errors: which image, which registry, what to do next.

Source: OCI distribution specification, "Error Codes".
"""

from __future__ import annotations

import json
from http import HTTPStatus

from ray_gke.errors import FailedError, RayGkeError, RefusedError
from ray_gke.gke.image_names import ImageName
from ray_gke.gke.image_registry import is_googles
from ray_gke.targets.registry.connections import Answer

_LONGEST = 300
_AGAIN = "run the command again; what has been copied is not copied again"


def refusal(name: ImageName, answer: Answer, doing: str, login: str) -> RayGkeError:
    """Return the error for an answer to who was `doing`: read, or write.

    `login` tells how to log in there.
    """
    what = f"{name}: the registry {name.host}"
    said = f"({answer.status}){_said(answer.body)}"
    match answer.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            message = f"{what} does not let us {doing} {name.path} {said}"
            return RefusedError(message, hint=login)
        case HTTPStatus.NOT_FOUND if doing == "write":
            message = f"{what} has no repository for {name.path} {said}"
            return RefusedError(message, hint=_make(name))
        case HTTPStatus.NOT_FOUND:
            return missing(name)
        case HTTPStatus.TOO_MANY_REQUESTS:
            message = f"{what} has had too many requests {said}"
            return FailedError(message, hint=f"wait, or {login}")
    return FailedError(f"{what} answered {said} when we {doing}", hint=_AGAIN)


def missing(name: ImageName) -> RefusedError:
    """Return the error for an image that is not there."""
    return RefusedError(
        f"{name}: the registry {name.host} has no such image",
        hint="check its name and its tag, or whether it was deleted",
    )


def wrong_digest(name: ImageName, digest: str, kind: str = "digest") -> FailedError:
    """Return the error for contents that are not those of their digest, or size."""
    return FailedError(
        f"{name}: the registry {name.host} gave contents of another {kind} than "
        f"{digest} has",
        hint="the image was not copied; a proxy or the registry itself is broken",
    )


def _make(name: ImageName) -> str:
    if not is_googles(name.host):
        return "make it, or name another with --to"
    location = name.host.partition("-docker.pkg.dev")[0]
    project, _, rest = name.path.partition("/")
    repository = rest.partition("/")[0]
    return (
        "ray-gke up makes the platform's; or gcloud artifacts repositories create "
        f"{repository} --repository-format docker --location {location} "
        f"--project {project}"
    )


def _said(body: bytes) -> str:
    """Return what a registry says about it, on one line and fit for a terminal."""
    try:
        error = json.loads(body)["errors"][0]
        text = ": ".join(str(error[k]) for k in ("code", "message") if error.get(k))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f": {line[:_LONGEST]}" if line else ""
