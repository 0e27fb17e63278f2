"""Why a pod has no node, in words instead of the scheduler's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ray_gke.targets.kubernetes.causes.finding import Finding, duration
from ray_gke.targets.kubernetes.causes.pod_seen import PodSeen
from ray_gke.targets.kubernetes.view import condition, seconds

_NODES = re.compile(r"0/(\d+) nodes are available: (.*?)\.?(?:\. |$)", re.DOTALL)
_COUNTED = re.compile(r"(\d+) (.*)", re.DOTALL)
_SELECTED = "node(s) didn't match Pod's node affinity/selector"
_TAINT = re.compile(
    r"node\(s\) had (?:untolerated )?taints? \{([^:}]*)(?:: ?([^}]*))?}"
)
_SOME_TAINT = "node(s) had untolerated taint(s)"
_WORDS = {
    "Too many pods": "run as many pods as they may",
    "node(s) were unschedulable": "are cordoned",
    "node(s) didn't have free ports for the requested pod ports": "have its port taken",
    "node(s) didn't match pod topology spread constraints": "would break its spread",
    "node(s) had volume node affinity conflict": "cannot reach its volume",
    "node(s) exceed max volume count": "have as many volumes as they may",
}
_SCHEDULER_SECONDS = 10.0


def finding(seen: PodSeen) -> Finding | None:
    """Return why a pod has no node, if it has none."""
    if seen.spec.get("nodeName"):
        return None
    scheduled = condition(seen.pod, "PodScheduled")
    since = seconds(scheduled.get("lastTransitionTime")) or seen.started
    if scheduled.get("reason") == "SchedulingGated":
        gates = [gate["name"] for gate in seen.spec.get("schedulingGates") or ()]
        text = f"is held back by the scheduling gate {', '.join(gates)}"
        fix = "whoever has set the gate must remove it, such as a queue like Kueue"
        return Finding(text, (scheduled.get("message", ""),), fix, since=since)
    if not scheduled:
        return _unseen(seen)
    said = scheduled.get("message", "")
    nodes = _scale_up(seen) or (f"cannot be scheduled: {in_words(seen, said)}", (), "")
    text, evidence, fix = nodes
    return Finding(text, (said, *evidence), fix or _fix(seen, said), since=since)


def in_words(seen: PodSeen, said: str) -> str:
    """Return the scheduler's message in words; unknown reasons as they are."""
    if "no nodes available" in said:
        return "the cluster has no nodes"
    found = _NODES.search(said)
    if not found:
        return " ".join(said.split()) or "the scheduler does not say why"
    total = int(found[1])
    reasons = sorted(_reasons(found[2]), key=lambda reason: -reason[0])
    parts = [_part(seen, count, why, total) for count, why in reasons]
    who = f"none of {total} nodes can" if total > 1 else "the only node cannot"
    return f"{who} take it: {'; '.join(parts)}"


def selected(pod_spec: Mapping[str, object]) -> str:
    """Return in words which labels a pod wants its node to have."""
    found = [f"{k}={v}" for k, v in _selector(pod_spec).items()]
    return ", ".join(found) or "what its node affinity wants"


def _selector(pod_spec: Mapping[str, object]) -> Mapping[str, str]:
    found = pod_spec.get("nodeSelector")
    return found if isinstance(found, Mapping) else {}


def _reasons(text: str) -> Iterator[tuple[int, str]]:
    """Yield how many nodes do not fit for which reason; 0 for none in particular."""
    for part in re.split(r", (?=\d+ )", text):
        counted = _COUNTED.fullmatch(part.strip())
        yield (int(counted[1]), counted[2]) if counted else (0, part.strip())


def _part(seen: PodSeen, count: int, why: str, total: int) -> str:
    if not count:
        return why
    who = "all" if count == total else str(count)
    who = "it" if total == 1 else who
    return f"{who} {_reason(seen, why, one=who in {'1', 'it'})}"


def _reason(seen: PodSeen, why: str, *, one: bool) -> str:
    have = "has" if one else "have"
    if why.startswith("Insufficient "):
        return f"{have} too little {why.removeprefix('Insufficient ')} left"
    if why.startswith(_SELECTED):
        return f"{'lacks' if one else 'lack'} {selected(seen.spec)}"
    if taint := _TAINT.match(why):
        value = f"={taint[2]}" if taint[2] else ""
        return f"{have} the taint {taint[1]}{value}, which it does not tolerate"
    if why.startswith(_SOME_TAINT):
        return f"{have} a taint that it does not tolerate"
    for known, words in _WORDS.items():
        if why.startswith(known):
            return words
    return f"{'says' if one else 'say'}: {why}"


def _scale_up(seen: PodSeen) -> tuple[str, tuple[str, ...], str] | None:
    """Return what the cluster autoscaler does about it, if it said anything."""
    said = [event for event in seen.events if "ScaleUp" in event.reason]
    if not said:
        return None
    newest = said[-1]
    why = condition(seen.pod, "PodScheduled").get("message", "")
    if newest.reason == "TriggeredScaleUp":
        text = "waits for new nodes, which the cluster autoscaler is adding"
        return text, (str(newest),), "wait: a node takes some minutes to come"
    text = (
        f"cannot be scheduled: {in_words(seen, why)}; the cluster autoscaler adds no "
        f"node: {newest.message.partition(': ')[2] or newest.message}"
    )
    return text, (str(newest),), ""


def _unseen(seen: PodSeen) -> Finding | None:
    waited = seen.now - seen.started
    if waited < _SCHEDULER_SECONDS:
        return None
    scheduler = seen.spec.get("schedulerName", "default-scheduler")
    return Finding(
        f"is not looked at by the scheduler {scheduler}",
        (f"it has waited for {duration(waited)}",),
        f"check that the scheduler {scheduler} exists and runs",
        since=seen.started,
    )


def _fix(seen: PodSeen, said: str) -> str:
    more = f"ray-gke explain {seen.run} shows what each node lacks"
    if "PersistentVolumeClaim" in said or "persistentvolumeclaim" in said:
        return f"kubectl get pvc -n {seen.namespace} shows what the volume waits for"
    if _SELECTED in said and "Insufficient" not in said:
        return f"add nodes with {selected(seen.spec)}, or ask for others; {more}"
    if short := re.findall(r"Insufficient ([^\s,]+)", said):
        named = ", ".join(dict.fromkeys(one.rstrip(".") for one in short))
        return f"add nodes, free some, or ask for less {named}; {more}"
    return more
