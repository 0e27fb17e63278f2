"""Options and arguments that several commands share."""

from __future__ import annotations

import enum
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
Run = Annotated[str, typer.Argument(metavar="NAME", help="Name of what is up.")]
AnyRun = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Name of what is up.")
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
