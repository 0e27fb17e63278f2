"""Why Kubernetes does not let KubeRay or a Job make their pods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ray_gke.planning.plan import HEAD
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes.causes.finding import Finding
from ray_gke.targets.kubernetes.pod_requests import numbers, used
from ray_gke.targets.kubernetes.resources import labels
from ray_gke.targets.kubernetes.view import (
    GROUP_LABEL,
    Event,
    View,
    condition,
    seconds,
)

GRACE_SECONDS = 10.0
"""The operator tries again at once; by then it is not by chance."""

_RECENT_SECONDS, _REPEATED_SECONDS = 180.0, 30.0
_QUOTA = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<requested>\S+), "
    r"used: (?P<used>\S+), limited: (?P<limited>[^\s;]+)"
)
_BRACKETS = re.compile(r" \((?:pod|container)[^()]*\)")
_SEE = "ray-gke explain {run} shows more"


@dataclass(frozen=True)
class _Rule:
    """What is wrong and what to do, with the groups of a pattern as {0}, {1}."""

    pattern: str
    what: str
    fix: str
    hopeless: bool = True


_RULES = (
    _Rule(
        r"failed quota: ([^:]+): must specify (.+)",
        "quota {0} wants {1} to be set",
        "set it by a patch, or have defaults in a LimitRange of the namespace",
    ),
    _Rule(
        r'violates PodSecurity "([^":]+)[^"]*": (.*)',
        "namespace {namespace} only takes pods that are {0!r}: {1}",
        "take the patch back that breaks the rule, or run kubectl label namespace "
        "{namespace} --overwrite pod-security.kubernetes.io/enforce=privileged",
    ),
    _Rule(
        r"((?:maximum|minimum) \S+ usage per \w+ is [^\]]+)",
        "a LimitRange of namespace {namespace} forbids it: {0}",
        "ask for less in the blueprint, or have the limit changed: "
        "kubectl describe limitrange -n {namespace}",
    ),
    _Rule(
        r'admission webhook "([^"]+)" denied the request:?\s*(.*)',
        "the policy {0} forbids it: {1}",
        "do what the policy asks, by a patch of the blueprint",
    ),
    _Rule(
        r'failed calling webhook "([^"]+)"',
        "the webhook {0} does not answer",
        "start what serves the webhook, or remove the webhook",
        hopeless=False,
    ),
    _Rule(
        r'User "([^"]+)" cannot (\w+) resource "([^"]+)"',
        "{0} may not {1} {2}",
        "install KubeRay with the rights for this namespace, by its Helm chart",
    ),
    _Rule(
        r"no PriorityClass with name (\S+) was found",
        "there is no PriorityClass {0}",
        "create it, or take the patch back that names it",
    ),
    _Rule(
        r'serviceaccount "([^"]+)" not found',
        "there is no service account {0}",
        "ray-gke up {run} makes it again",
    ),
    _Rule(
        "being terminated",
        "namespace {namespace} is being deleted",
        "wait until it is gone, then run ray-gke up {run} again, or use another one",
    ),
    _Rule(
        "^[^,]*, (.*(?:is invalid|Invalid value).*)",
        "{0}",
        "correct the blueprint or its patches, then run ray-gke up {run} again",
    ),
    _Rule("^[^,]*, (.*)", "{0}", _SEE, hopeless=False),
    _Rule("(.*)", "{0}", _SEE, hopeless=False),
)
_SUBJECTS = {
    "FailedToCreateHeadPod": "the head pod of",
    "FailedToCreateWorkerPod": "worker pods of",
    "FailedCreateHeadPod": "the head pod of",
    "FailedCreateWorkerPod": "worker pods of",
    "FailedCreate": "the submitter pod of",
    "FailedToCreateRayCluster": "the RayCluster of",
    "FailedToCreateRayJobSubmitter": "the submitter of",
    "FailedToCreateService": "a service of",
    "FailedToCreateServiceAccount": "a service account of",
    "FailedToCreateRole": "a role of",
    "FailedToCreateRoleBinding": "a role binding of",
    "AutoscalerServiceAccountNotFound": "the service account of the autoscaler of",
}


def causes(view: View, now: float) -> Iterator[Cause]:
    """Yield what cannot be made, as far as it is still missing."""
    said: dict[tuple[str, str, str], list[Event]] = {}
    for event in view.events:
        if event.reason in _SUBJECTS and event.warning:
            said.setdefault((event.kind, event.name, event.reason), []).append(event)
    told = set()
    for events in said.values():
        if _is_current(view, events, now):
            told.add(events[-1].name)
            yield _cause(view, events, now)
    for cluster in view.clusters:
        failure = condition(cluster, "ReplicaFailure")
        if failure.get("status") == "True" and cluster["metadata"]["name"] not in told:
            yield from _of_condition(view, cluster, failure, now)


def _of_condition(
    view: View, cluster: Manifest, failure: Manifest, now: float
) -> Iterator[Cause]:
    """Yield the same from the cluster's status: events may come late or unread."""
    reason, said = failure.get("reason", ""), failure.get("message", "")
    if reason in _SUBJECTS:
        finding = _finding(view, said)
        name = cluster["metadata"]["name"]
        subject = f"{_SUBJECTS[reason]} RayCluster/{name}"
        evidence = (f"condition ReplicaFailure of RayCluster/{name}: {said}",)
        since = seconds(failure.get("lastTransitionTime"))
        old = since is not None and now - since >= GRACE_SECONDS
        yield Finding(
            finding.text,
            evidence,
            finding.fix,
            lasting=finding.lasting and old,
            since=since,
        ).of(subject)


def _is_current(view: View, events: Sequence[Event], now: float) -> bool:
    event = events[-1]
    pods = [
        pod
        for cluster in view.clusters
        if event.kind != "RayCluster" or cluster["metadata"].get("uid") == event.uid
        for pod in view.pods_of(cluster)
    ]
    match event.reason:
        case "FailedToCreateHeadPod":
            return not any(labels(pod).get(GROUP_LABEL) == HEAD for pod in pods)
        case "FailedCreate":
            return event.kind == "Job" and not view.submitter_pods
        case "FailedToCreateWorkerPod":
            cluster = next(
                c for c in view.clusters if c["metadata"].get("uid") == event.uid
            )
            if condition(cluster, "ReplicaFailure").get("status") == "True":
                return True
            return _workers_missing(cluster, pods)
        case "FailedToCreateRayJobSubmitter" if view.submitter:
            return False
        case _:
            of_ray = event.reason == "FailedToCreateRayCluster"
            return _is_missing(events, view.clusters if of_ray else pods, now)


def _is_missing(
    events: Sequence[Event], following: Iterable[Manifest], now: float
) -> bool:
    """Tell whether what could not be made is still missing.

    Of what is made after it nothing is there, or it is from before the failures.
    """
    silent = now - events[-1].last
    moments = [seconds(one["metadata"].get("creationTimestamp")) for one in following]
    if not moments:
        return silent < _RECENT_SECONDS
    since = any(moment and moment > events[-1].last for moment in moments)
    again = sum(event.count for event in events) > 1
    return again and not since and silent < _REPEATED_SECONDS


def _workers_missing(cluster: Manifest, pods: Iterable[Manifest]) -> bool:
    wanted: int = (cluster.get("status") or {}).get("desiredWorkerReplicas", 0)
    return sum(labels(pod).get(GROUP_LABEL) != HEAD for pod in pods) < wanted


def _cause(view: View, events: Sequence[Event], now: float) -> Cause:
    newest, since = events[-1], min(event.first for event in events)
    finding = _finding(view, newest.message)
    return Finding(
        finding.text,
        (str(newest),),
        finding.fix,
        lasting=finding.lasting and now - since >= GRACE_SECONDS,
        since=since,
    ).of(f"{_SUBJECTS[newest.reason]} {newest.kind}/{newest.name}")


def _finding(view: View, said: str) -> Finding:
    """Return why something may not be made; `lasting` as if it had been so for long."""
    if found := _QUOTA.search(said):
        return _quota(view, found)
    names = {"namespace": view.inventory.namespace, "run": view.inventory.name}
    # Pod Security says in brackets which field of which container it is.
    line = _BRACKETS.sub("", " ".join(said.split()))
    rule, found = next(
        (rule, found) for rule in _RULES if (found := re.search(rule.pattern, line))
    )
    what = rule.what.format(*found.groups(), **names)
    fix = rule.fix.format(*found.groups(), **names)
    return Finding(f"cannot be made: {what}", fix=fix, lasting=rule.hopeless)


def _quota(view: View, found: re.Match[str]) -> Finding:
    """Return the cause of a full quota: only what others use can become free."""
    words = {part: _amounts(found[part]) for part in ("requested", "used", "limited")}
    wanted, taken, limits = (numbers(amounts) for amounts in words.values())
    own = used([*view.pods, *view.balloons])
    full = [
        key
        for key, limit in limits.items()
        if key in wanted and wanted[key] + taken.get(key, 0) > limit
    ]
    hopeless = any(wanted[key] + own.get(key, 0) > limits[key] for key in full)
    parts = ", ".join(
        f"{key}: {words['requested'][key]} wanted, "
        f"{words['used'].get(key, '0')} of {words['limited'][key]} used"
        for key in full
    )
    namespace, name = view.inventory.namespace, found["name"]
    return Finding(
        f"cannot be made: quota {name} leaves too little ({parts})",
        fix=f"have quota {name} of namespace {namespace} raised, or ask for less in "
        f"the blueprint; kubectl describe quota {name} -n {namespace}",
        lasting=hopeless,
    )


def _amounts(text: str) -> Mapping[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)
