"""A steady stream of requests to a service, from a pod of its namespace."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ray_gke.rendering.security_contexts import (
    CONTAINER_SECURITY_CONTEXT,
    POD_SECURITY_CONTEXT,
)
from tests.cluster import ray_image
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.node import steady_client
from tests.node.command_line import PATIENCE

CLIENT = "client"


@dataclass
class Traffic:
    """A pod that asks the run's service for /health all the time."""

    cluster: Bed
    namespace: str
    service: str

    def start(self) -> None:
        source = Path(steady_client.__file__).read_text()
        container = {
            "name": CLIENT,
            "image": ray_image.RAY,
            "command": ["python", "-c", source, f"{self.service}-serve-svc", "8000"],
            "securityContext": CONTAINER_SECURITY_CONTEXT,
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": CLIENT, "namespace": self.namespace},
            "spec": {
                "containers": [container],
                "restartPolicy": "Never",
                "securityContext": POD_SECURITY_CONTEXT,
            },
        }
        self._kubectl("create", "-f", "-", stdin=json.dumps(pod))
        self.goes_on()

    def goes_on(self) -> None:
        """Wait until more requests are answered than were so far."""
        before = self._answered()
        eventually(
            "more answers", lambda: self._answered() > before + 20, patience=PATIENCE
        )

    def result(self) -> tuple[dict[str, int], list[str]]:
        """End it; return how often each answer came, and what became of the others."""
        self._kubectl("exec", CLIENT, "--", "kill", "-TERM", "1")
        phase = ("get", "pod", CLIENT, "-o", "jsonpath={.status.phase}")
        eventually("the client to end", lambda: self._kubectl(*phase) == "Succeeded")
        told = json.loads(self._kubectl("logs", CLIENT).splitlines()[-1])
        return told["answers"], told["lost"]

    def _answered(self) -> int:
        phase = ("get", "pod", CLIENT, "-o", "jsonpath={.status.phase}")
        if self._kubectl(*phase) == "Pending":
            return 0
        last = self._kubectl("logs", CLIENT, "--tail=1").strip()
        return sum(json.loads(last).values()) if last.startswith("{") else 0

    def _kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *arguments, stdin=stdin)
