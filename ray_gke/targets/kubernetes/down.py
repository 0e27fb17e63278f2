"""Take a run away: what runs first, then what it needed, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ray_gke.catalog.nearest import nearest
from ray_gke.errors import InterruptedRun, UsageError
from ray_gke.events import Emit, Finished
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import inventory, lease, live
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.apply import wait_until_gone
from ray_gke.targets.kubernetes.namespaces import remove_if_ours_and_empty
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
    objects = _objects(api, namespace, name)
    try:
        with lease.held(api, [(namespace, name)]), step(emit, name, "down") as outcome:
            _remove(api, [one for one in objects if one["kind"] in RAY_KINDS])
            _remove(api, [one for one in objects if one["kind"] not in RAY_KINDS])
            outcome.detail = f"{len(objects)} objects"
        remove_if_ours_and_empty(api, namespace)
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
    refs |= _labelled(api, namespace, name, {ref.kind for ref in refs})
    ordered = sorted(refs - {kept}, key=lambda ref: (-ref.order, str(ref)))
    found = api.in_parallel(api.get, [*ordered, kept])
    objects = [one for one in found if one and live.is_of(one, name)]
    if not objects:
        raise _no_run(api, namespace, name)
    return objects


def _labelled(api: Api, namespace: str, name: str, kinds: set[str]) -> set[Ref]:
    wanted = kinds | {"ConfigMap", *RAY_KINDS} & set(RESOURCES)
    lists = api.in_parallel(
        lambda kind: api.list(
            kind,
            namespace if resource(kind).namespaced else "",
            selector=inventory.selector(name),
        ),
        sorted(wanted),
    )
    return {Ref.of(one) for found in lists for one in found if live.is_of(one, name)}


def _remove(api: Api, objects: Sequence[Manifest]) -> None:
    for one in objects:
        api.delete(Ref.of(one), uid=one["metadata"]["uid"], foreground=True)
    for one in objects:
        wait_until_gone(api, Ref.of(one), one["metadata"]["uid"])


def _no_run(api: Api, namespace: str, name: str) -> UsageError:
    near = nearest(name, names_of_running(api, namespace))
    return UsageError(
        f"there is no run {name!r} in namespace {namespace}",
        hint=f"did you mean {near}?" if near else "ray-gke status lists all runs",
    )
