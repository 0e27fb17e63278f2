"""Bringing up, looking at and ending what runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ray_gke.commands.options import (
    AnyBlueprint,
    AnyRun,
    Assignments,
    Context,
    Namespace,
    On,
    Output,
    OutputOption,
    PlatformFile,
    Run,
    RunName,
    Target,
)
from ray_gke.errors import FailedError, InterruptedRun, Problem, RayGkeError

if TYPE_CHECKING:
    from ray_gke.selection import Choice
    from ray_gke.targets.saved_plan import SavedPlan


def up(
    blueprint: AnyBlueprint = None,
    *,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Do what `plan --out FILE` saved, without asking, or nothing.",
        ),
    ] = None,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            "-d",
            help="Do not wait for a job to end; in a cluster, for nothing to be ready.",
        ),
    ] = False,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Run jobs again that are done (Kubernetes).")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="End what runs where that is in the way."),
    ] = False,
    timeout: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="How long to wait until all is ready: 90s, 15m, 2h (Kubernetes).",
        ),
    ] = "15m",
    output: OutputOption = Output.text,
) -> None:
    """Bring up a blueprint.

    Waits until its cluster or service is ready, or its job is done. What a job
    writes goes to stdout, progress to stderr. Run again, it changes what has changed.
    """
    from ray_gke import selection
    from ray_gke.commands import durations, targets
    from ray_gke.reporting import answers

    seconds = durations.seconds("--timeout", timeout)
    choice = selection.choose(file)
    target = targets.place(choice, on, context, namespace)
    given = {"BLUEPRINT": blueprint, "--set": assignments, "--name": name}
    more = {"--namespace": namespace, "--rerun": rerun}
    saved = _saved(plan, choice, target, {**given, **more}) if plan else None
    if target == Target.local:
        _up_here(choice, blueprint, assignments, name, detach=detach, output=output)
        return
    from ray_gke.targets.kubernetes.up import Options

    options = Options(
        detach=detach,
        rerun=rerun,
        timeout=seconds,
        confirm=lambda text: yes or answers.confirmed(text),
    )
    then = targets.words(on, context, namespace)
    if target == Target.gke:
        from ray_gke.commands import on_gke

        whole, selected = on_gke.chosen(choice, blueprint, assignments or (), name)
        answers.warnings([*choice.catalogs.warnings, *targets.notes(selected)])
        with answers.telling(output, then) as emit:
            on_gke.up(whole, selected, namespace, emit, options, agreed=saved)
        return
    if saved:
        options = replace(options, confirm=lambda _: True, check=saved.check_runs)
    where = targets.cluster(context, namespace)
    choice = targets.on_cluster(choice, where)
    selected = selection.select(choice, blueprint, assignments or (), name)
    wanted = targets.wanted(selected, choice, where, namespace)
    answers.warnings([*choice.catalogs.warnings, *targets.notes(selected)])
    with answers.telling(output, then) as emit:
        where.up(wanted, emit, options)


def _saved(
    file: Path, choice: Choice, target: str, given: Mapping[str, object]
) -> SavedPlan:
    """Return a plan that may be carried out there; `given` chooses something else."""
    from ray_gke.commands import saved_plans
    from ray_gke.targets import saved_plan

    saved_plans.refuse_besides("--plan", given)
    found = saved_plan.read(file)
    found.check_place(choice.platform.name if choice.platform else "", target)
    return found


def _up_here(
    choice: Choice,
    blueprint: str | None,
    assignments: list[str] | None,
    name: str | None,
    *,
    detach: bool,
    output: str,
) -> None:
    from ray_gke import selection
    from ray_gke.events import Note
    from ray_gke.reporting import answers
    from ray_gke.targets import local

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
        bool, typer.Option("--all", help="Everything that is up there.")
    ] = False,
    yes_delete_cluster: Annotated[
        bool,
        typer.Option(
            "--yes-delete-cluster", help="Also a protected cluster on GKE, with all."
        ),
    ] = False,
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep", help="Remove what a cluster on GKE left behind, unasked."
        ),
    ] = False,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """End what is up.

    All of the run goes, and nothing else does: its processes here, its objects in a
    cluster. For a platform on GKE without NAME or --all, all that `up` has made goes,
    the cluster too, and, when you agree, what it left behind in Google Cloud.
    """
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.errors import UsageError
    from ray_gke.reporting import answers

    choice = selection.choose(file)
    target = targets.place(choice, on, context, namespace)
    if target == Target.gke and not (name or everything or namespace):
        from ray_gke.commands import on_gke

        with answers.telling(output) as emit:
            on_gke.down(
                choice,
                emit,
                lambda text: sweep or answers.confirmed(text),
                delete_cluster=yes_delete_cluster,
            )
        return
    if sweep:
        raise UsageError(
            "--sweep is for all of a platform on GKE",
            hint="leave out NAME and --all, where ray-gke.yaml says target: gke",
        )
    places = targets.places(choice, on, context, namespace, name)
    ending = (
        [name]
        if name
        else selection.runs_to_end(
            choice, [n for p in places for n in p.names()], everything=everything
        )
    )
    with answers.telling(output) as emit:
        _each(
            ending,
            lambda one: targets.chosen(choice, on, context, namespace, one).down(
                one, emit
            ),
        )


def _each(names: Sequence[str], do: Callable[[str], None]) -> None:
    """Do it for each; of several the others go on, and what failed is raised at last.

    Ctrl-C ends all.
    """
    problems: list[Problem] = []
    for name in names:
        try:
            do(name)
        except InterruptedRun:
            raise
        except RayGkeError as error:
            if len(names) == 1:
                raise
            problems += error.problems
    if problems:
        raise FailedError.of(list(dict.fromkeys(problems)))


def status(
    name: AnyRun = None,
    *,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="All of a cluster.")
    ] = False,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Show what is up.

    And how the last jobs ended: here until their names are used again, in a cluster
    until `down`.
    """
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.reporting import answers, rows

    choice = selection.choose(file)
    if name:
        where = targets.chosen(choice, on, context, namespace, name)
        answers.run(where.run(name), output)
        return
    places = (
        [targets.cluster(context, "")]
        if everywhere
        else targets.places(choice, on, context, namespace)
    )
    runs = [run for place in places for run in place.runs()]
    answers.table(runs, output, rows.runs, nothing="nothing is up")


def logs(
    name: Run,
    *,
    group: Annotated[
        str | None,
        typer.Option(metavar="GROUP", help="Pods of this group only, or of the head."),
    ] = None,
    previous: Annotated[
        bool, typer.Option("--previous", help="Before the last restart.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until it ends, or Ctrl-C.")
    ] = False,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Show what a workload wrote."""
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.reporting import answers

    where = targets.chosen(selection.choose(file), on, context, namespace, name)
    with answers.telling(output) as emit:
        for line in where.logs(name, group=group, previous=previous, follow=follow):
            emit(line)


def dashboard(
    name: Run,
    *,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Print where Ray's dashboard is, and a service.

    With the token that lets this user in. On a cluster they are on ports of this
    machine until Ctrl-C.
    """
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.reporting import answers

    where = targets.chosen(selection.choose(file), on, context, namespace, name)
    with where.opened(name) as opened:
        answers.opened(opened, output)


def kubeconfig(*, file: PlatformFile = None) -> None:
    """Print a kubeconfig of the platform's cluster on GKE.

    For kubectl and others: ray-gke kubeconfig > ray.kubeconfig. ray-gke itself needs
    none. No token is in it; gke-gcloud-auth-plugin gives one.
    """
    from ray_gke import selection
    from ray_gke.commands import on_gke
    from ray_gke.rendering import documents

    found = on_gke.kubeconfig(selection.choose(file))
    typer.echo(documents.stream([found]), nl=False)


def submit(
    name: Run,
    entrypoint: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND", help="The job's command, after `--`."),
    ],
    *,
    working_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder that the job runs in; it is sent along.",
        ),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Do not wait for it to end.")
    ] = False,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Run a command as a job on what is up.

    For example: ray-gke submit NAME --working-dir . -- python train.py
    """
    import shlex

    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.reporting import answers

    where = targets.chosen(selection.choose(file), on, context, namespace, name)
    command = entrypoint[0] if len(entrypoint) == 1 else shlex.join(entrypoint)
    with answers.telling(output) as emit:
        where.submit(name, command, emit, working_dir=working_dir, detach=detach)


def explain(
    name: Run,
    *,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Say why something is pending or failing.

    The cause, what shows it, and what to do next.
    """
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.reporting import answers

    where = targets.chosen(selection.choose(file), on, context, namespace, name)
    answers.explanation(where.explain(name), output)
