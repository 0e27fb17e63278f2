"""What commands do for a platform on GKE, whose cluster is made for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ray_gke import planned, selection
from ray_gke.catalog.platform import Platform
from ray_gke.commands import targets
from ray_gke.commands.options import Target
from ray_gke.errors import RefusedError, UsageError
from ray_gke.events import Emit
from ray_gke.gke.image_names import ImageName, mirrored
from ray_gke.planning.capacity import Capacity
from ray_gke.rendering import terraform_variables
from ray_gke.rendering.templates import Manifest
from ray_gke.selection import Choice, Selected
from ray_gke.targets.terraform.changes import Changes

if TYPE_CHECKING:
    from ray_gke.targets.gke.doctor import Needs
    from ray_gke.targets.gke.stacks import Outputs, Stacks
    from ray_gke.targets.kubernetes.changes import RunChanges
    from ray_gke.targets.kubernetes.live import Wanted
    from ray_gke.targets.kubernetes.target import Cluster
    from ray_gke.targets.kubernetes.up import Options
    from ray_gke.targets.saved_plan import SavedPlan


@dataclass(frozen=True)
class Whole:
    """All runs of a platform: its node pools and namespaces are those of all of them.

    `instead` are runs whose parameters the command line has set otherwise.
    """

    choice: Choice
    platform: Platform
    instead: Sequence[Selected] = ()

    @classmethod
    def of(cls, choice: Choice) -> Whole:
        """Return that of a choice. Raises UsageError without a platform of GKE."""
        spec = choice.platform.spec if choice.platform else None
        if choice.platform is None or not (spec and spec.project and spec.region):
            raise UsageError(
                "--on gke needs a platform file with project and region",
                hint="write ray-gke.yaml; the README's section on GKE has one",
            )
        return cls(choice.on_gke(), choice.platform)

    @cached_property
    def selected(self) -> list[Selected]:
        """Every run, as it will be."""
        others = {one.plan.name: one for one in self.instead}
        if len(others) == len(self.platform.spec.blueprints):
            return list(others.values())
        everything = selection.select(self.choice, None)
        return [others.get(one.plan.name, one) for one in everything]

    @cached_property
    def manifests(self) -> list[Manifest]:
        """What they are as Kubernetes objects. Raises InvalidError."""
        return selection.rendered(self.selected, self.choice)

    @cached_property
    def capacity(self) -> Capacity:
        """What they need together."""
        return planned.capacity(self.selected, self.choice)

    def variables(self, stack: str) -> Mapping[str, Any]:
        """Return the variables of a Terraform stack."""
        spec = self.platform.spec
        name = self.platform.name
        if stack == "platform":
            return terraform_variables.platform(
                self.capacity, spec, name, self.manifests
            )
        version = self.choice.kuberay_version
        return terraform_variables.addons(self.manifests, spec, version, name)

    def needs(self) -> Needs:
        """What the platform needs of its project."""
        from ray_gke.targets.gke.doctor import Needs

        version = self.choice.kuberay_version
        return Needs.of(
            self.platform, self.capacity, self.manifests, version, self.copies
        )

    @cached_property
    def copies(self) -> list[tuple[ImageName, ImageName]]:
        """Images with the names of their copies, where nodes pull copies."""
        registry = self.choice.site.image_registry
        if registry is None or registry.mode != "mirror":
            return []
        named = planned.images_to_copy(self.choice)
        return [(one, mirrored(one, registry.images)) for one in named]

    def stacks(self, again: str) -> Stacks:
        """Return the Terraform stacks; `again` is the command to run once more."""
        from ray_gke.targets.gke.stacks import Stacks

        return Stacks(self.platform, self.variables, again)


def chosen(
    choice: Choice, blueprint: str | None, assignments: Sequence[str], name: str | None
) -> tuple[Whole, list[Selected]]:
    """Return the whole platform, and which of its runs a command line means.

    Raises UsageError for a blueprint that the platform does not run: the next `up`
    would take its node pools away.
    """
    whole = Whole.of(choice)
    selected = selection.select(whole.choice, blueprint, assignments, name)
    if blueprint:
        known = {one.plan.name for one in whole.selected}
        (one,) = selected
        if one.plan.name not in known:
            raise UsageError(
                f"the platform {whole.platform.name} does not run {one.plan.name}",
                hint="add it to blueprints in the platform file, or choose one of "
                f"{', '.join(sorted(known))}",
            )
    whole = replace(whole, instead=selected)
    _ = whole.capacity, whole.manifests  # refused before anything is done
    return whole, selected


def up(
    whole: Whole,
    selected: Sequence[Selected],
    namespace: str | None,
    emit: Emit,
    options: Options,
    *,
    agreed: SavedPlan | None = None,
) -> None:
    """Make the cluster, what all runs need in it, and these runs.

    With a plan that was saved exactly what it says, or nothing: RefusedError.
    """
    from ray_gke.targets.gke import up as cloud

    stacks = whole.stacks("ray-gke up")
    consent = cloud.Consent(options.confirm)
    if agreed:
        from ray_gke.commands.saved_plans import Agreed, asked

        agreed.check_asked(asked(whole))
        plan = Agreed(agreed, whole, selected, stacks, emit)
        consent = cloud.Consent(lambda _: True, plan.platform, plan.addons)
        options = replace(options, confirm=consent.confirm, check=plan.runs)
    aim = cloud.Aim(whole.variables, whole.needs, lambda: whole.copies)
    cloud.bring_up(stacks, aim, emit, consent)
    where = _cluster(stacks, namespace)
    where.up(wanted(whole, selected, where, namespace), emit, options)


def wanted(
    whole: Whole, selected: Sequence[Selected], where: Cluster, namespace: str | None
) -> list[Wanted]:
    """Return the runs as this cluster's KubeRay and monitoring take them."""
    choice = targets.on_cluster(whole.choice, where, Target.gke)
    plans = [selection.again(one, choice) for one in selected]
    pools = {p.name: p.total_max_node_count for p in whole.capacity.pools}
    runs = targets.wanted(plans, choice, where, namespace)
    return [replace(run, max_nodes=pools) for run in runs]


@dataclass(frozen=True)
class Pending:
    """What an `up` would do: in Google Cloud, for all runs of the cluster, for each.

    `whole` is false where the cluster is yet to be made: nobody can look into it.
    """

    cloud: Changes
    addons: Changes
    runs: Sequence[RunChanges]
    whole: bool = True

    @property
    def todo(self) -> bool:
        """Tell whether anything would be done."""
        return bool(
            self.cloud.todo or self.addons.todo or any(run.todo for run in self.runs)
        )


def pending(
    whole: Whole,
    selected: Sequence[Selected],
    namespace: str | None,
    emit: Emit,
    *,
    begin: bool = False,
) -> Pending | None:
    """Return what an `up` would do.

    None for a platform that was never brought up, unless `begin` asks for Terraform's
    plan of it too, for which it begins an empty state in a bucket. Nothing else is
    changed. Raises what `up` raises when it cannot look.
    """
    stacks = whole.stacks("ray-gke plan")
    if not (begin or stacks.begun):
        return None
    platform = stacks.platform(whole.variables("platform"))
    cloud = platform.plan(emit, lock=False).changes
    return look(whole, selected, cloud, emit, stacks=stacks, namespace=namespace)


def look(
    whole: Whole,
    selected: Sequence[Selected],
    cloud: Changes,
    emit: Emit,
    *,
    stacks: Stacks,
    namespace: str | None = None,
) -> Pending:
    """Return what an `up` would do, once it is known what that is in the cloud."""
    outputs = _staying(stacks, cloud)
    if outputs is None:
        return Pending(cloud, Changes(), (), whole=False)
    addons = stacks.addons(outputs, whole.variables("addons"))
    filled = addons.plan(emit, lock=False).changes
    where = _cluster(stacks, namespace)
    runs = where.changes(wanted(whole, selected, where, namespace), rerun=False)
    return Pending(cloud, filled, runs)


def _staying(stacks: Stacks, cloud: Changes) -> Outputs | None:
    """Return what is known of the cluster, None where it is made, or made anew."""
    from ray_gke.targets.gke.stacks import CLUSTER

    if any(one.address == CLUSTER for one in cloud.of("create", "replace")):
        return None
    return stacks.current_outputs()


def down(
    choice: Choice,
    emit: Emit,
    confirm: Callable[[str], bool],
    *,
    delete_cluster: bool,
) -> None:
    """Take all of a platform away.

    `confirm` is asked before what the cluster has left behind is removed.
    """
    from ray_gke.targets.gke import down as cloud

    stacks = Whole.of(choice).stacks("ray-gke down")
    cloud.delete(stacks, emit, confirm, delete_cluster=delete_cluster)


def cluster(choice: Choice, namespace: str | None) -> Cluster:
    """Return the platform's cluster. Raises RefusedError when there is none."""
    return _cluster(Whole.of(choice).stacks("ray-gke up"), namespace)


def kubeconfig(choice: Choice) -> dict[str, Any]:
    """Return a kubeconfig of the platform's cluster."""
    from ray_gke.targets.gke import stacks

    return stacks.kubeconfig(Whole.of(choice).stacks("ray-gke up"))


def _cluster(stacks: Stacks, namespace: str | None) -> Cluster:
    from ray_gke.targets.gke.stacks import connect
    from ray_gke.targets.kubernetes.target import Cluster

    known = stacks.outputs()
    try:
        return Cluster.at(connect(stacks), namespace)
    except RefusedError:
        if stacks.current_outputs() == known:
            raise
    # Another machine has made the cluster anew since this one has looked.
    return Cluster.at(connect(stacks), namespace)
