"""Options and arguments that several commands share."""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Annotated

import typer


class Target(enum.StrEnum):
    """Where a blueprint runs."""

    local = "local"
    kubernetes = "kubernetes"
    gke = "gke"


class Output(enum.StrEnum):
    """How an answer is written."""

    text = "text"
    json = "json"


def checked_namespace(value: str | None) -> str | None:
    """Return the name of a namespace; raises UsageError for one that none has."""
    pattern = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
    return _checked(value, pattern, "--namespace", "namespace", "")


def _run(value: str | None) -> str | None:
    pattern = "[a-z]([-a-z0-9]*[a-z0-9])?"
    return _checked(value, pattern, "NAME", "run", ", and begin with a letter")


def _checked(
    value: str | None, pattern: str, where: str, what: str, also: str
) -> str | None:
    """Return a name, which becomes part of URLs and selectors; raises UsageError."""
    if value is None or re.fullmatch(pattern, value):
        return value
    from ray_gke.errors import UsageError

    raise UsageError(
        f"{where}: {value!r} is not a name of a {what}",
        hint=f"use lower-case letters, digits and hyphens{also}",
    )


class ValidateFormat(enum.StrEnum):
    """How the findings of `validate` are written."""

    text = "text"
    github = "github"


class Document(enum.StrEnum):
    """What `schema` describes."""

    blueprint = "blueprint"
    platform = "platform"
    plan = "plan"


class Workload(enum.StrEnum):
    """What a new blueprint runs."""

    cluster = "cluster"
    job = "job"
    service = "service"


Blueprint = Annotated[
    str, typer.Argument(metavar="BLUEPRINT", help="Name in a catalog, or a folder.")
]
AnyBlueprint = Annotated[
    str | None,
    typer.Argument(
        metavar="BLUEPRINT",
        help="Name in a catalog, or a folder; everything on the platform without it.",
    ),
]
Run = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of what is up.", callback=_run)
]
AnyRun = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Name of what is up.", callback=_run),
]
On = Annotated[
    Target | None,
    typer.Option("--on", help="Where it runs; the platform's target without it."),
]
Context = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="CONTEXT",
        help="Context of the kubeconfig; the current one without it.",
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAMESPACE",
        callback=checked_namespace,
        help="Namespace in the cluster; the platform's, or the context's, without it.",
    ),
]
PlatformFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Platform file; ray-gke.yaml if it is here.",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Set a parameter; may be repeated."
    ),
]
RunName = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="Name of the run; the blueprint's by default."
    ),
]
PriceFile = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Price file; the platform's, or ours, without it.",
    ),
]
KubeRayVersion = Annotated[
    str | None, typer.Option(metavar="X.Y.Z", help="The cluster's KubeRay.")
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="For people, or for programs.")
]
