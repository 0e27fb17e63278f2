"""From a platform to nothing: runs, what is outside, add-ons, cluster, what is left."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ray_gke.catalog import prices
from ray_gke.errors import RefusedError, UsageError
from ray_gke.events import Emit, Finished, Note
from ray_gke.targets.gke import fingerprint, remains
from ray_gke.targets.gke.stacks import CLUSTER, Outputs, Stacks
from ray_gke.targets.gke.sweep import Confirm, Sweep, sweep
from ray_gke.targets.kubernetes import checks, down, inventory
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.steps import step
from ray_gke.targets.terraform import failures
from ray_gke.targets.terraform.changes import Changes
from ray_gke.targets.terraform.stack import Stack, StackError


def delete(
    stacks: Stacks, emit: Emit, confirm: Confirm, *, delete_cluster: bool
) -> None:
    """Take all of a platform away, in the order in which its parts need each other.

    `delete_cluster` lets a protected cluster go, and all that others have in it;
    `confirm` is asked before what the cluster has left behind is removed. Raises
    UsageError when there is nothing, RefusedError when something is in the way,
    FailedError when something does not go.
    """
    begun = time.monotonic()
    if not stacks.begun:
        raise _nothing(stacks)
    platform = stacks.platform()
    platform.adopt_interrupted(emit)
    here = platform.addresses()
    if not here and not fingerprint.known(stacks):
        stacks.forget()
        raise _nothing(stacks)
    rest = _sweep(stacks, emit, confirm)
    if here:
        _take_away(stacks, platform, here, rest, delete_cluster=delete_cluster)
    sweep(rest, fingerprint.known(stacks))
    stacks.forget()
    emit(Finished(stacks.name, "DOWN", time.monotonic() - begun))


def _sweep(stacks: Stacks, emit: Emit, confirm: Confirm) -> Sweep:
    def keep(prints: Sequence[fingerprint.Fingerprint]) -> None:
        fingerprint.keep(stacks, prints)

    return Sweep(
        stacks.google,
        stacks.whole.spec.project or "",
        stacks.name,
        emit,
        confirm,
        keep,
        prices.load(stacks.whole.prices),
    )


def _take_away(
    stacks: Stacks,
    platform: Stack,
    here: Sequence[str],
    rest: Sweep,
    *,
    delete_cluster: bool,
) -> None:
    """Take away what Terraform has made, and what is in the cluster."""
    if CLUSTER in here:
        _is_allowed(stacks, delete_cluster=delete_cluster)
    _empty(stacks, platform, rest, delete_cluster=delete_cluster)
    if not fingerprint.known(stacks):
        rest.warn(_unproven(stacks))
    try:
        _destroy(stacks, platform, rest.emit)
    except StackError as error:
        used = any(failures.cause(one) == "in_use" for one in error.diagnostics)
        if not (used and sweep(rest, fingerprint.known(stacks))):
            raise
        _destroy(stacks, platform, rest.emit)
    stacks.forget()


def _destroy(stacks: Stacks, platform: Stack, emit: Emit) -> None:
    with step(emit, stacks.name, "remove platform") as outcome:
        planned = platform.plan(emit, destroy=True)
        if _is_protected(planned.changes):
            _lift_protection(stacks, emit)
            planned = platform.plan(emit, destroy=True)
        outcome.detail = platform.apply(planned, emit, "remove platform")


def _unproven(stacks: Stacks) -> str:
    """Return how to look by hand where nothing could be proven to be the cluster's.

    It may be gone already: another machine has begun to take the platform away.
    """
    project = stacks.whole.spec.project
    cluster = stacks.whole.spec.cluster.name or stacks.name
    lists = (
        f"disks list --filter labels.goog-k8s-cluster-name={cluster}",
        "network-endpoint-groups list",
        f"firewall-rules list --filter name~^gke-{cluster}-",
        "forwarding-rules list",
        "addresses list",
    )
    looks = "; ".join(f"gcloud compute {one} --project {project}" for one in lists)
    return (
        "nothing proves what a cluster of the platform leaves behind, as this machine "
        f"has not asked it while it was there; look at it with {looks}"
    )


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
    stacks: Stacks, platform: Stack, rest: Sweep, *, delete_cluster: bool
) -> None:
    """Take away what is in the cluster, and what of it is outside."""
    outputs, emit = stacks.current_outputs(), rest.emit
    api = _reached(stacks, platform, outputs, emit)
    if api is None or outputs is None:
        # It went with its cluster.
        left = stacks.addons_left()
        left.forget(left.addresses())
        return
    _refuse_others(api, delete_cluster=delete_cluster)
    fingerprint.take(stacks, rest.google, api, emit, ending=True)
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
