"""What will be needed of Google Cloud, before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ray_gke.commands.options import (
    AnyBlueprint,
    Assignments,
    Output,
    OutputOption,
    PlatformFile,
    PriceFile,
    RunName,
)


def plan(
    blueprint: AnyBlueprint = None,
    *,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with pictures besides."),
    ] = None,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    prices: PriceFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Show the node pools, what fits, the quotas and the cost.

    On GKE, before anything is created. Costs are an estimate.
    """
    from ray_gke import planned, selection
    from ray_gke.reporting import answers

    choice = selection.choose(file, prices=prices).on_gke()
    selected = selection.select(choice, blueprint, assignments or (), name)
    selection.check(selected, choice)
    answers.warnings(choice.catalogs.warnings)
    capacity = planned.capacity(selected, choice)
    if html:
        from ray_gke.reporting import plan_page
        from ray_gke.targets import folder

        folder.write_file(html, plan_page.page(capacity))
    if output is Output.json:
        from ray_gke.reporting import plan_schema

        answers.document(plan_schema.document(capacity))
    else:
        from ray_gke.reporting import plan_text

        plan_text.show(capacity)
