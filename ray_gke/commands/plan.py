"""What will be done, before anything is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ray_gke.commands.options import (
    AnyBlueprint,
    Assignments,
    Context,
    Namespace,
    Output,
    OutputOption,
    PlatformFile,
    PriceFile,
    RunName,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ray_gke.commands.on_gke import Pending, Whole
    from ray_gke.commands.plan_files import PlanFiles
    from ray_gke.selection import Choice, Selected
    from ray_gke.targets.kubernetes.changes import RunChanges

CHANGES_PENDING = 5


def plan(
    blueprint: AnyBlueprint = None,
    *,
    on: Annotated[
        Target | None,
        typer.Option(
            "--on", help="kubernetes: what would change in a cluster; GKE without it."
        ),
    ] = None,
    context: Context = None,
    namespace: Namespace = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with pictures besides."),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a summary for a pull request."),
    ] = None,
    compare_to: Annotated[
        Path | None,
        typer.Option(
            "--compare-to",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="With --markdown: the cost before, as --output json wrote it.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Save the plan for `up --plan`, without any secret."
        ),
    ] = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode", help="Exit with 5 when a cluster would change."
        ),
    ] = False,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    prices: PriceFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Show the node pools, what fits, the quotas and the cost.

    On GKE, before anything is created; once the platform is up also what `up` would
    change there, and what others have changed. Costs are an estimate. With --on
    kubernetes it is what `up` would create, change and remove in a cluster.
    """
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.commands.plan_files import PlanFiles
    from ray_gke.reporting import answers

    files = PlanFiles(html, markdown, compare_to, out)
    files.check({"BLUEPRINT": blueprint, "--set": assignments, "--name": name})
    choice = selection.choose(file, prices=prices)
    if targets.is_live(choice, on, context, namespace):
        files.check_for_cluster(choice, namespace)
        where = targets.cluster(context, namespace)
        choice = targets.on_cluster(choice, where)
        selected = selection.select(choice, blueprint, assignments or (), name)
        wanted = targets.wanted(selected, choice, where, namespace)
        answers.warnings([*choice.catalogs.warnings, *targets.notes(selected)])
        changes = where.changes(wanted, rerun=False)
        files.save_for_cluster(choice, changes)
        if _changes(changes, output) and detailed_exitcode:
            raise typer.Exit(CHANGES_PENDING)
        return
    if choice.platform is None or choice.platform.spec.target != Target.gke:
        files.check_without_platform()
        choice = choice.on_gke()
        selected = selection.select(choice, blueprint, assignments or (), name)
        _capacity(selected, choice, None, files, output)
        return
    from ray_gke.commands import on_gke

    whole, selected = on_gke.chosen(choice, blueprint, assignments or (), name)
    must = detailed_exitcode or out is not None
    found = _pending(whole, selected, namespace, must=must, begin=out is not None)
    files.save(whole, found)
    _capacity(selected, whole.choice, found, files, output)
    if detailed_exitcode and (found is None or found.todo):
        raise typer.Exit(CHANGES_PENDING)


def _pending(
    whole: Whole,
    selected: Sequence[Selected],
    namespace: str | None,
    *,
    must: bool,
    begin: bool,
) -> Pending | None:
    """Return what would change where the platform is up, or, to `begin`, anyhow.

    Whoever cannot look there, and must not, still sees the plan.
    """
    from ray_gke.commands import on_gke
    from ray_gke.errors import FailedError, RefusedError
    from ray_gke.reporting import answers

    try:
        return on_gke.pending(whole, selected, namespace, answers.note, begin=begin)
    except (FailedError, RefusedError) as error:
        if must:
            raise
        said = "; ".join(problem.message for problem in error.problems)
        answers.warnings([f"what would change in Google Cloud is not known: {said}"])
        return None


def _changes(found: Sequence[RunChanges], output: str) -> bool:
    """Print what would change in a cluster; tell whether anything would."""
    from ray_gke.reporting import answers, change_text

    if output == Output.json:
        answers.document(change_text.document(found))
    else:
        change_text.show(found)
    return any(run.todo for run in found)


def _capacity(
    selected: Sequence[Selected],
    choice: Choice,
    pending: Pending | None,
    files: PlanFiles,
    output: str,
) -> None:
    """Print the plan for GKE, and write its page and its summary."""
    from ray_gke import planned, selection
    from ray_gke.reporting import answers

    selection.check(selected, choice)
    answers.warnings(choice.catalogs.warnings)
    capacity = planned.capacity(selected, choice)
    files.write(capacity, pending)
    if output == Output.json:
        from ray_gke.reporting import plan_schema

        answers.document(plan_schema.document(capacity, pending))
    else:
        from ray_gke.reporting import plan_text

        plan_text.show(capacity)
        if pending:
            from ray_gke.reporting import cloud_changes

            cloud_changes.show(pending)
