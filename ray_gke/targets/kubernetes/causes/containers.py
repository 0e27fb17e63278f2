"""Why a container of a pod does not run, or is not ready."""

from __future__ import annotations

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.causes import images
from ray_gke.targets.kubernetes.causes.finding import Finding, duration
from ray_gke.targets.kubernetes.causes.pod_seen import (
    AUTOSCALER,
    WAIT_FOR_HEAD,
    PodSeen,
    first,
)
from ray_gke.targets.kubernetes.view import seconds

GRACE_SECONDS = 20.0
"""What a container needs may be made a moment after it."""

HOPELESS_RESTARTS = 3
"""So many failures in a row are not bad luck."""

# A head or worker of Ray takes this long to start on a good day.
_STARTING_SECONDS = 30.0
_HEAD_ANSWERS_SECONDS = 120.0

_NOT_STARTED = frozenset({"StartError", "ContainerCannotRun"})
_EXITS = {
    126: "a command cannot be executed",
    127: "a command was not found",
    137: "it was killed",
    139: "it crashed",
    143: "it was ended",
}


def finding(seen: PodSeen, status: Manifest, *, init: bool) -> Finding | None:
    """Return what is wrong with a container, if anything is."""
    state = status.get("state") or {}
    if waiting := state.get("waiting"):
        return _waiting(seen, status, waiting, init=init)
    if ended := state.get("terminated"):
        return _ended(seen, status, ended, init=init) if _failed(ended) else None
    if running := state.get("running"):
        return _running(seen, status, running, init=init)
    return None


def _failed(ended: Manifest) -> bool:
    return bool(ended.get("exitCode", 0))


def _waiting(
    seen: PodSeen, status: Manifest, waiting: Manifest, *, init: bool
) -> Finding | None:
    reason = waiting.get("reason", "")
    if reason in images.REASONS:
        return images.finding(seen, status, waiting)
    if reason == "CreateContainerConfigError":
        return _needs(seen, status, waiting)
    last = (status.get("lastState") or {}).get("terminated") or {}
    if reason == "CrashLoopBackOff" or _failed(last):
        return _again(seen, status, last, init=init)
    if reason in {"", "ContainerCreating", "PodInitializing"}:
        return None
    since = first(seen.said("Failed"), seen.started)
    return Finding(
        f"cannot start its container {status['name']}: {reason}",
        (f"container {status['name']}: {reason}: {waiting.get('message', '')}",),
        f"kubectl describe pod {seen.name} -n {seen.namespace} shows more",
        lasting=seen.now - since >= GRACE_SECONDS,
        since=since,
    )


def _needs(seen: PodSeen, status: Manifest, waiting: Manifest) -> Finding:
    """Return the cause where a Secret, ConfigMap or user is not as the spec wants."""
    said = " ".join(str(waiting.get("message", "")).split()).partition(" (pod: ")[0]
    failed = [e for e in seen.said("Failed") if said and said in e.message]
    since = first(failed, seen.started)
    fix = "create it in the namespace, or correct what refers to it, as in patches"
    if "runAsNonRoot" in said or "non-root" in said:
        fix = "use an image whose user is not root, or set runAsUser by a patch"
    return Finding(
        f"cannot start its container {status['name']}: {said}",
        (f"container {status['name']}: {waiting['reason']}: {said}",),
        fix,
        lasting=seen.now - since >= GRACE_SECONDS,
        since=since,
    )


def _again(
    seen: PodSeen,
    status: Manifest,
    last: Manifest,
    *,
    init: bool,
    running: bool = False,
) -> Finding:
    """Return the cause of a container that fails and is started again and again."""
    count = int(status.get("restartCount", 0))
    again = f"container {status['name']}: restarted {count} time{'s'[: count != 1]}"
    return Finding(
        f"{_why(seen, status, last, init=init)}, and is restarted",
        (_exit(status, last), again),
        _fix(seen, status, last, previous=True),
        lasting=not running and count >= HOPELESS_RESTARTS,
        since=seconds(last.get("finishedAt")),
    )


def _ended(
    seen: PodSeen, status: Manifest, ended: Manifest, *, init: bool
) -> Finding | None:
    if seen.restarts:
        return _again(seen, status, ended, init=init)
    if status["name"] == AUTOSCALER and seen.is_head:
        return _autoscaler(seen, status, ended)
    since = seconds(ended.get("finishedAt")) or seen.started
    return Finding(
        f"{_why(seen, status, ended, init=init)}, and is not restarted",
        (_exit(status, ended),),
        _fix(seen, status, ended, previous=False),
        # KubeRay replaces such a pod at once, a Job makes another submitter.
        lasting=bool(seen.group) and seen.now - since >= GRACE_SECONDS,
        since=since,
    )


def _autoscaler(seen: PodSeen, status: Manifest, ended: Manifest) -> Finding:
    """Return the cause of a head that stays half ready, which nothing repairs.

    KubeRay only looks at Ray's own container when it decides to replace a head.
    """
    return Finding(
        "never becomes ready: Ray's autoscaler beside it has ended with exit code "
        f"{ended.get('exitCode')}, and restartPolicy Never keeps it from being "
        "started again",
        (_exit(status, ended),),
        f"kubectl logs {seen.name} -c {status['name']} -n {seen.namespace} says why: "
        "with 'connection refused' the pod cannot reach the API server, check network "
        "policies; with 'No node info' the head came too late, raise head.cpu; then "
        f"kubectl delete pod {seen.name} -n {seen.namespace}, and KubeRay makes a new "
        "head",
        lasting=True,
        since=seconds(ended.get("finishedAt")),
    )


def _running(
    seen: PodSeen, status: Manifest, running: Manifest, *, init: bool
) -> Finding | None:
    since = seconds(running.get("startedAt")) or seen.started
    if init:
        return _initializing(seen, status, since)
    last = (status.get("lastState") or {}).get("terminated") or {}
    if not status.get("ready") and _failed(last):
        return _again(seen, status, last, init=False, running=True)
    if status.get("ready") or seen.now - since < _STARTING_SECONDS:
        return None
    probes = [e for e in seen.said("Unhealthy") if "Readiness" in e.message]
    return Finding(
        f"is not ready: its container {status['name']} does not pass its readiness "
        "probe",
        (
            f"container {status['name']} has run for {duration(seen.now - since)}",
            *(str(event) for event in probes[-1:]),
        ),
        f"ray-gke logs {seen.run} shows what it does",
        since=since,
    )


def _initializing(seen: PodSeen, status: Manifest, since: float) -> Finding | None:
    if status.get("started") and seen.container(status["name"]).get("restartPolicy"):
        return None  # a sidecar, which runs on
    waited = seen.now - since
    evidence = (f"init container {status['name']} has run for {duration(waited)}",)
    if status["name"] != WAIT_FOR_HEAD:
        text = f"waits for its init container {status['name']}"
        return Finding(text, evidence, f"ray-gke logs {seen.run}", since=since)
    if waited < _HEAD_ANSWERS_SECONDS:
        return Finding("waits for the head to answer", evidence, "", since=since)
    return Finding(
        "waits for the head, which has not answered yet",
        evidence,
        "check that the head is ready, and that network policies let pods of the "
        "cluster reach port 6379 of the head",
        since=since,
    )


def _why(seen: PodSeen, status: Manifest, ended: Manifest, *, init: bool) -> str:
    """Return how a container ended, as the predicate of its pod."""
    name = f"{'init ' if init else ''}container {status['name']}"
    code = int(ended.get("exitCode", 0))
    if ended.get("reason") == "OOMKilled":
        limits = (seen.container(status["name"]).get("resources") or {}).get("limits")
        memory = (limits or {}).get("memory")
        of = f" of {memory}" if memory else ""
        return f"fails: its {name} needed more than its memory{of} and was killed"
    if ended.get("reason") in _NOT_STARTED:
        said = " ".join(str(ended.get("message", "")).split())
        what = said.rpartition("process: ")[2].removesuffix(": unknown")
        return f"fails: its {name} cannot be started: {what}"
    meaning = f" ({_EXITS[code]})" if code in _EXITS else ""
    return f"fails: its {name} ended with exit code {code}{meaning}"


def _exit(status: Manifest, ended: Manifest) -> str:
    said = ended.get("message") or ""
    # The end of a traceback says what happened.
    tail = " | ".join(line.strip() for line in said.strip().splitlines()[-5:])
    return (
        f"container {status['name']}: {ended.get('reason', 'Error')}, exit code "
        f"{ended.get('exitCode', '?')}{': ' if tail else ''}{tail}"
    )


def _fix(seen: PodSeen, status: Manifest, ended: Manifest, *, previous: bool) -> str:
    if ended.get("reason") == "OOMKilled":
        return f"raise {seen.field('memory')}, then run ray-gke up again"
    option = " --previous" if previous else ""
    return (
        f"kubectl logs {seen.name} -c {status['name']} -n {seen.namespace}{option} "
        "shows what it wrote"
    )
