"""The catalog and its verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ray_gke.commands.options import (
    Blueprint,
    Output,
    OutputOption,
    PlatformFile,
    Workload,
)

app = typer.Typer(
    help="List, show, write and test blueprints.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(*, file: PlatformFile = None, output: OutputOption = Output.text) -> None:
    """List what the catalogs hold."""
    from ray_gke import selection
    from ray_gke.reporting import answers, rows

    catalogs = selection.choose(file).catalogs
    entries = catalogs.entries()
    answers.warnings(catalogs.warnings)
    answers.table(entries, output, rows.entries, nothing="no blueprints")


@app.command()
def show(
    blueprint: Blueprint,
    *,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Show a blueprint and its parameters."""
    from ray_gke import descriptions, selection
    from ray_gke.reporting import answers

    described = descriptions.described(selection.choose(file), blueprint)
    answers.blueprint(described, output)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the blueprint.")],
    *,
    kind: Annotated[Workload, typer.Option(help="What it runs.")] = Workload.job,
    into: Annotated[
        Path, typer.Option(metavar="DIR", help="Catalog folder to put it in.")
    ] = Path(),
    output: OutputOption = Output.text,
) -> None:
    """Write a blueprint to start from."""
    from ray_gke.catalog import scaffold
    from ray_gke.reporting import answers

    answers.paths(scaffold.new(into, name, kind.value), output)


@app.command()
def test(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Blueprints to test; all without."),
    ] = None,
    *,
    file: PlatformFile = None,
) -> None:
    """Run blueprints by their own tests.

    For real, on this machine.
    """
    from ray_gke import selection
    from ray_gke.targets import blueprint_tests

    blueprint_tests.run(selection.folders(selection.choose(file), names or []))
