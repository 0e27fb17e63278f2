"""Whether pods keep to Pod Security's level "restricted".

Source: Kubernetes, Pod Security Standards, v1.34.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ray_gke.rendering.templates import Manifest

LEVEL = "pod-security.kubernetes.io/enforce"
RESTRICTED, PRIVILEGED = "restricted", "privileged"

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
_SECCOMP = ("RuntimeDefault", "Localhost")


def level(objects: Iterable[Manifest]) -> str:
    """Return the strictest of the levels we use that takes the pods of all objects."""
    pods = [pod for one in objects for pod in _pods(one)]
    return RESTRICTED if all(map(_is_restricted, pods)) else PRIVILEGED


def _pods(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the pod specs inside an object, wherever it keeps them."""
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), list):
            yield value
        for part in value.values():
            yield from _pods(part)
    elif isinstance(value, list):
        for part in value:
            yield from _pods(part)


def _is_restricted(pod: Mapping[str, Any]) -> bool:
    shared = any(pod.get(key) for key in ("hostIPC", "hostNetwork", "hostPID"))
    volumes = [set(volume) - {"name"} for volume in pod.get("volumes") or ()]
    context = pod.get("securityContext") or {}
    containers = [*(pod.get("initContainers") or ()), *pod["containers"]]
    return (
        not shared
        and all(kinds <= _VOLUMES for kinds in volumes)
        and all(_is_container_restricted(one, context) for one in containers)
    )


def _is_container_restricted(one: Mapping[str, Any], of_pod: Mapping[str, Any]) -> bool:
    own = one.get("securityContext") or {}
    both = {**of_pod, **own}
    capabilities = own.get("capabilities") or {}
    return (
        both.get("runAsNonRoot") is True
        and both.get("runAsUser") != 0
        and (both.get("seccompProfile") or {}).get("type") in _SECCOMP
        and own.get("allowPrivilegeEscalation") is False
        and not own.get("privileged")
        and "ALL" in (capabilities.get("drop") or ())
        and set(capabilities.get("add") or ()) <= {"NET_BIND_SERVICE"}
        and not any(port.get("hostPort") for port in one.get("ports") or ())
    )
