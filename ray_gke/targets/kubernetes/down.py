"""Take a run away: what runs first, then what it needed, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ray_gke.errors import InterruptedRun
from ray_gke.events import Emit, Finished, Note
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import inventory, lease, live, permissions
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.head import no_run
from ray_gke.targets.kubernetes.namespaces import remove_if_ours_and_empty
from ray_gke.targets.kubernetes.removal import Removal, wait_until_gone
from ray_gke.targets.kubernetes.resources import RAY_KINDS, RESOURCES, Ref, resource
from ray_gke.targets.steps import step


def names_of_running(api: Api, namespace: str) -> list[str]:
    """Return the names of all runs in a namespace."""
    return [one.name for one in inventory.in_namespace(api, namespace)]


def down(api: Api, namespace: str, name: str, emit: Emit) -> None:
    """Remove all objects of a run, in the order in which they need each other.

    Raises UsageError when there is no such run, FailedError when something does not go.
    """
    begun = time.monotonic()

    def say(text: str) -> None:
        emit(Note(name, text, warning=True))

    try:
        needed = permissions.for_down(namespace, RAY_KINDS)
        with permissions.all_at_once(api, needed):
            found = _objects(api, namespace, name)
        if not found:
            # Whoever was killed may have left a lock, and the namespace it has made.
            lease.clear(api, [(namespace, name)])
            remove_if_ours_and_empty(api, namespace, say)
            raise no_run(api, namespace, name)
        kinds = frozenset(one["kind"] for one in found)
        permissions.check(api, permissions.for_down(namespace, kinds))
        with (
            lease.held(api, [(namespace, name)]) as leases,
            step(emit, name, "down") as outcome,
        ):
            # Until we had the lock somebody else may have written.
            objects = _objects(api, namespace, name)
            ray = [one for one in objects if one["kind"] in RAY_KINDS]
            _remove(api, ray, leases[0].check, say)
            _wait_for_clusters(api, namespace, name, say)
            rest = [one for one in objects if one not in ray]
            _remove(api, rest, leases[0].check, say)
            outcome.detail = f"{len(objects)} objects"
        remove_if_ours_and_empty(api, namespace, say)
    except KeyboardInterrupt:
        raise InterruptedRun(
            f"{name}: interrupted; some of it may still be there",
            hint=f"ray-gke down {name} goes on",
        ) from None
    emit(Finished(name, "DOWN", time.monotonic() - begun))


def _objects(api: Api, namespace: str, name: str) -> list[Manifest]:
    """Return the objects of a run; the inventory comes last.

    So long as it is there, everything else can be found again.
    """
    kept = inventory.ref(namespace, name)
    known = inventory.find(api, namespace, name)
    refs = {item.ref for item in known.items} if known else set()
    kinds = {ref.kind for ref in refs} or set(RESOURCES) - {"Namespace"}
    refs |= _labelled(api, namespace, name, kinds)
    ordered = sorted(refs - {kept}, key=lambda ref: (-ref.order, str(ref)))
    found = api.in_parallel(api.get, [*ordered, kept])
    return [one for one in found if one and live.is_of(one, name, namespace)]


def _labelled(api: Api, namespace: str, name: str, kinds: set[str]) -> set[Ref]:
    """Return what carries the labels of a run, of these kinds and those of Ray."""

    def listed(kind: str) -> list[Manifest]:
        within = namespace if resource(kind).namespaced else ""
        try:
            return api.list(kind, within, selector=inventory.selector(name))
        except NotAllowedError:
            if kind in RAY_KINDS:
                raise
            # Whoever may not even look has made none.
            return []

    lists = api.in_parallel(listed, sorted({*kinds, "ConfigMap", *RAY_KINDS}))
    return {
        Ref.of(one)
        for found in lists
        for one in found
        if live.is_of(one, name, namespace)
    }


def _wait_for_clusters(
    api: Api, namespace: str, name: str, say: Callable[[str], None]
) -> None:
    """Wait for clusters that an interrupted `down` has left on their way out.

    To clean up in Redis they need what the run had.
    """
    selector = inventory.selector(name)
    for one in api.list("RayCluster", namespace, selector=selector):
        wait_until_gone(api, Ref.of(one), one["metadata"]["uid"], say=say)


def _remove(
    api: Api,
    objects: Sequence[Manifest],
    check: Callable[[], None],
    say: Callable[[str], None],
) -> None:
    removals = [Removal.of(api, Ref.of(o), o["metadata"]["uid"], say) for o in objects]
    for removal in removals:
        check()
        removal.delete()
    for removal in removals:
        removal.wait()
