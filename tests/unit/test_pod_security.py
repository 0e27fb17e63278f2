"""Which level of Pod Security a namespace for a run may have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ray_gke.planning.plan import Plan
from ray_gke.rendering.pod_security import PRIVILEGED, RESTRICTED, level
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
                "initContainers: null, volumes: null, containers: [{name: ray-head, "
                f"image: rayproject/ray:2.60.0-py311, {ITSELF}}}]}}}}}}, "
                f"autoscalerOptions: {{{ITSELF}}}"
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
