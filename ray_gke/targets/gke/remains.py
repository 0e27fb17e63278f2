"""What a cluster has in Google Cloud that does not go with it: it goes before it.

Load balancers of Services, Ingresses and Gateways keep a network from being deleted,
and disks of volumes stay and cost. Only the cluster's own controllers take them away.
Source: GKE "Deleting a cluster"; the provider's issues 5948 and 7637.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.removal import Removal, wait_until_gone
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref

_KINDS = ("Service", "Ingress", "Gateway", "PersistentVolumeClaim")
_CONTROLLERS = (
    *RAY_KINDS,
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
)


def find(api: Api) -> list[Manifest]:
    """Return the objects of a cluster that have something outside it."""
    lists = api.in_parallel(api.list, _KINDS)
    return [one for found in lists for one in found if _is_outside(one)]


def names(found: Iterable[Manifest]) -> str:
    """Return the objects in words."""
    refs = [Ref.of(one) for one in found]
    return ", ".join(f"{ref} in namespace {ref.namespace}" for ref in refs)


def remove(api: Api, found: Sequence[Manifest]) -> None:
    """Remove them, and whoever would keep or remake them; wait until all is gone.

    Raises FailedError when something does not go.
    """
    _remove_owners(api, found)
    for one in found:
        api.delete(Ref.of(one), uid=one["metadata"]["uid"])
    for one in found:
        wait_until_gone(api, Ref.of(one), one["metadata"]["uid"])
    # A claim is gone before its disk: the volume is what stands for the disk.
    volumes = {one["spec"].get("volumeName") for one in found if _is_claim(one)}
    for volume in api.list("PersistentVolume"):
        kept = volume["spec"].get("persistentVolumeReclaimPolicy") == "Retain"
        if volume["metadata"]["name"] in volumes and not kept:
            wait_until_gone(api, Ref.of(volume), volume["metadata"]["uid"])


def _is_outside(one: Manifest) -> bool:
    return bool(one["kind"] != "Service" or one["spec"].get("type") == "LoadBalancer")


def _is_claim(one: Manifest) -> bool:
    return bool(one["kind"] == "PersistentVolumeClaim")


def _remove_owners(api: Api, found: Sequence[Manifest]) -> None:
    """Remove what runs pods that hold these claims, and what has made any of these.

    A claim in use does not go; and a controller, as KubeRay of a head's Service, makes
    anew what it has made: it goes first, and all that it owns goes with it.
    """
    listed = api.in_parallel(api.list, _CONTROLLERS)
    controllers = {one["metadata"]["uid"]: one for kind in listed for one in kind}
    claims = {Ref.of(one) for one in found if _is_claim(one)}
    running = (*controllers.values(), *api.list("Pod"))
    users = [one for one in running if _uses(one, claims)]
    tops = [_top(one, controllers) for one in (*users, *found)]
    first = {one["metadata"]["uid"]: one for one in tops if one not in found}
    removals = [Removal.of(api, Ref.of(one), uid) for uid, one in first.items()]
    for removal in removals:
        removal.delete()
    for removal in removals:
        removal.wait()


def _top(one: Manifest, controllers: Mapping[str, Manifest]) -> Manifest:
    """Return the controller at the beginning of all that led to an object."""
    for owner in one["metadata"].get("ownerReferences") or ():
        if above := controllers.get(owner["uid"]):
            return _top(above, controllers)
    return one


def _uses(one: Manifest, claims: set[Ref]) -> bool:
    """Tell whether a pod, or those that are made from a template, hold a claim."""
    namespace, spec = one["metadata"]["namespace"], one["spec"]
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    pod = spec if one["kind"] == "Pod" else (template or {}).get("spec", {})
    named = (volume.get("persistentVolumeClaim") for volume in pod.get("volumes") or ())
    held = {
        Ref("PersistentVolumeClaim", namespace, claim["claimName"])
        for claim in named
        if claim
    }
    return bool(held & claims) or _has_templates(one, claims)


def _has_templates(one: Manifest, claims: set[Ref]) -> bool:
    """Tell whether claims were made from the templates of a StatefulSet."""
    templates = one["spec"].get("volumeClaimTemplates") or ()
    namespace, name = one["metadata"]["namespace"], one["metadata"]["name"]
    begins = tuple(f"{t['metadata']['name']}-{name}-" for t in templates)
    return bool(begins) and any(
        claim.namespace == namespace and claim.name.startswith(begins)
        for claim in claims
    )
