"""Which level of Pod Security a namespace for a run may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ray_gke.planning.plan import Plan
from ray_gke.rendering.pod_security import PRIVILEGED, RESTRICTED, level, violations
from ray_gke.rendering.render import render

Planned = Callable[..., Plan]

ITSELF = (
    "securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false, "
    "seccompProfile: {type: Localhost, localhostProfile: a}, "
    "capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}"
)
ELASTIC = "cluster: {}\nworker_groups: [{name: w, min_replicas: 0, max_replicas: 2}]\n"


def patched(patch: str) -> str:
    return f"{ELASTIC}patches: [{{kind: RayCluster, patch: {{spec: {{{patch}}}}}}}]"


def of_head(pod: str) -> str:
    return patched(f"headGroupSpec: {{template: {{spec: {{{pod}}}}}}}")


@pytest.mark.parametrize(
    ("spec", "kuberay", "expected"),
    [
        (ELASTIC, "1.5.1", RESTRICTED),
        (f"{ELASTIC}tls_options: {{secret_name: ca}}", "1.5.1", RESTRICTED),
        (of_head("hostIPC: true"), "1.5.1", PRIVILEGED),
        # Each container may say itself what its pod does not.
        (
            patched(
                "headGroupSpec: {template: {spec: {securityContext: null, "
                "automountServiceAccountToken: true, "
                "initContainers: null, volumes: null, containers: [{name: ray-head, "
                f"image: rayproject/ray:2.60.0-py311, {ITSELF}}}]}}}}}}, "
                f"autoscalerOptions: {{volumeMounts: null, {ITSELF}}}"
            ),
            "1.5.1",
            RESTRICTED,
        ),
        # The autoscaler takes this over from the head's pod.
        (of_head("securityContext: {runAsNonRoot: null}"), "1.5.1", PRIVILEGED),
        # What KubeRay adds is refused as well.
        (
            patched("autoscalerOptions: {securityContext: null}"),
            "1.5.1",
            PRIVILEGED,
        ),
        (f"{ELASTIC}history_server_options: {{gcs_bucket: b-1}}", "1.7.0", PRIVILEGED),
    ],
)
def test_level(planned: Planned, spec: str, kuberay: str, expected: str) -> None:
    assert level(render(planned(spec), kuberay_version=kuberay)) == expected


Object = dict[str, Any]

SAFE = "kernel.shm_rmid_forced"
POD, CONTAINER = "securityContext", "containers.0.securityContext"
# Pod Security Standards v1.34: what a pod may say, and what it may not.
SAID: tuple[tuple[str, Any, Any], ...] = (
    (f"{POD}.appArmorProfile.type", "RuntimeDefault", "Unconfined"),
    (f"{CONTAINER}.appArmorProfile.type", "Localhost", "Unconfined"),
    (f"{CONTAINER}.procMount", "Default", "Unmasked"),
    (f"{POD}.seLinuxOptions.type", "container_engine_t", "spc_t"),
    (f"{CONTAINER}.seLinuxOptions.type", "container_t", "unconfined_t"),
    (f"{POD}.seLinuxOptions.user", "", "system_u"),
    (f"{CONTAINER}.seLinuxOptions.role", "", "system_r"),
    (f"{POD}.windowsOptions.hostProcess", False, True),
    (f"{CONTAINER}.windowsOptions.hostProcess", False, True),
    (f"{POD}.sysctls.0.name", "net.ipv4.tcp_rmem", "net.core.somaxconn"),
    ("containers.0.livenessProbe.httpGet.host", "", "10.0.0.1"),
    ("containers.0.readinessProbe.tcpSocket.host", "", "10.0.0.1"),
    ("containers.0.startupProbe.httpGet.host", "", "10.0.0.1"),
    ("containers.0.lifecycle.postStart.httpGet.host", "", "10.0.0.1"),
    ("containers.0.lifecycle.preStop.tcpSocket.host", "", "10.0.0.1"),
)


def deployment(field: str, value: Any) -> Object:
    """A Deployment whose pod satisfies "restricted" as long as `value` does."""
    strict = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod: Object = {
        "containers": [{"name": "a", "securityContext": strict}],
        "securityContext": {"runAsUser": 1000, "sysctls": [{"name": SAFE}]},
    }
    *around, last = (int(step) if step.isdigit() else step for step in field.split("."))
    place: Any = pod
    for step in around:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    place[last] = value
    return {"kind": "Deployment", "spec": {"template": {"spec": pod}}}


@pytest.mark.parametrize(("field", "allowed", "refused"), SAID)
def test_what_a_pod_may_say(field: str, allowed: Any, refused: Any) -> None:
    assert not list(violations(deployment(field, allowed)))
    ((path, _),) = violations(deployment(field, refused))
    assert ".".join(map(str, path)) == f"spec.template.spec.{field}"
