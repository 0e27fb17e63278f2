"""Writing and checking documents, without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ray_gke.commands.options import (
    AnyBlueprint,
    Assignments,
    Document,
    KubeRayVersion,
    Output,
    OutputOption,
    PlatformFile,
    PriceFile,
    RunName,
    ValidateFormat,
)


def render(
    blueprint: AnyBlueprint = None,
    *,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            metavar="DIR",
            help="One file per object; stdout without it.",
        ),
    ] = None,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    prices: PriceFile = None,
    namespace: Annotated[
        str | None, typer.Option(metavar="NAMESPACE", help="Namespace of every object.")
    ] = None,
    kuberay_version: KubeRayVersion = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="YAML for people, or JSON.")
    ] = Output.text,
) -> None:
    """Write a blueprint's manifests.

    They are checked against KubeRay's and Kubernetes' schemas; no cluster is needed.
    """
    from ray_gke import planned, selection
    from ray_gke.planning import day_two
    from ray_gke.rendering import documents
    from ray_gke.reporting import answers
    from ray_gke.targets import folder

    choice = selection.choose(file, kuberay_version, prices)
    selected = selection.select(choice, blueprint, assignments or (), name)
    manifests = selection.rendered(selected, choice, namespace)
    if choice.site.target == "gke":
        # What the node pools cannot hold is refused here too.
        planned.capacity(selected, choice)
    assumed = filter(None, (day_two.assumed(one.plan.day_two) for one in selected))
    answers.warnings([*choice.catalogs.warnings, *dict.fromkeys(assumed)])
    if output_dir:
        runs = [one.plan.name for one in selected]
        written = folder.write(output_dir, documents.files(manifests), runs)
        answers.paths(written, output)
    elif output is Output.json:
        answers.document(manifests)
    else:
        typer.echo(documents.stream(manifests), nl=False)


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Blueprints, platform files, or folders of them; this folder without.",
        ),
    ] = None,
    *,
    kuberay_version: KubeRayVersion = None,
    annotations: Annotated[
        ValidateFormat,
        typer.Option("--format", help="github: annotations for a pull request."),
    ] = ValidateFormat.text,
    output: OutputOption = Output.text,
) -> None:
    """Check blueprints and platform files.

    Every mistake is shown with its file, line and key; nothing is run. A warning says
    what weakens the logs, metrics, eviction or security that are the default.
    """
    from ray_gke import validation
    from ray_gke.errors import InvalidError
    from ray_gke.reporting import answers

    found = validation.validate(paths or [Path()], kuberay_version)
    if not answers.findings(found, output, annotations):
        raise typer.Exit(InvalidError.exit_code)


def schema(
    document: Annotated[Document, typer.Argument(help="Which document.")],
) -> None:
    """Print a JSON Schema, for editors."""
    from ray_gke.catalog import schema as schemas
    from ray_gke.reporting import answers

    match document:
        case Document.blueprint:
            answers.document(schemas.blueprint())
        case Document.platform:
            answers.document(schemas.platform())
        case Document.plan:
            from ray_gke.reporting import plan_schema

            answers.document(plan_schema.schema())
