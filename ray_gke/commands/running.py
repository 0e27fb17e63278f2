"""Bringing up, looking at and ending what runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ray_gke.commands.options import (
    AnyBlueprint,
    AnyRun,
    Assignments,
    Output,
    OutputOption,
    PlatformFile,
    Run,
    RunName,
    Target,
)


def up(
    blueprint: AnyBlueprint = None,
    *,
    on: Annotated[
        Target | None,
        typer.Option("--on", help="Where it runs; the platform's target without it."),
    ] = None,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Do not wait for a job to end.")
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """Bring up a blueprint.

    Waits until its cluster or service is ready, or its job is done. What a job
    writes goes to stdout, progress to stderr.
    """
    from ray_gke import selection
    from ray_gke.errors import RefusedError
    from ray_gke.events import Note
    from ray_gke.reporting import answers
    from ray_gke.targets import local

    choice = selection.choose(file)
    if selection.target(choice, on) != Target.local:
        raise RefusedError(
            "this version brings up on this machine only",
            hint="--on local runs it here; ray-gke plan and render work for GKE",
        )
    selected = selection.select(choice, blueprint, assignments or (), name)
    selection.check(selected, choice)
    answers.warnings(choice.catalogs.warnings)
    with answers.telling(output) as emit:
        for plan in (one.plan for one in selected):
            for text in plan.notes:
                emit(Note(plan.name, text, warning=True))
            local.up(plan, emit, detach=detach)


def down(
    name: AnyRun = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that is up on this machine.")
    ] = False,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """End what is up.

    Workers are drained, every process of the run ends, and nothing else does.
    """
    from ray_gke import selection
    from ray_gke.reporting import answers
    from ray_gke.targets import local

    names = (
        [name]
        if name
        else selection.runs_to_end(
            selection.choose(file), local.names_of_running(), everything=everything
        )
    )
    with answers.telling(output) as emit:
        for one in names:
            local.down(one, emit)


def status(name: AnyRun = None, *, output: OutputOption = Output.text) -> None:
    """Show what is up.

    And how the last jobs ended, until their names are used again.
    """
    from ray_gke.reporting import answers, rows
    from ray_gke.targets import local

    if name:
        answers.run(local.run(name), output)
    else:
        answers.table(local.runs(), output, rows.runs, nothing="nothing is up")


def logs(
    name: Run,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until it ends, or Ctrl-C.")
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """Show what a workload wrote."""
    from ray_gke.reporting import answers
    from ray_gke.targets import local

    with answers.telling(output) as emit:
        for line in local.logs(name, follow=follow):
            emit(line)


def dashboard(name: Run, *, output: OutputOption = Output.text) -> None:
    """Print where Ray's dashboard is.

    With the token that lets this user in.
    """
    from ray_gke.reporting import answers
    from ray_gke.targets import local

    answers.mapping(asdict(local.dashboard(name)), output)
