"""A namespace that we have made goes with the last thing in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import inventory
from ray_gke.targets.kubernetes.api import (
    Api,
    ApiError,
    NotAllowedError,
    UnreachableError,
)
from ray_gke.targets.kubernetes.removal import wait_until_gone
from ray_gke.targets.kubernetes.resources import Ref, labels

# What Kubernetes itself puts into every namespace, and events, which only tell.
_OF_KUBERNETES = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ServiceAccount", "default"),
}
_SOON_SECONDS, _POLL_SECONDS = 10.0, 0.3
# All that was asked for is done, and of many groups one may be broken for long.
_PATIENCE_SECONDS = 20.0
_EPHEMERAL = frozenset({"Event", "Endpoints", "EndpointSlice"})


def remove_if_ours_and_empty(
    api: Api, namespace: str, say: Callable[[str], None]
) -> None:
    """Remove a namespace that we have made, if nothing is in it.

    `say` is told why one stays of which nobody can tell whether it is empty, and what a
    removal waits for. Raises FailedError when it does not go.
    """
    ref = Ref("Namespace", "", namespace)
    try:
        here = api.get(ref)
    except (NotAllowedError, ApiError):
        return
    if here is None or labels(here).get(inventory.MANAGED_BY) != "ray-gke":
        return
    try:
        if not _gets_empty(_impatient(api), namespace):
            return
        api.delete(ref, uid=here["metadata"]["uid"])
    except (NotAllowedError, ApiError, UnreachableError) as error:
        say(
            f"namespace {namespace}, which ray-gke has made, stays: {error}; if "
            f"nothing is in it, kubectl delete namespace {namespace} removes it"
        )
        return
    wait_until_gone(api, ref, here["metadata"]["uid"], say=say)


def _impatient(api: Api) -> Api:
    return replace(api, patience=min(api.patience, _PATIENCE_SECONDS))


def _gets_empty(api: Api, namespace: str) -> bool:
    """Tell whether nothing is there but what goes by itself, and wait for that.

    What KubeRay made for a run may go a little later than the run.
    """
    soon = api.within(_SOON_SECONDS)
    while True:
        contents = list(_contents(api, namespace))
        if not all(map(_is_going, contents)):
            return False
        if not contents or soon.wait(_POLL_SECONDS):
            return not contents


def _is_going(one: Manifest) -> bool:
    metadata = one["metadata"]
    return bool(metadata.get("deletionTimestamp") or metadata.get("ownerReferences"))


def _contents(api: Api, namespace: str) -> Iterator[Manifest]:
    """Yield what is in a namespace, of all kinds that the API server has."""
    for version, kind, plural in _kinds(api):
        root = "/apis/" if "/" in version else "/api/"
        path = f"{root}{version}/namespaces/{namespace}/{plural}"
        found = api.read(path, {"limit": "50"}, what=f"list {plural}")
        for one in (found or {}).get("items") or ():
            name = one["metadata"]["name"]
            if (kind, name) not in _OF_KUBERNETES:
                yield one


def _kinds(api: Api) -> Iterator[tuple[str, str, str]]:
    """Yield version, kind and plural of all that can be listed in a namespace."""
    known = api.read("/apis", what="list API groups") or {}
    preferred = [group["preferredVersion"] for group in known["groups"]]
    for version in ("v1", *(one["groupVersion"] for one in preferred)):
        root = "/apis/" if "/" in version else "/api/"
        resources: Any = api.read(root + version, what=f"list kinds of {version}") or {}
        for one in resources.get("resources") or ():
            listable = one["namespaced"] and "list" in one["verbs"]
            if listable and "/" not in one["name"] and one["kind"] not in _EPHEMERAL:
                yield version, one["kind"], one["name"]
