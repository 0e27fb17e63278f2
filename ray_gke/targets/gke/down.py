"""From a platform back to nothing: runs, what is outside, add-ons, cluster, network."""

from __future__ import annotations

import time

from ray_gke.errors import RefusedError, UsageError
from ray_gke.events import Emit, Finished, Note
from ray_gke.targets.gke import remains
from ray_gke.targets.gke.stacks import CLUSTER, Outputs, Stacks
from ray_gke.targets.kubernetes import checks, down, inventory
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.steps import step
from ray_gke.targets.terraform.changes import Changes
from ray_gke.targets.terraform.stack import Stack


def delete(stacks: Stacks, emit: Emit, *, delete_cluster: bool) -> None:
    """Take all of a platform away, in the order in which its parts need each other.

    `delete_cluster` lets a protected cluster go, and all that others have in it. Raises
    UsageError when there is nothing, RefusedError when something is in the way,
    FailedError when something does not go.
    """
    begun = time.monotonic()
    if not stacks.begun:
        raise _nothing(stacks)
    platform = stacks.platform()
    platform.adopt_interrupted(emit)
    here = platform.addresses()
    if not here:
        stacks.forget()
        raise _nothing(stacks)
    if CLUSTER in here:
        _is_allowed(stacks, delete_cluster=delete_cluster)
    _empty(stacks, platform, emit, delete_cluster=delete_cluster)
    with step(emit, stacks.name, "remove platform") as outcome:
        planned = platform.plan(emit, destroy=True)
        if _is_protected(planned.changes):
            _lift_protection(stacks, emit)
            planned = platform.plan(emit, destroy=True)
        outcome.detail = platform.apply(planned, emit, "remove platform")
    stacks.forget()
    emit(Finished(stacks.name, "DOWN", time.monotonic() - begun))


def _nothing(stacks: Stacks) -> UsageError:
    return UsageError(f"nothing of the platform {stacks.name} is up")


def _is_allowed(stacks: Stacks, *, delete_cluster: bool) -> None:
    if stacks.whole.spec.cluster.deletion_protection and not delete_cluster:
        raise RefusedError(
            f"the cluster of the platform {stacks.name} is protected from deletion",
            hint="ray-gke down --all ends what runs and keeps the cluster; "
            "--yes-delete-cluster deletes it, as without a question "
            "cluster.deletion_protection: false in the platform file does",
        )


def _empty(
    stacks: Stacks, platform: Stack, emit: Emit, *, delete_cluster: bool
) -> None:
    """Take away what is in the cluster, and what of it is outside."""
    outputs = stacks.outputs()
    api = _reached(stacks, platform, outputs, emit)
    if api is None or outputs is None:
        # It went with its cluster.
        left = stacks.addons_left()
        left.forget(left.addresses())
        return
    _refuse_others(api, delete_cluster=delete_cluster)
    for run in inventory.in_namespace(api, ""):
        down.down(api, run.namespace, run.name, emit)
    if found := remains.find(api):
        with step(emit, stacks.name, "rest") as outcome:
            remains.remove(api, found)
            outcome.detail = remains.names(found)
    addons = stacks.addons(outputs)
    with step(emit, stacks.name, "remove addons") as outcome:
        planned = addons.plan(emit, destroy=True)
        outcome.detail = addons.apply(planned, emit, "remove addons")


def _reached(
    stacks: Stacks, platform: Stack, outputs: Outputs | None, emit: Emit
) -> Api | None:
    """Return the cluster, None when it is gone; raises RefusedError when it hides."""
    if outputs is None:
        return None
    api = stacks.api(outputs)
    try:
        checks.reachable(api)
    except RefusedError:
        doomed = platform.plan(emit, destroy=True).changes.todo
        if any(one.address == CLUSTER for one in doomed):
            raise
        return None
    return api


def _refuse_others(api: Api, *, delete_cluster: bool) -> None:
    """Refuse to lose what is not ours, before anything is ended."""
    theirs = [one for one in remains.find(api) if not inventory.is_ours(one)]
    if theirs and not delete_cluster:
        raise RefusedError(
            "the cluster has load balancers or disks that ray-gke did not make: "
            f"{remains.names(theirs)}",
            hint="remove them, or lose them with the cluster: --yes-delete-cluster",
        )


def _is_protected(doomed: Changes) -> bool:
    """Tell whether the state protects the cluster: a destroy looks at nothing else."""
    return any(
        one.address == CLUSTER and one.values.get("deletion_protection")
        for one in doomed.todo
    )


def _lift_protection(stacks: Stacks, emit: Emit) -> None:
    """Take the protection out of the state."""
    variables = stacks.last_variables()
    cluster = {**variables.get("cluster", {}), "deletion_protection": False}
    platform = stacks.platform({**variables, "cluster": cluster})
    planned = platform.plan(emit, target=[CLUSTER])
    emit(Note(stacks.name, "deletion protection is lifted"))
    platform.apply(planned, emit, "remove platform")
