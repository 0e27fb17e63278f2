"""Take an object away, with all that it owns, and wait until it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ray_gke.errors import FailedError
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import cluster_facts, kuberay_operator
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.kuberay_install import install
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref

KEEPS_STATE = "ray.io/gcs-ft-redis-cleanup-finalizer"
"""KubeRay's finalizer of clusters whose state is in Redis (utils/constant.go)."""

_BY_GARBAGE_COLLECTOR = "foregroundDeletion"
_TELL_SECONDS, _GONE_SECONDS = 10.0, 600
_POLL_SECONDS = 0.3


def _nobody(_: str) -> None:
    """Hear what is waited for, and do nothing."""


@dataclass(frozen=True)
class Removal:
    """One object on its way out; `clusters` are those whose state goes first.

    `say` is told what it waits for, when it takes a while.
    """

    api: Api
    ref: Ref
    uid: str
    clusters: tuple[Manifest, ...] = ()
    say: Callable[[str], None] = _nobody

    @classmethod
    def of(
        cls, api: Api, ref: Ref, uid: str, say: Callable[[str], None] = _nobody
    ) -> Removal:
        """Return the removal of an object, if it still is the one with this uid."""
        return cls(api, ref, uid, tuple(_with_state(api, ref, uid)), say)

    def delete(self) -> None:
        """Ask for it.

        Whatever an object owns goes before it; but to clean up in Redis, KubeRay makes
        a Job that the cluster owns: it would go at once, again and again.
        """
        self.api.delete(self.ref, uid=self.uid, foreground=not self.clusters)

    def wait(self) -> None:
        """Return once it is gone, with all that it owned; raises FailedError."""
        self._wait_for(self.ref, self.uid)
        for one in self.clusters:
            self._wait_for(Ref.of(one), one["metadata"]["uid"])
            self._wait_for_pods(one)

    def _wait_for(self, ref: Ref, uid: str) -> None:
        wait_until_gone(self.api, ref, uid, say=self.say)

    def _wait_for_pods(self, cluster: Manifest) -> None:
        name, namespace = cluster["metadata"]["name"], self.ref.namespace
        for pod in self.api.list("Pod", namespace, selector=f"ray.io/cluster={name}"):
            self._wait_for(Ref.of(pod), pod["metadata"]["uid"])


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
    api: Api,
    ref: Ref,
    uid: str,
    seconds: float = _GONE_SECONDS,
    say: Callable[[str], None] = _nobody,
) -> None:
    """Return once an object is gone, with all that it owned.

    Raises FailedError, with what holds it, after `seconds`, and soon when only an
    operator that is not there could let it go. `say` is told what it waits for.
    """
    begun = time.monotonic()
    waiting, told = api.within(seconds), False
    while (here := api.get(ref)) and here["metadata"]["uid"] == uid:
        waited = time.monotonic() - begun
        if waited > _TELL_SECONDS and not told:
            told = True
            say(f"{ref} waits for {_held_by(here, ref)}")
            _check_operator(api, here, ref)
        if waiting.wait(_POLL_SECONDS):
            waited = time.monotonic() - begun
            namespace = f" -n {ref.namespace}" if ref.namespace else ""
            raise FailedError(
                f"{_place(ref)} is not gone after {waited:.0f} s: it waits for "
                f"{_held_by(here, ref)}",
                hint=f"see kubectl describe {ref.kind} {ref.name}{namespace}",
            )


def _place(ref: Ref) -> str:
    return f"{ref} in namespace {ref.namespace}" if ref.namespace else str(ref)


def _held_by(here: Manifest, ref: Ref) -> str:
    """Return what lets an object go, as its finalizers have it."""
    finalizers = here["metadata"].get("finalizers") or ()
    others = [one for one in finalizers if one != _BY_GARBAGE_COLLECTOR]
    return ", ".join(others) or (
        "what is in it" if ref.kind == "Namespace" else "its pods"
    )


def _check_operator(api: Api, here: Manifest, ref: Ref) -> None:
    """Raise FailedError for what waits for KubeRay, where there is no KubeRay.

    As GKE's add-on its operator is out of sight.
    """
    of_kuberay = kuberay_operator.finalizers(here)
    if not of_kuberay or cluster_facts.is_gke(api):
        return
    if kuberay_operator.is_absent(api):
        raise FailedError(
            f"{_place(ref)} stays: it waits for {', '.join(of_kuberay)}, and the "
            "KubeRay operator is not there, which takes that off",
            hint=f"{install()}; then the same command goes on",
        )
