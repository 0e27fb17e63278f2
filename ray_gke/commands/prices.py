"""The price file: to read, to edit, to bring up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from ray_gke.commands.options import PlatformFile, PriceFile


def prices(
    *,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Fetch today's from the Cloud Billing catalog."),
    ] = False,
    region: Annotated[
        str | None,
        typer.Option(metavar="REGION", help="With --refresh; us-central1 without it."),
    ] = None,
    file: PlatformFile = None,
    prices: PriceFile = None,
) -> None:
    """Print the price file in use, to be kept and edited.

    --refresh wants GOOGLE_API_KEY, or GOOGLE_OAUTH_ACCESS_TOKEN.
    """
    from ray_gke import price_refresh, selection
    from ray_gke.catalog import prices as price_file
    from ray_gke.errors import UsageError
    from ray_gke.reporting import answers

    choice = selection.choose(file, prices=prices)
    if refresh:
        wanted = region or choice.site.region
        fresh, notes = price_refresh.refresh(wanted, price_file.load())
        answers.notes(notes)
        typer.echo(price_file.written(fresh), nl=False)
    elif region:
        hint = "add --refresh: a price file is of one region"
        raise UsageError("--region does nothing without --refresh", hint=hint)
    else:
        platform = choice.platform
        path = prices or (platform.prices if platform else None)
        typer.echo(price_file.text(path), nl=False)
