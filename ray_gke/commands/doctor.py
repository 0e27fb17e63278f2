"""What is missing, before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ray_gke.commands.options import (
    Context,
    Namespace,
    On,
    Output,
    OutputOption,
    PlatformFile,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ray_gke.selection import Choice, Selected
    from ray_gke.targets.gke.doctor.findings import Report


def doctor(
    *,
    on: On = None,
    context: Context = None,
    namespace: Namespace = None,
    file: PlatformFile = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Enable APIs that are off.")
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """Look for what is missing: on this machine, in the project, in a cluster.

    For a platform on GKE: credentials, project, billing, APIs, permissions, quotas,
    zones, versions, addresses, names, Terraform and images. What is proven to be
    impossible is refused, with exit code 4; what may not be read is a warning. Each
    comes with the command, or the page, that repairs it. Nothing is changed, but APIs
    are enabled if you say so.
    """
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.errors import RefusedError
    from ray_gke.reporting import answers, doctor_text

    choice = selection.choose(file)
    target = targets.place(choice, on, context, namespace)
    if target == Target.gke:
        report = _of_platform(choice, _agreement(output, yes=yes))
    elif target == Target.kubernetes:
        report = _of_cluster(choice, context, namespace)
    else:
        report = _of_this_machine(choice)
    answers.warnings(choice.catalogs.warnings)
    if output == Output.json:
        answers.document(doctor_text.document(report))
    else:
        doctor_text.show(report)
    if report.refused:
        raise typer.Exit(RefusedError.exit_code)


def _agreement(output: str, *, yes: bool) -> Callable[[str], bool]:
    """Return who is asked before something is changed; a program is not."""
    from ray_gke.reporting import answers

    return lambda text: yes or (output == Output.text and answers.confirmed(text))


def _of_platform(choice: Choice, confirm: Callable[[str], bool]) -> Report:
    """Look at Google Cloud, again once the APIs that are off have been enabled."""
    from ray_gke.commands import on_gke
    from ray_gke.reporting import answers
    from ray_gke.targets.gke import doctor
    from ray_gke.targets.gke.doctor import world

    whole, _ = on_gke.chosen(choice, None, (), None)
    stacks = whole.stacks("ray-gke doctor")
    asked = world.of(stacks, lambda text: answers.notes([text]))
    return doctor.examine_and_enable(whole.needs(), asked, confirm)


def _of_cluster(choice: Choice, context: str | None, namespace: str | None) -> Report:
    from ray_gke import selection
    from ray_gke.commands import targets
    from ray_gke.errors import RefusedError
    from ray_gke.targets.gke.doctor import any_cluster

    try:
        where = targets.cluster(context, namespace)
    except RefusedError as error:
        return any_cluster.unreachable(error, context or "the current context")
    choice = targets.on_cluster(choice, where)
    wanted: dict[str, list[dict[str, object]]] = {}
    for one in _everything(choice):
        space = namespace or one.namespace or where.namespace
        wanted.setdefault(space, []).extend(selection.rendered([one], choice, space))
    return any_cluster.look(where.api, wanted or {where.namespace: []})


def _of_this_machine(choice: Choice) -> Report:
    from ray_gke.targets.gke.doctor import this_machine

    return this_machine.look([one.plan for one in _everything(choice)])


def _everything(choice: Choice) -> list[Selected]:
    """Return all runs of the platform, none without one."""
    from ray_gke import selection

    return selection.select(choice, None) if choice.platform else []
