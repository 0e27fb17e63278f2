"""Container images: the registry next to the cluster, and whether it can stream."""

from __future__ import annotations

import typer

from ray_gke.commands import image_check, image_mirror

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Container images next to the cluster.",
)
app.command()(image_mirror.mirror)
app.command()(image_check.check)
