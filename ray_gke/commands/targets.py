"""Which target a command means: that of the command line, or of the platform file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ray_gke.commands.options import Target
from ray_gke.errors import UsageError

if TYPE_CHECKING:
    from ray_gke.selection import Choice, Selected
    from ray_gke.targets import target as targets
    from ray_gke.targets.kubernetes.live import Wanted
    from ray_gke.targets.kubernetes.target import Cluster


def chosen(
    choice: Choice,
    on: str | None,
    context: str | None,
    namespace: str | None,
    name: str | None = None,
) -> targets.Target:
    """Return where the run `name` is, or where runs are.

    A run of the platform is in its own namespace.
    """
    from ray_gke import selection

    where = place(choice, on, context, namespace)
    if where == Target.local:
        from ray_gke.targets.local.target import ThisMachine

        return ThisMachine()
    space = namespace or selection.namespace(choice, name)
    if where == Target.gke:
        from ray_gke.commands import on_gke

        return on_gke.cluster(choice, space)
    return cluster(context, space)


def place(
    choice: Choice, on: str | None, context: str | None, namespace: str | None
) -> str:
    """Return the target's name; naming a context or namespace means a cluster.

    A namespace may be one of the platform's cluster on GKE; a context is another's.
    """
    from ray_gke import selection

    found = selection.target(choice, on)
    if found == Target.local and not on and (context or namespace):
        return Target.kubernetes
    if found == Target.gke and not on and context:
        return Target.kubernetes
    if found == Target.local and (context or namespace):
        raise UsageError(
            "--context and --namespace are about a cluster, and --on says local",
            hint="leave one of them out",
        )
    if found == Target.gke and context:
        raise UsageError(
            "--context names a cluster, and --on gke means the platform's own",
            hint="leave one of them out",
        )
    return found


def places(
    choice: Choice,
    on: str | None,
    context: str | None,
    namespace: str | None,
    name: str | None = None,
) -> list[targets.Target]:
    """Return where runs are: one target, or one for each namespace of the platform."""
    from ray_gke import selection

    spaces: list[str | None] = [None]
    on_cluster = place(choice, on, context, namespace) != Target.local
    if on_cluster and choice.platform and not (name or namespace):
        spaces = list(dict.fromkeys(selection.namespaces(choice.platform))) or spaces
    where = chosen(choice, on, context, namespace or spaces[0], name)
    if not spaces[1:]:
        return [where]
    from ray_gke.targets.kubernetes.target import Cluster

    # One cluster, which is asked once whether it answers.
    assert isinstance(where, Cluster)
    return [where.within(one) for one in spaces]


def words(on: str | None, context: str | None, namespace: str | None) -> str:
    """Return what to add to other commands, so that they mean the same place."""
    given = {"--on": on, "--context": context, "--namespace": namespace}
    return " ".join(f"{option} {value}" for option, value in given.items() if value)


def is_live(
    choice: Choice, on: str | None, context: str | None, namespace: str | None
) -> bool:
    """Tell whether a plan is about a cluster that is there."""
    from ray_gke import selection

    if on == Target.local:
        raise UsageError(
            "a plan is about a cluster: nothing is planned for this machine",
            hint="--on kubernetes, or nothing for GKE",
        )
    asked = on or (Target.kubernetes if context or namespace else None)
    return selection.target(choice, asked) == Target.kubernetes


def cluster(context: str | None, namespace: str | None) -> Cluster:
    """Return a namespace of the cluster of a context."""
    from ray_gke.targets.kubernetes.target import Cluster

    return Cluster.of(context, namespace)


def on_cluster(
    choice: Choice, where: Cluster, target: Target = Target.kubernetes
) -> Choice:
    """Return the choice for this cluster: its nodes, its KubeRay, and its monitoring.

    What the platform names counts. On GKE the node pools are ours.
    """
    kuberay = choice.platform.spec.kuberay if choice.platform else None
    found = where.facts()
    version = found.kuberay_version or choice.kuberay_version
    site = replace(
        choice.site,
        target=target.value,
        operator_namespace=choice.site.operator_namespace or found.operator_namespace,
        monitors=found.monitors,
        gke_nodes=found.gke,
    )
    named = kuberay and kuberay.version
    return replace(choice, site=site, kuberay_version=named or version)


def wanted(
    selected: Sequence[Selected],
    choice: Choice,
    where: Cluster,
    namespace: str | None,
) -> list[Wanted]:
    """Return the runs with the objects that carry them out, each in its namespace."""
    from ray_gke import selection
    from ray_gke.targets.kubernetes.live import Wanted

    placed = [(one, namespace or one.namespace or where.namespace) for one in selected]
    return [
        Wanted(one.plan, space, tuple(selection.rendered([one], choice, space)))
        for one, space in placed
    ]


def notes(selected: Sequence[Selected]) -> list[str]:
    """Return what a user should read of the plans, each line once."""
    return list(dict.fromkeys(note for one in selected for note in one.plan.notes))
