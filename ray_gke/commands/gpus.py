"""What GPUs there are, and what a slot of each costs."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from ray_gke.commands.options import Output, OutputOption, PriceFile


class Isolation(enum.StrEnum):
    """What keeps pods on the same GPU apart."""

    hardware = "hardware"
    software = "software"
    none = "none"


def gpus(
    *,
    accelerator: Annotated[
        str | None, typer.Option(metavar="NAME", help="This accelerator only.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="QUANTITY", help="At least this GPU memory: 10Gi."),
    ] = None,
    isolation: Annotated[
        Isolation,
        typer.Option(help="software: MPS shares too; none: time-sharing too."),
    ] = Isolation.hardware,
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="What this region offers.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="What this zone offers.")
    ] = None,
    spot: Annotated[
        bool, typer.Option("--spot", help="Cheapest as Spot first.")
    ] = False,
    prices: PriceFile = None,
    output: OutputOption = Output.text,
) -> None:
    """List accelerators, slices and shares with the price of a slot.

    A slot carries one pod of 1 CPU and 4 GiB; prices are estimates per hour.
    """
    from ray_gke import looking_for
    from ray_gke.catalog import prices as price_file
    from ray_gke.planning.offers import offers
    from ray_gke.reporting import answers, gpu_rows

    known = price_file.load(prices)
    wanted = looking_for.gpus(
        accelerator=accelerator,
        memory=memory,
        isolation=isolation.value,
        region=region,
        zone=zone,
        spot=spot,
    )
    found = offers(wanted, known)
    answers.table(found, output, gpu_rows.offers, nothing="no such GPUs")
    if output is Output.text:
        answers.notes(gpu_rows.notes(known, found, zone or region))
