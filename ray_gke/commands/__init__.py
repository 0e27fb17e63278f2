"""The commands: one line per stage. What a stage does stands in its own room."""

from __future__ import annotations

from typing import Annotated

import typer

from ray_gke.commands import (
    blueprints,
    doctor,
    documents,
    gpus,
    images,
    plan,
    prices,
    running,
)

# Rich's help takes three times as long to start and wraps badly on narrow terminals.
app = typer.Typer(
    name="ray-gke",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 typer calls it so
    if wanted:
        from ray_gke import __version__

        typer.echo(f"ray-gke {__version__}")
        raise typer.Exit


@app.callback(context_settings={"help_option_names": ["-h", "--help"]})
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say it."),
    ] = False,
) -> None:
    """Ray on Kubernetes from one blueprint: on this machine, on any cluster, on GKE."""


app.command()(running.up)
app.command()(running.down)
app.command()(running.status)
app.command()(running.logs)
app.command()(running.dashboard)
app.command()(running.kubeconfig)
app.command()(running.submit)
app.command()(running.explain)
app.command()(plan.plan)
app.command()(doctor.doctor)
app.command()(gpus.gpus)
app.command()(prices.prices)
app.command()(documents.render)
app.command()(documents.validate)
app.command()(documents.schema)
app.add_typer(blueprints.app, name="blueprints")
app.add_typer(images.app, name="images")
