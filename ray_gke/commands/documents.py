"""Writing and checking documents, without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    checked_namespace,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ray_gke.rendering.templates import Manifest
    from ray_gke.selection import Choice, Selected


def render(
    blueprint: AnyBlueprint = None,
    *,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            metavar="DIR",
            help="One file per object, and on GKE Terraform's variables; stdout "
            "without it.",
        ),
    ] = None,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    prices: PriceFile = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            metavar="NAMESPACE",
            help="Namespace of every object.",
            callback=checked_namespace,
        ),
    ] = None,
    kuberay_version: KubeRayVersion = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="YAML for people, or JSON.")
    ] = Output.text,
) -> None:
    """Write a blueprint's manifests.

    They are checked against KubeRay's and Kubernetes' schemas; no cluster is needed.
    """
    from ray_gke import selection
    from ray_gke.planning import day_two
    from ray_gke.rendering import documents
    from ray_gke.reporting import answers
    from ray_gke.targets import folder

    choice = selection.choose(file, kuberay_version, prices)
    selected = selection.select(choice, blueprint, assignments or (), name)
    manifests = selection.rendered(selected, choice, namespace)
    variables = _terraform_files(selected, choice, manifests, whole=not blueprint)
    # The cluster that we make on GKE has Managed Prometheus.
    elsewhere = selected if choice.site.target != "gke" else ()
    assumed = filter(None, (day_two.assumed(one.plan.day_two) for one in elsewhere))
    answers.warnings([*choice.catalogs.warnings, *dict.fromkeys(assumed)])
    if output_dir:
        runs = [one.plan.name for one in selected]
        written = folder.write(output_dir, documents.files(manifests), runs)
        if variables:
            # Beside the manifests kubectl would take them for objects.
            written += folder.write(output_dir / "terraform", variables, [])
        answers.paths(written, output)
    elif output is Output.json:
        answers.document(manifests)
    else:
        typer.echo(documents.stream(manifests), nl=False)


def _terraform_files(
    selected: Sequence[Selected],
    choice: Choice,
    manifests: Sequence[Manifest],
    *,
    whole: bool,
) -> dict[str, str]:
    """Return Terraform's variables of a whole platform on GKE, as files by name.

    What its node pools cannot hold is refused in any case.
    """
    from ray_gke import planned
    from ray_gke.rendering import terraform_variables

    if choice.platform is None or choice.site.target != "gke":
        return {}
    capacity = planned.capacity(selected, choice)
    if not whole:
        # With those of one run alone Terraform would delete the others' node pools.
        return {}
    return terraform_variables.files(
        capacity, choice.platform, manifests, choice.kuberay_version
    )


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
