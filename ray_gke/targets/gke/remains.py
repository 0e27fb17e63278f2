"""What a cluster has in Google Cloud that does not go with it: it goes before it.

Load balancers of Services, Ingresses and Gateways keep a network from being deleted,
and disks of volumes stay and cost. Only the cluster's own controllers take them away.
Source: GKE "Deleting a cluster"; the provider's issues 5948 and 7637.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.removal import wait_until_gone
from ray_gke.targets.kubernetes.resources import Ref

_KINDS = ("Service", "Ingress", "Gateway", "PersistentVolumeClaim")


def find(api: Api) -> list[Manifest]:
    """Return the objects of a cluster that have something outside it."""
    lists = api.in_parallel(api.list, _KINDS)
    return [one for found in lists for one in found if _is_outside(one)]


def names(found: Iterable[Manifest]) -> str:
    """Return the objects in words."""
    refs = [Ref.of(one) for one in found]
    return ", ".join(f"{ref} in namespace {ref.namespace}" for ref in refs)


def remove(api: Api, found: Sequence[Manifest]) -> None:
    """Remove them, and whoever holds their volumes; wait until all of it is gone.

    Raises FailedError when something does not go.
    """
    volumes = {one["spec"].get("volumeName") for one in found if _is_claim(one)}
    claims = {Ref.of(one) for one in found if _is_claim(one)}
    for holder in _holders(api, claims):
        api.delete(Ref.of(holder), uid=holder["metadata"]["uid"])
    for one in found:
        api.delete(Ref.of(one), uid=one["metadata"]["uid"])
    for one in found:
        wait_until_gone(api, Ref.of(one), one["metadata"]["uid"])
    # A claim is gone before its disk: the volume is what stands for the disk.
    for volume in api.list("PersistentVolume"):
        kept = volume["spec"].get("persistentVolumeReclaimPolicy") == "Retain"
        if volume["metadata"]["name"] in volumes and not kept:
            wait_until_gone(api, Ref.of(volume), volume["metadata"]["uid"])


def _is_outside(one: Manifest) -> bool:
    return bool(one["kind"] != "Service" or one["spec"].get("type") == "LoadBalancer")


def _is_claim(one: Manifest) -> bool:
    return bool(one["kind"] == "PersistentVolumeClaim")


def _holders(api: Api, claims: set[Ref]) -> list[Manifest]:
    """Return what runs pods that hold these claims: a claim in use does not go.

    A controller would make its pods anew, so it goes and takes them with it.
    """
    holders: list[Manifest] = []
    for kind in ("Deployment", "StatefulSet", "Job"):
        for one in api.list(kind):
            namespace = one["metadata"]["namespace"]
            if _claims(one["spec"]["template"]["spec"], namespace) & claims or (
                _has_templates(one, claims)
            ):
                holders.append(one)
    for pod in api.list("Pod"):
        owned = pod["metadata"].get("ownerReferences")
        if not owned and _claims(pod["spec"], pod["metadata"]["namespace"]) & claims:
            holders.append(pod)
    return holders


def _claims(spec: Manifest, namespace: str) -> set[Ref]:
    named = (v.get("persistentVolumeClaim") for v in spec.get("volumes") or ())
    return {
        Ref("PersistentVolumeClaim", namespace, one["claimName"])
        for one in named
        if one
    }


def _has_templates(one: Manifest, claims: set[Ref]) -> bool:
    """Tell whether claims were made from the templates of a StatefulSet."""
    templates = one["spec"].get("volumeClaimTemplates") or ()
    namespace, name = one["metadata"]["namespace"], one["metadata"]["name"]
    begins = tuple(f"{t['metadata']['name']}-{name}-" for t in templates)
    return bool(begins) and any(
        claim.namespace == namespace and claim.name.startswith(begins)
        for claim in claims
    )
