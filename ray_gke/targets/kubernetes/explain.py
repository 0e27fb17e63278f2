"""Why something of a run is pending or failing, with all that can be seen of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ray_gke.errors import RayGkeError
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.explanation import Cause, Explanation, Pending
from ray_gke.targets.kubernetes import causes, head, node_matching, node_room, view
from ray_gke.targets.kubernetes.api import Api, NotAllowedError, StreamEnded
from ray_gke.targets.kubernetes.inventory import Inventory
from ray_gke.targets.kubernetes.node_matching import shown
from ray_gke.targets.kubernetes.pod_requests import numbers, used
from ray_gke.targets.kubernetes.resources import labels
from ray_gke.targets.kubernetes.status import standing
from ray_gke.targets.kubernetes.view import GROUP_LABEL, View

_TAIL = 10


def explain(api: Api, namespace: str, name: str) -> Explanation:
    """Return why a run is not as it should be, whatever state it is in.

    Raises UsageError when there is no such run.
    """
    known = head.find(api, namespace, name)
    seen = view.read(api, known)
    found = causes.causes(seen, time.time())
    looked = _Look(api, seen)
    unplaced = looked.pending()
    notes = (*looked.hidden, *looked.quotas(), *_groups(seen), *_balloons(seen))
    return Explanation(
        name=name,
        namespace=known.namespace,
        kind=known.kind,
        state=_state(seen, found, unplaced),
        causes=tuple(looked.with_log(cause) for cause in found),
        pending=unplaced,
        notes=notes,
    )


def _state(seen: View, found: Sequence[Cause], unplaced: Sequence[Pending]) -> str:
    name = seen.inventory.name
    status, message = standing(seen.ray)
    sentence = f"{name} is {status}"
    if found:
        many = f"; {len(found)} causes" if found[1:] else ""
        return f"{sentence}: {found[0].what}{many}"
    if message and status not in {"RUNNING", "SUCCEEDED"}:
        return f"{sentence}: {' '.join(message.split())}"
    waiting = sum(len(one.pods) for one in unplaced)
    if waiting:
        return f"{sentence}: {waiting} pod{'s'[: waiting != 1]} without a node yet"
    return f"{sentence}; nothing is pending"


@dataclass
class _Look:
    """A closer look; `hidden` grows by what the user may not see."""

    api: Api
    seen: View
    hidden: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hidden += self.seen.hidden

    @property
    def _inventory(self) -> Inventory:
        return self.seen.inventory

    def pending(self) -> tuple[Pending, ...]:
        """Return why pods have no node; the nodes are only looked at if there are."""
        alike = _alike(self.seen)
        if not alike:
            return ()
        try:
            nodes = self.api.list("Node")
        except NotAllowedError:
            self.hidden.append(
                "nodes may not be listed by this user, so what they lack is not shown"
            )
            return ()
        pods = self._pods_on_nodes()
        places = [node_matching.room(node, pods) for node in nodes]
        pools = self._inventory.pools
        return tuple(node_room.pending(group, places, pools) for group in alike)

    def _pods_on_nodes(self) -> list[Manifest]:
        running = "status.phase!=Succeeded,status.phase!=Failed,spec.nodeName!="
        try:
            return self.api.list("Pod", fields=running)
        except NotAllowedError:
            self.hidden.append(
                "pods of other namespaces may not be listed by this user, so nodes may "
                "have less left than is shown"
            )
            return [*self.seen.pods, *self.seen.balloons]

    def quotas(self) -> Iterator[str]:
        """Yield the quotas of the namespace that are full, or nearly so."""
        try:
            found = self.api.list("ResourceQuota", self._inventory.namespace)
        except NotAllowedError:
            return
        own = used([*self.seen.pods, *self.seen.balloons])
        for quota in found:
            status = quota.get("status") or {}
            hard, taken = status.get("hard") or {}, status.get("used") or {}
            limits, uses = numbers(hard), numbers(taken)
            for key, limit in limits.items():
                if limit and uses.get(key, 0) >= limit * 9 / 10:
                    mine = shown(key.rpartition(".")[2], own.get(key, limit * 0))
                    yield (
                        f"quota {quota['metadata']['name']}: {taken[key]} of "
                        f"{hard[key]} {key} used, {mine} by this run"
                    )

    def with_log(self, cause: Cause) -> Cause:
        """Return the cause with the last lines of the container that it is about."""
        for pod in self.seen.pods:
            if pod["metadata"]["name"] not in cause.what:
                continue
            for container, previous in _failed_containers(pod):
                lines = self._tail(pod, container, previous=previous)
                told = [f"log of container {container}: {line}" for line in lines]
                return replace(cause, evidence=(*cause.evidence, *told))
        return cause

    def _tail(self, pod: Manifest, container: str, *, previous: bool) -> list[str]:
        path = f"/api/v1/namespaces/{self._inventory.namespace}/pods"
        query = {"container": container, "tailLines": str(_TAIL)}
        query |= {"previous": "true"} if previous else {}
        try:
            lines = self.api.lines(f"{path}/{pod['metadata']['name']}/log", query)
            return [line for line in lines if line.strip()][-_TAIL:]
        except (RayGkeError, StreamEnded):
            # The kubelet may have removed it, or the user may not read it.
            return []


def _alike(seen: View) -> list[list[Manifest]]:
    """Return the pods without a node, those together that ask for the same."""
    groups: dict[str, list[Manifest]] = {}
    for pod in seen.pods:
        spec = pod.get("spec") or {}
        if spec.get("nodeName") or view.is_going(pod):
            continue
        asks = ("nodeSelector", "affinity", "tolerations")
        sizes = [c.get("resources") for c in spec.get("containers") or ()]
        key = [labels(pod).get(GROUP_LABEL), sizes, [spec.get(a) for a in asks]]
        groups.setdefault(json.dumps(key, sort_keys=True), []).append(pod)
    return list(groups.values())


def _failed_containers(pod: Manifest) -> Iterator[tuple[str, bool]]:
    """Yield containers that have failed, and whether they were started again since."""
    status = pod.get("status") or {}
    every = (status.get("initContainerStatuses"), status.get("containerStatuses"))
    for one in (one for some in every for one in some or ()):
        state, last = one.get("state") or {}, one.get("lastState") or {}
        if (state.get("terminated") or {}).get("exitCode"):
            yield one["name"], False
        elif (last.get("terminated") or {}).get("exitCode"):
            yield one["name"], True


def _groups(seen: View) -> Iterator[str]:
    """Yield which groups are as large as they may be, or wait for the autoscaler."""
    for cluster in seen.clusters:
        if view.condition(cluster, "HeadPodReady").get("status") != "True":
            continue
        pods = seen.pods_of(cluster)
        for group in cluster["spec"].get("workerGroupSpecs") or ():
            name = group["groupName"]
            count = sum(labels(pod).get(GROUP_LABEL) == name for pod in pods)
            least, most = group.get("minReplicas", 0), group.get("maxReplicas", 0)
            if not cluster["spec"].get("enableInTreeAutoscaling") or least == most:
                continue
            if count >= most:
                yield f"group {name} has its {most} max_replicas: no more workers come"
            elif count <= least:
                yield (
                    f"group {name} has {count} of at most {most} workers: more come "
                    "when tasks or actors ask for resources that are not free"
                )


def _balloons(seen: View) -> Iterator[str]:
    running = [p for p in seen.balloons if (p.get("spec") or {}).get("nodeName")]
    if running and _alike(seen):
        yield (
            f"{len(running)} balloon pods of this run have nodes and give way to its "
            "workers"
        )
