"""Deploy a Serve config on a cluster, and wait until it answers."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from ray_gke.errors import FailedError
from ray_gke.events import Emit, Note
from ray_gke.targets.local import runtime_env
from ray_gke.targets.local.launch import Cluster
from ray_gke.targets.ray_api import Dashboard, DashboardError, DashboardSilent

_HOST = "127.0.0.1"
# Above the ports of Ray's workers (10002 to 19999), below what Linux and macOS give
# to connections (from 32768).
_PORTS = range(20000, 32768)
_PATH = "/api/serve/applications/"
_DEPLOY_SECONDS = 900
_END_SECONDS = 15
_BROKEN = ("DEPLOY_FAILED", "UNHEALTHY")
_SHOWN_LINES = 25


def free_port() -> int:
    """Return a port that nobody has.

    Not Serve's usual one: its proxies would share that with another cluster's, and
    each would get some of the other's requests. Nor one that the system gives away
    by itself: until Serve listens, it could be any connection's.
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((_HOST, port))
            return port
    raise FailedError(
        f"all ports from {_PORTS.start} to {_PORTS.stop - 1} are taken",
        hint="end what listens on them, and run this again",
    )


def local_config(serve_config: Mapping[str, Any], port: int) -> dict[str, Any]:
    """Return the config with HTTP on loopback, and without packages that are here.

    One proxy, on the head: all nodes share the address, so they cannot each have one.
    """
    return {
        **runtime_env.serve_config(serve_config),
        "proxy_location": "HeadOnly",
        "http_options": {"host": _HOST, "port": port},
    }


def shut_down(dashboard: Dashboard) -> None:
    """End Serve in its own way, requests that are under way first, if it still can."""
    with suppress(DashboardError, DashboardSilent):
        dashboard.delete(_PATH, timeout=_END_SECONDS)


@dataclass
class Deployment:
    """One Serve config on one cluster."""

    cluster: Cluster
    dashboard: Dashboard
    emit: Emit
    config: Mapping[str, Any]
    _told: str = ""

    @property
    def url(self) -> str:
        """Where the applications answer."""
        return f"http://{_HOST}:{self.config['http_options']['port']}"

    def deploy(self) -> int:
        """Deploy and return the number of applications once all of them answer."""
        self._put()
        self.cluster.wait(self._is_running, _DEPLOY_SECONDS, "the service")
        self.cluster.wait(self._answers, _DEPLOY_SECONDS, "the service's HTTP")
        return len(self.config["applications"])

    def _put(self) -> None:
        try:
            self.dashboard.put(_PATH, self.config, timeout=_DEPLOY_SECONDS)
        except DashboardError as error:
            raise self._failed(str(error)) from None
        except DashboardSilent:
            self.cluster.check()
            raise FailedError("Ray's dashboard does not answer") from None

    def _is_running(self) -> bool:
        try:
            found = self.dashboard.get(_PATH)["applications"]
        except (DashboardError, DashboardSilent):
            return False
        for name, application in found.items():
            if application["status"] in _BROKEN:
                raise self._failed(_reason(application), name)
            self._tell(name, application)
        names = {a.get("name", "default") for a in self.config["applications"]}
        return all(found.get(name, {}).get("status") == "RUNNING" for name in names)

    def _tell(self, name: str, application: Mapping[str, Any]) -> None:
        """Tell once why a deployment waits, such as for a worker that nothing has."""
        waiting = _reason(application)
        if waiting and waiting != self._told:
            self._told = waiting
            self.emit(Note(self.cluster.run.name, f"{name}: {waiting}"))

    def _answers(self) -> bool:
        connection = HTTPConnection(
            _HOST, self.config["http_options"]["port"], timeout=5
        )
        try:
            connection.request("GET", "/-/healthz")
            return connection.getresponse().status == 200  # noqa: PLR2004
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _failed(self, reason: str, application: str | None = None) -> FailedError:
        lines = [line for line in reason.splitlines() if line.strip()][-_SHOWN_LINES:]
        which = f"application {application} of " if application else ""
        return FailedError(
            f"{which}service {self.cluster.run.name} was not deployed:\n"
            + "\n".join(f"  {line}" for line in lines),
            hint=f"ray-gke logs {self.cluster.run.name} shows more",
        )


def _reason(application: Mapping[str, Any]) -> str:
    """Return Serve's own words: the application's, else those of its deployments."""
    messages = [
        deployment.get("message", "")
        for deployment in application.get("deployments", {}).values()
    ]
    return "\n".join(filter(None, [application.get("message", ""), *messages]))
