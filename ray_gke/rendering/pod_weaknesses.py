"""What makes the pods of an object weaker than they are by default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from ray_gke.gke.nodes import PROVISIONING, SPOT, Shape, affinity
from ray_gke.planning.plan import Plan
from ray_gke.rendering import log_weaknesses, pod_security
from ray_gke.rendering.kuberay_rules import groups, ray_cluster
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.pods import SAFE_TO_EVICT
from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest

# The values that keep a pod of any other shape off the nodes that Google takes back.
_RECLAIMED = frozenset(cast("Sequence[str]", affinity(Shape())[0]["values"]))
_PREEMPTIBLE = "cloud.google.com/gke-preemptible"

_DROPPED = "leave capabilities as they are: {drop: [ALL]}"
_SUBMITTER = "use submissionMode K8sJobMode with its submitterPodTemplate"
_SECURITY_HINTS: Mapping[str, str] = {
    "runAsNonRoot": "set it to true",
    "runAsUser": "use 1000, the user of Ray's images",
    "seccompProfile": "set it to {type: RuntimeDefault}",
    "allowPrivilegeEscalation": "set it to false",
    "drop": _DROPPED,
    "add": _DROPPED,
    "hostPort": "leave it out: a Service, or ray-gke dashboard, reaches the pod",
    "historyServerOptions": "without it the logs still go where logs.mode says; "
    "with it the run needs a namespace of its own that takes such pods",
    "submissionMode": _SUBMITTER,
    "submitterPodTemplate": _SUBMITTER,
}
_REFUSED = 'which Pod Security "restricted" refuses'
_MPS = (
    "MPS needs the node's IPC: what runs there may read the memory of the GPU's other "
    "clients"
)
_MPS_HINT = "use partition, which keeps pods apart in hardware, or time-sharing"


@dataclass(frozen=True)
class _Template:
    """The template of a pod, where it stands, and whether its cluster is scaled."""

    role: Literal["head", "worker", "submitter", "balloon"]
    path: Path
    metadata: Manifest
    pod: Manifest
    elastic: bool = False

    def at(self, *steps: str | int) -> Path:
        return (*self.path, "spec", *steps)


def faults(one: Manifest, plan: Plan) -> Iterator[Fault]:
    """Yield what is weaker in an object that passed all other checks."""
    yield from _security(one, plan)
    if one["kind"] == "ServiceAccount":
        if one.get("automountServiceAccountToken") is not False:
            path = ("automountServiceAccountToken",)
            yield Fault(path, "every pod of the run gets a token", "set it to false")
        return
    for template in _templates(one):
        yield from _token(template)
        yield from _identity(template, plan)
        yield from _eviction(template)
        if template.role == "head":
            yield from _spot(template)
        if template.role in {"head", "worker"}:
            yield from _restarts(template)
            yield from _logs(template, plan)
            yield from log_weaknesses.faults(template.pod, template.at(), plan)


def _templates(one: Manifest) -> Iterator[_Template]:
    spec = one.get("spec", {})
    if one["kind"] == "Deployment":
        yield _template("balloon", ("spec", "template"), spec["template"])
    if spec.get("submitterPodTemplate"):
        path = ("spec", "submitterPodTemplate")
        yield _template("submitter", path, spec["submitterPodTemplate"])
    place, cluster = ray_cluster(one)
    if cluster:
        yield from _of_cluster(cluster, place)


def _of_cluster(cluster: Manifest, path: Path) -> Iterator[_Template]:
    elastic = bool(cluster.get("enableInTreeAutoscaling"))
    (head, place), *workers = groups(cluster, path)
    yield _template("head", (*place, "template"), head["template"], elastic=elastic)
    for group, place in workers:
        yield _template(
            "worker", (*place, "template"), group["template"], elastic=elastic
        )


def _template(
    role: Literal["head", "worker", "submitter", "balloon"],
    path: Path,
    template: Manifest,
    **more: bool,
) -> _Template:
    metadata, pod = template.get("metadata", {}), template.get("spec", {})
    return _Template(role, path, metadata, pod, **more)


def _security(one: Manifest, plan: Plan) -> Iterator[Fault]:
    for path, what in pod_security.violations(one):
        words = [step for step in path if isinstance(step, str)]
        hint = _SECURITY_HINTS.get(words[-1], "leave it out")
        if "volumes" in words:
            hint = "use emptyDir, persistentVolumeClaim, configMap, secret or csi"
        if words[-1] == "hostIPC" and _shares_by_mps(one, path, plan):
            yield Fault(path, f"{_MPS}, {_REFUSED}", _MPS_HINT)
        else:
            yield Fault(path, f"{what}, {_REFUSED}", hint)


def _shares_by_mps(one: Manifest, path: Path, plan: Plan) -> bool:
    """Tell whether the plan itself lets the group at `path` share the node's IPC."""
    if "headGroupSpec" in path:
        return plan.head.host_ipc
    if "workerGroupSpecs" not in path:
        return False
    group: Any = one
    for step in path[: path.index("workerGroupSpecs") + 2]:
        group = group[step]
    name = group["groupName"]
    return any(known.host_ipc for known in plan.worker_groups if known.name == name)


def _token(template: _Template) -> Iterator[Fault]:
    """The autoscaler alone asks Kubernetes, and has a token of its own for that."""
    given = template.pod.get("automountServiceAccountToken")
    # The account of balloons is the namespace's own, which gives a token.
    implied = given is None and template.role == "balloon"
    what = "a token of Kubernetes that it has no use for"
    if template.role == "head" and template.elastic:
        what = "the autoscaler's token in all containers, also where drivers run"
    if given or implied:
        yield Fault(
            template.at("automountServiceAccountToken"),
            f"the {template.role} gets {what}",
            "leave it out" if given else "set it to false",
        )


def _identity(template: _Template, plan: Plan) -> Iterator[Fault]:
    if template.role == "balloon":
        return
    account = template.pod.get("serviceAccountName", "default")
    if account != plan.name:
        yield Fault(
            template.at("serviceAccountName"),
            f"the {template.role} runs as the service account {account}, with the "
            "rights of whoever else runs as it",
            f"leave it out, and bind what the run needs to its own: {plan.name}",
        )
    isolated = plan.day_two.network_policy.mode != "none"
    if isolated and template.metadata.get("labels", {}).get(RUN) != plan.name:
        yield Fault(
            (*template.path, "metadata", "labels", RUN),
            f"without this label no NetworkPolicy selects the {template.role}",
            "keep it; a patch may add labels",
        )


def _eviction(template: _Template) -> Iterator[Fault]:
    path = (*template.path, "metadata", "annotations", SAFE_TO_EVICT)
    safe = template.metadata.get("annotations", {}).get(SAFE_TO_EVICT)
    if template.role == "head" and safe != "false":
        yield Fault(
            path,
            "the head may be evicted to save a node, and the cluster is lost with it",
            'set it to "false"',
        )
    if template.role in {"worker", "balloon"} and safe != "true":
        yield Fault(
            path,
            f"a node with such a {template.role} is never removed, however idle it is",
            'set it to "true"',
        )


def _spot(template: _Template) -> Iterator[Fault]:
    hint = "keep the head on demand; workers go to Spot with their provisioning"
    lost = "Google takes such nodes back, and the cluster is lost with its head"
    pod = template.pod
    selector = pod.get("nodeSelector", {})
    for key, value in selector.items():
        if (key in {SPOT, _PREEMPTIBLE} and value == "true") or (
            key == PROVISIONING and value in _RECLAIMED
        ):
            yield Fault(template.at("nodeSelector", key), lost, hint)
    for index, toleration in enumerate(pod.get("tolerations", ())):
        if toleration.get("key") in {SPOT, _PREEMPTIBLE}:
            what = f"the head may run on Spot nodes: {lost}"
            yield Fault(template.at("tolerations", index), what, hint)
    if not selector.keys() & {SPOT, _PREEMPTIBLE, PROVISIONING} and not _kept_off(pod):
        what = f"nothing keeps the head off Spot nodes: {lost}"
        yield Fault(template.at("affinity"), what, f"keep its nodeAffinity; {hint}")


def _kept_off(pod: Manifest) -> bool:
    required = (
        pod.get("affinity", {})
        .get("nodeAffinity", {})
        .get("requiredDuringSchedulingIgnoredDuringExecution", {})
    )
    terms = required.get("nodeSelectorTerms", [])
    return bool(terms) and all(
        any(map(_excludes_spot, term.get("matchExpressions", ()))) for term in terms
    )


def _excludes_spot(expression: Manifest) -> bool:
    key, operator = expression["key"], expression["operator"]
    values = frozenset(expression.get("values", ()))
    if key == SPOT:
        return operator in {"DoesNotExist", "NotIn"}
    if key != PROVISIONING:
        return False
    return (operator == "NotIn" and "spot" in values) or (
        operator == "In" and not values & _RECLAIMED
    )


def _restarts(template: _Template) -> Iterator[Fault]:
    """With an autoscaler a pod must not restart: other checks see to that."""
    policy = template.pod.get("restartPolicy", "Always")
    if not template.elastic and policy != "Always":
        yield Fault(
            template.at("restartPolicy"),
            "where a container ends, KubeRay makes another pod, and the log files of "
            "the old one are gone",
            "leave it out",
        )


def _logs(template: _Template, plan: Plan) -> Iterator[Fault]:
    logs = plan.day_two.logs
    if logs.mode != "sidecar":
        return
    containers = [
        *template.pod.get("initContainers", ()),
        *template.pod.get("containers", ()),
    ]
    if all(one.get("image") != logs.image for one in containers):
        yield Fault(
            template.at("initContainers"),
            f"Fluent Bit does not run in the {template.role}: its log files stay there",
            "list its container as well: a patch replaces the whole list",
        )
