"""What runs in a namespace, as KubeRay and Ray say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import gateways, head, inventory, permissions, view
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.head import DASHBOARD_PORT, SERVE_PORT
from ray_gke.targets.kubernetes.inventory import Inventory
from ray_gke.targets.kubernetes.job_states import has_failed
from ray_gke.targets.kubernetes.ray_pods import (
    NODE_TYPE,
    condition,
    group_of,
    is_ready,
    is_worker,
)
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref
from ray_gke.targets.runs import GroupStatus, Run, Worker

MISSING = "MISSING"
_BROKEN = ("DEPLOY_FAILED", "UNHEALTHY")
_CLIENT_PORT = 10001


def runs(api: Api, namespace: str) -> list[Run]:
    """Return all runs in a namespace, in all without one."""
    with permissions.all_at_once(api, permissions.to_look(namespace)):
        known = inventory.in_namespace(api, namespace)
        seen = _Seen.read(api, namespace, inventory.OURS, known)
    found = [seen.run(one) for one in known]
    return sorted(found, key=lambda run: (run.namespace, run.name))


def run(api: Api, namespace: str, name: str) -> Run:
    """Return the run `name`, or raise UsageError when there is none."""
    known = head.find(api, namespace, name)
    return _Seen.read(api, namespace, known.selector, [known]).run(known)


def of(api: Api, known: Sequence[Inventory]) -> list[Run]:
    """Return the runs of these inventories, in their order, read in few requests."""
    seen = {
        namespace: _Seen.read(api, namespace, inventory.OURS, known)
        for namespace in sorted({one.namespace for one in known})
    }
    return [seen[one.namespace].run(one) for one in known]


@dataclass(frozen=True)
class _Seen:
    """The Ray objects and Ray pods of runs, and the addresses that Gateways give."""

    rays: Mapping[Ref, Manifest]
    pods: Sequence[Manifest]
    gateways: Mapping[tuple[str, str], str]

    @classmethod
    def read(
        cls, api: Api, namespace: str, selector: str, known: Sequence[Inventory]
    ) -> _Seen:
        def read(kind: str) -> list[Manifest]:
            chosen = f"{selector},{NODE_TYPE}" if kind == "Pod" else selector
            return api.list(kind, namespace, selector=chosen)

        *rays, pods = api.in_parallel(read, [*RAY_KINDS, "Pod"])
        serving = any(one.kind == "service" for one in known)
        return cls(
            {Ref.of(one): one for found in rays for one in found},
            pods,
            gateways.urls(api, namespace) if serving else {},
        )

    def run(self, known: Inventory) -> Run:
        ray = self.rays.get(known.ray) if known.ray else None
        pods = [pod for pod in self.pods if known.has(pod)]
        status, message = standing(ray)
        return Run(
            name=known.name,
            kind=known.kind,
            blueprint=known.blueprint,
            status=status,
            since=_since(ray) if ray else 0.0,
            urls=self._urls(known, ray) if ray else {},
            groups=tuple(_groups(known, pods)),
            workers=tuple(_worker(pod) for pod in pods if is_worker(pod)),
            environment={},
            job_id=str(((ray or {}).get("status") or {}).get("jobId", "")),
            message=message.partition("\n")[0],
            namespace=known.namespace,
        )

    def _urls(self, known: Inventory, ray: Manifest) -> dict[str, str]:
        """Return addresses in the cluster, and the one that a Gateway gives."""
        namespace = known.namespace
        name = head.cluster_of(ray)
        cluster = self.rays.get(Ref("RayCluster", namespace, name)) or {}
        service = ((cluster.get("status") or {}).get("head") or {}).get("serviceName")
        urls = {}
        if service:
            host = f"{service}.{namespace}.svc"
            urls["dashboard"] = f"http://{host}:{DASHBOARD_PORT}"
            if known.kind == "cluster":
                urls["cluster"] = f"ray://{host}:{_CLIENT_PORT}"
        if known.kind == "service":
            serving = f"{ray['metadata']['name']}-serve-svc"
            urls["service"] = f"http://{serving}.{namespace}.svc:{SERVE_PORT}"
            outside = [(namespace, serving), (namespace, f"{name}-serve-svc")]
            found = [self.gateways[key] for key in outside if key in self.gateways]
            urls |= {"gateway": found[0]} if found else {}
        return urls


def standing(ray: Manifest | None) -> tuple[str, str]:
    """Return how a Ray object stands, in Ray's words, and why."""
    if ray is None:
        return MISSING, "its Ray object is gone"
    match ray["kind"]:
        case "RayJob":
            return _job(ray)
        case "RayService":
            return _service(ray)
        case _:
            return _cluster(ray)


def _job(ray: Manifest) -> tuple[str, str]:
    status = ray.get("status") or {}
    found = str(status.get("jobStatus") or "")
    message = str(status.get("message") or status.get("reason") or "")
    if has_failed(ray):
        return "STOPPED" if found == "STOPPED" else "FAILED", message
    return found or "PENDING", message


def _cluster(ray: Manifest) -> tuple[str, str]:
    status = ray.get("status") or {}
    message = str(status.get("reason") or "")
    match status.get("state"):
        case "suspended":
            return "STOPPED", message
        case "failed":
            return "FAILED", message
        # It stays `ready` for good, so the head is asked too.
        case "ready" if condition(ray, "HeadPodReady") != "False":
            return "RUNNING", message
        case _:
            head_is = view.condition(ray, "HeadPodReady")
            return "STARTING", message or str(head_is.get("message", ""))


def _service(ray: Manifest) -> tuple[str, str]:
    status = ray.get("status") or {}
    active = status.get("activeServiceStatus") or {}
    pending = status.get("pendingServiceStatus") or {}
    applications = [
        one
        for service in (active, pending)
        for one in (service.get("applicationStatuses") or {}).values()
    ]
    broken = [one for one in applications if one.get("status") in _BROKEN]
    ready = view.condition(ray, "Ready")
    message = str((broken[0] if broken else ready).get("message") or "")
    if broken or ready.get("reason") == "InitializingTimeout":
        return "UNHEALTHY", message
    if ready.get("status") == "True":
        settled = not pending.get("rayClusterName") and all(
            one.get("status") == "RUNNING" for one in applications
        )
        return ("RUNNING", "") if settled else ("DEPLOYING", message)
    if active.get("rayClusterName"):
        return "UNHEALTHY", message
    return ("DEPLOYING" if applications else "STARTING"), message


def _since(ray: Manifest) -> float:
    began = (ray.get("status") or {}).get("startTime")
    return datetime.fromisoformat(
        str(began or ray["metadata"]["creationTimestamp"])
    ).timestamp()


def _groups(known: Inventory, pods: Sequence[Manifest]) -> list[GroupStatus]:
    ready = [group_of(pod) for pod in pods if is_worker(pod) and is_ready(pod)]
    return [
        GroupStatus(
            group.name, group.min_replicas, group.max_replicas, ready.count(group.name)
        )
        for group in known.groups
    ]


def _worker(pod: Manifest) -> Worker:
    return Worker(
        name=pod["metadata"]["name"],
        group=group_of(pod),
        phase=str((pod.get("status") or {}).get("phase", "")),
        node=str(pod["spec"].get("nodeName", "")),
    )
