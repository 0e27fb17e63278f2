"""Why pods of a run are not ready: one answer for pods with the same trouble."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes.causes import containers, scheduling
from ray_gke.targets.kubernetes.causes.finding import Finding, duration, merged
from ray_gke.targets.kubernetes.causes.pod_seen import PodSeen, by_group, first, subject
from ray_gke.targets.kubernetes.view import condition, seconds

_MOUNT_SECONDS = 30.0
_TROUBLE = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
_PULL_SECONDS = 2.0
_IDLE_SECONDS = 60.0


def causes(pods: Iterable[PodSeen]) -> list[Cause]:
    """Return why pods are not ready, those of heads first."""
    found: dict[tuple[str, str], list[tuple[PodSeen, Finding]]] = {}
    for seen in pods:
        finding = _worst(findings(seen))
        if finding:
            found.setdefault((seen.group, finding.text), []).append((seen, finding))
    keys = [(one.group, text) for (_, text), both in found.items() for one, _ in both]
    ordered = by_group(
        [seen for both in found.values() for seen, _ in both], lambda one: one.group
    )
    return [
        _cause(found[key])
        for group in ordered
        for key in dict.fromkeys(keys)
        if key[0] == group
    ]


def findings(seen: PodSeen) -> Iterator[Finding]:
    """Yield what is wrong with a pod, from what comes first in its life."""
    if seen.status.get("phase") == "Succeeded":
        return
    yield from _lost(seen)
    if unscheduled := scheduling.finding(seen):
        yield unscheduled
        return
    for status, init in seen.containers():
        if found := containers.finding(seen, status, init=init):
            yield found
    if seen.status.get("phase") == "Pending":
        yield from _preparing(seen)


def _worst(found: Iterable[Finding]) -> Finding | None:
    return min(found, key=lambda one: not one.lasting, default=None)


def _cause(both: list[tuple[PodSeen, Finding]]) -> Cause:
    pods = [seen for seen, _ in both]
    cause = merged(finding for _, finding in both).of(subject(pods))
    if len(pods) == 1 or pods[0].is_head:
        return cause
    names = ", ".join(pod.name for pod in pods[:5])
    more = f" and {len(pods) - 5} more" if pods[5:] else ""
    line = f"pods: {names}{more}"
    return Cause(
        cause.what, (*cause.evidence, line), cause.fix, cause.lasting, cause.since
    )


def _lost(seen: PodSeen) -> Iterator[Finding]:
    """Yield what has happened to the pod as a whole, or to its node."""
    node = seen.spec.get("nodeName", "")
    reason = seen.status.get("reason", "")
    if seen.status.get("phase") == "Failed" and reason:
        said = seen.status.get("message", "")
        yield Finding(
            f"was ended by its node: {reason}",
            (f"pod on node {node}: {reason}: {said}",),
            "KubeRay makes another pod in its place; look at the node if it recurs: "
            f"kubectl describe node {node}",
            since=seconds(condition(seen.pod, "Ready").get("lastTransitionTime")),
        )
    silent = [event for event in seen.said("NodeNotReady") if event.warning]
    not_ready = condition(seen.pod, "Ready").get("status") == "False"
    if silent and not_ready and seen.status.get("phase") == "Running":
        yield Finding(
            "is cut off: its node does not answer",
            tuple(str(event) for event in silent[-1:]),
            f"kubectl describe node {node} shows more; the pod is replaced after some "
            "minutes",
            since=first(silent, seen.started),
        )


def _preparing(seen: PodSeen) -> Iterator[Finding]:
    """Yield what a node does before it starts the first container."""
    node = seen.spec.get("nodeName", "")
    trouble = seen.said(*_TROUBLE)
    if trouble:
        newest, since = trouble[-1], first(trouble, seen.started)
        missing = "not found" in newest.message and newest.reason == "FailedMount"
        yield Finding(
            f"cannot start: {newest.reason}: {_short(newest.message)}",
            (str(newest),),
            f"kubectl describe pod {seen.name} -n {seen.namespace} shows more",
            lasting=missing and seen.now - since >= _MOUNT_SECONDS,
            since=since,
        )
    pulling = seen.said("Pulling", "Pulled")
    if pulling and pulling[-1].reason == "Pulling":
        newest = pulling[-1]
        waited = seen.now - newest.last
        if waited >= _PULL_SECONDS:
            image = newest.message.partition('"')[2].rstrip('"') or "an image"
            yield Finding(
                f"waits for its image: the node is pulling {image}",
                (f"node {node}: {newest.message}, for {duration(waited)} now",),
                "",
                since=newest.last,
            )
    elif not trouble and seen.now - seen.started >= _IDLE_SECONDS:
        idle = duration(seen.now - seen.started)
        yield Finding(
            "has a node, which does not start its containers",
            (f"node {node} has had the pod for {idle}",),
            f"kubectl describe pod {seen.name} -n {seen.namespace} shows more",
            since=seen.started,
        )


def _short(message: str) -> str:
    """Return the end of a message whose beginning repeats what it is about."""
    return message.rpartition(" : ")[2] if " : " in message else message
