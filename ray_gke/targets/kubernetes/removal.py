"""Take an object away, with all that it owns, and wait until it is gone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from ray_gke.errors import FailedError
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref

KEEPS_STATE = "ray.io/gcs-ft-redis-cleanup-finalizer"
"""KubeRay's finalizer of clusters whose state is in Redis (utils/constant.go)."""

_GONE_SECONDS = 600
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Removal:
    """One object on its way out; `clusters` are those whose state goes first."""

    api: Api
    ref: Ref
    uid: str
    clusters: tuple[Manifest, ...] = ()

    @classmethod
    def of(cls, api: Api, ref: Ref, uid: str) -> Removal:
        """Return the removal of an object, if it still is the one with this uid."""
        return cls(api, ref, uid, tuple(_with_state(api, ref, uid)))

    def delete(self) -> None:
        """Ask for it.

        Whatever an object owns goes before it; but to clean up in Redis, KubeRay makes
        a Job that the cluster owns: it would go at once, again and again.
        """
        self.api.delete(self.ref, uid=self.uid, foreground=not self.clusters)

    def wait(self) -> None:
        """Return once it is gone, with all that it owned; raises FailedError."""
        wait_until_gone(self.api, self.ref, self.uid)
        for one in self.clusters:
            wait_until_gone(self.api, Ref.of(one), one["metadata"]["uid"])
            self._wait_for_pods(one)

    def _wait_for_pods(self, cluster: Manifest) -> None:
        name, namespace = cluster["metadata"]["name"], self.ref.namespace
        for pod in self.api.list("Pod", namespace, selector=f"ray.io/cluster={name}"):
            wait_until_gone(self.api, Ref.of(pod), pod["metadata"]["uid"])


def _with_state(api: Api, ref: Ref, uid: str) -> Iterable[Manifest]:
    if ref.kind not in RAY_KINDS:
        return
    for one in api.list("RayCluster", ref.namespace):
        metadata = one["metadata"]
        owners = {owner["uid"] for owner in metadata.get("ownerReferences") or ()}
        if uid in {metadata["uid"], *owners} and KEEPS_STATE in (
            metadata.get("finalizers") or ()
        ):
            yield one


def wait_until_gone(
    api: Api, ref: Ref, uid: str, seconds: float = _GONE_SECONDS
) -> None:
    """Return once an object is gone, with all that it owned.

    Raises FailedError, with what holds it, after `seconds`.
    """
    begun = time.monotonic()
    waiting = api.within(seconds)
    while (here := api.get(ref)) and here["metadata"]["uid"] == uid:
        if waiting.wait(_POLL_SECONDS):
            held_by = ", ".join(here["metadata"].get("finalizers") or ("its pods",))
            raise FailedError(
                f"{ref} in namespace {ref.namespace} is not gone after "
                f"{time.monotonic() - begun:.0f} s: it waits for {held_by}",
                hint=f"see kubectl describe {ref.kind} {ref.name} -n {ref.namespace}",
            )
