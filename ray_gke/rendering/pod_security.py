"""What Pod Security's level "restricted" refuses of the pods that objects make.

Sources: Kubernetes, Pod Security Standards, v1.34, and pod-security-admission/policy
(what a container takes over from its pod); KubeRay controllers/ray/common/pod.go and
job.go (the containers that the operator adds).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ray_gke.rendering.kuberay_rules import ray_cluster
from ray_gke.rendering.schema_check import Path
from ray_gke.rendering.templates import Manifest

LEVEL = "pod-security.kubernetes.io/enforce"
"""The label of a namespace with the level that it enforces."""

RESTRICTED, PRIVILEGED = "restricted", "privileged"

Violation = tuple[Path, str]
"""The field of the object, and what is wrong with it."""

_HOST = {"hostIPC": "IPC", "hostNetwork": "network", "hostPID": "processes"}
_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_PROFILES = ("RuntimeDefault", "Localhost")
_CAPABILITIES = frozenset({"NET_BIND_SERVICE"})
_SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
_SELINUX_TYPES = (
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
)

# Of pods and containers alike; what says nothing is allowed.
_ALLOWED: Mapping[tuple[str, ...], tuple[Any, ...]] = {
    ("appArmorProfile", "type"): _PROFILES,
    ("procMount",): ("Default",),
    ("seLinuxOptions", "role"): ("",),
    ("seLinuxOptions", "type"): _SELINUX_TYPES,
    ("seLinuxOptions", "user"): ("",),
    ("windowsOptions", "hostProcess"): (False,),
}

_HANDLERS: tuple[tuple[str, ...], ...] = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)

# A container takes these over from its pod, so that only one of them need say it.
_INHERITED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "runAsNonRoot": (lambda value: value is True, "is not true"),
    "seccompProfile": (
        lambda value: isinstance(value, Mapping) and value.get("type") in _PROFILES,
        f"is not of type {' or '.join(_PROFILES)}",
    ),
}


@dataclass(frozen=True)
class _Pod:
    """A pod with the containers that it will have, and where all of that stands."""

    path: Path
    spec: Mapping[str, Any]
    containers: tuple[tuple[Path, Mapping[str, Any]], ...]


def level(objects: Iterable[Manifest]) -> str:
    """Return the strictest of the levels we use that takes the pods of all objects."""
    refused = any(True for one in objects for _ in violations(one))
    return PRIVILEGED if refused else RESTRICTED


def violations(one: Manifest) -> Iterator[Violation]:
    """Yield what "restricted" refuses of the pods of an object, wherever it keeps them.

    Also of the containers that KubeRay adds to them.
    """
    options = dict(_autoscaler(one))
    for path, spec in _specs(one, ()):
        own = [
            ((*path, kind, index), container)
            for kind in ("initContainers", "containers")
            for index, container in enumerate(spec.get(kind) or ())
        ]
        yield from _of_pod(_Pod(path, spec, (*own, *options.get(path, ()))))
    yield from _added(one)


def _specs(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), list):
            yield path, value
        for key, part in value.items():
            yield from _specs(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _specs(part, (*path, index))


def _of_pod(pod: _Pod) -> Iterator[Violation]:
    for key, what in _HOST.items():
        if pod.spec.get(key):
            yield (*pod.path, key), f"the pod shares the node's {what}"
    for index, volume in enumerate(pod.spec.get("volumes") or ()):
        for kind in sorted(set(volume) - {"name"} - _VOLUMES):
            yield (*pod.path, "volumes", index, kind), f"a volume is of kind {kind}"
    context, path = _context(pod.spec), (*pod.path, "securityContext")
    yield from _of_any(context, path)
    for index, sysctl in enumerate(context.get("sysctls") or ()):
        if sysctl["name"] not in _SAFE_SYSCTLS:
            what = f"the sysctl {sysctl['name']} is not a safe one"
            yield (*path, "sysctls", index, "name"), what
    yield from _inherited(pod, context, path)
    for place, container in pod.containers:
        yield from _of_container(container, place)


def _inherited(pod: _Pod, of_pod: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    for key, (is_right, what) in _INHERITED.items():
        own = [(place, _context(one).get(key)) for place, one in pod.containers]
        given = of_pod.get(key)
        needed = given is not None or any(value is None for _, value in own)
        if needed and not is_right(given):
            yield (*path, key), f"{key} {what}"
        for place, value in own:
            if value is not None and not is_right(value):
                yield (*place, "securityContext", key), f"{key} {what}"


def _of_any(context: Mapping[str, Any], path: Path) -> Iterator[Violation]:
    """Yield what neither a pod nor a container may say."""
    if context.get("runAsUser") == 0:
        yield (*path, "runAsUser"), "runAsUser is 0, which is root"
    for steps, allowed in _ALLOWED.items():
        value = _at(context, steps)
        if value is not None and value not in allowed:
            yield (*path, *steps), f"{'.'.join(steps)} is {json.dumps(value)}"


def _of_container(container: Mapping[str, Any], place: Path) -> Iterator[Violation]:
    context, path = _context(container), (*place, "securityContext")
    yield from _of_any(context, path)
    if context.get("allowPrivilegeEscalation") is not False:
        key = "allowPrivilegeEscalation"
        yield (*path, key), f"{key} is not false"
    if context.get("privileged"):
        yield (*path, "privileged"), "the container is privileged"
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or ()):
        yield (*path, "capabilities", "drop"), "capabilities do not drop ALL"
    added = sorted(set(capabilities.get("add") or ()) - _CAPABILITIES)
    if added:
        yield (*path, "capabilities", "add"), f"capabilities add {', '.join(added)}"
    for index, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort"):
            what = f"port {port['hostPort']} of the node is taken"
            yield (*place, "ports", index, "hostPort"), what
    yield from _other_hosts(container, place)


def _other_hosts(container: Mapping[str, Any], place: Path) -> Iterator[Violation]:
    for handler in _HANDLERS:
        for action in ("httpGet", "tcpSocket"):
            steps = (*handler, action, "host")
            if host := _at(container, steps):
                yield (*place, *steps), f"the kubelet is to ask {host}, not the pod"


def _at(value: Any, steps: Iterable[str]) -> Any:
    """Return what stands there, None where it or what is around it is not said."""
    for step in steps:
        value = (value or {}).get(step)
    return value


def _context(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return one.get("securityContext") or {}


def _autoscaler(
    one: Manifest,
) -> Iterator[tuple[Path, tuple[tuple[Path, Mapping[str, Any]], ...]]]:
    """Yield the head's pod and the autoscaler, which is one more container of it."""
    path, cluster = ray_cluster(one)
    if cluster.get("enableInTreeAutoscaling"):
        options = cluster.get("autoscalerOptions") or {}
        head = (*path, "headGroupSpec", "template", "spec")
        yield head, (((*path, "autoscalerOptions"), options),)


def _added(one: Manifest) -> Iterator[Violation]:
    """Yield what KubeRay adds without a securityContext, and takes none for."""
    path, cluster = ray_cluster(one)
    if cluster.get("historyServerOptions"):
        what = "KubeRay's collector has no securityContext"
        yield (*path, "historyServerOptions"), what
    if one.get("kind") != "RayJob":
        return
    mode = one["spec"].get("submissionMode", "K8sJobMode")
    if mode == "SidecarMode":
        what = "KubeRay's submitter beside the head has no securityContext"
        yield ("spec", "submissionMode"), what
    elif mode == "K8sJobMode" and not one["spec"].get("submitterPodTemplate"):
        what = "KubeRay's own submitter has no securityContext"
        yield ("spec", "submitterPodTemplate"), what
