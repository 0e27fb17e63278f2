"""Ray's dashboard of a run, and the HTTP of a service, on ports of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ray_gke.targets.kubernetes import head, permissions
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.head import DASHBOARD_PORT, SERVE_PORT
from ray_gke.targets.kubernetes.port_forward import forward
from ray_gke.targets.runs import Opened


@contextmanager
def opened(api: Api, namespace: str, name: str, *, port: int = 0) -> Iterator[Opened]:
    """Open the dashboard of a run until the context is left, on `port` or a free one.

    Connections end at the cluster that the run has at that moment. Raises UsageError
    when there is no such run, RefusedError when its head is not ready.
    """
    run = head.find(api, namespace, name)
    permissions.check(api, permissions.for_dashboard(namespace))

    def head_pod() -> str:
        return head.pod(api, namespace, head.cluster(api, run))

    def serving_pod() -> str:
        return head.serving_pod(api, namespace, head.cluster(api, run))

    head_pod()
    token = head.token(api, namespace, head.cluster(api, run))
    with ExitStack() as stack:
        local = stack.enter_context(
            forward(api, namespace, head_pod, DASHBOARD_PORT, port)
        )
        urls = {"dashboard": f"http://127.0.0.1:{local}"}
        if run.kind == "service":
            local = stack.enter_context(
                forward(api, namespace, serving_pod, SERVE_PORT)
            )
            urls["service"] = f"http://127.0.0.1:{local}"
        yield Opened(urls, token)
