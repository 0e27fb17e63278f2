"""Answers for Ray where pods are fake: the dashboard's Jobs and Serve APIs.

The operator reaches Ray through the API server's proxy paths. On fake nodes nothing
listens there, so the stand-in answers those paths itself and forwards all others.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.api_proxy import Answer, ApiProxy, Request

_RAY_PATH = re.compile(
    r"/api/v1/namespaces/(?P<namespace>[^/]+)"
    r"/(?:services/(?P<service>[^/:]+-head-svc):dashboard|pods/(?P<pod>[^/:]+):\d+)"
    r"/proxy/+(?P<rest>.*)"
)


@dataclass(frozen=True)
class JobCourse:
    """How Ray jobs of a namespace go: RUNNING for a time, then `status`."""

    seconds: float = 1
    status: str = "SUCCEEDED"
    message: str = "Job finished successfully."


@dataclass(frozen=True)
class ServeCourse:
    """How Serve applications of a namespace go: DEPLOYING for a time, then `status`."""

    seconds: float = 0
    status: str = "RUNNING"
    message: str = ""
    proxy_healthy: bool = True


@dataclass
class _Job:
    entrypoint: str
    started: float = field(default_factory=time.time)
    stopped: float | None = None


@dataclass
class _Ray:
    """What one Ray cluster was told."""

    jobs: dict[str, _Job] = field(default_factory=dict)
    serve_config: Mapping[str, Any] = field(default_factory=dict)
    deployed: float = 0


class RayStandIn:
    """The proxy that the operator talks to, and what it says about Ray.

    Courses are set by namespace, before or while its jobs and services run.
    """

    def __init__(
        self, upstream: str, *, ca: Path, certificate: tuple[Path, Path], address: str
    ) -> None:
        """Bind a port in front of the API server at `upstream`."""
        self.jobs: dict[str, JobCourse] = {}
        self.services: dict[str, ServeCourse] = {}
        self._clusters: dict[tuple[str, str], _Ray] = {}
        self._lock = threading.Lock()
        self._proxy = ApiProxy(
            upstream, ca=ca, certificate=certificate, hook=self._hook, address=address
        )
        self.url = self._proxy.url

    def start(self) -> None:
        """Begin to answer."""
        self._proxy.start()

    def stop(self) -> None:
        """End, and cut the operator's connections."""
        self._proxy.stop()

    def serve_config(self, namespace: str, head_service: str) -> Mapping[str, Any]:
        """Return the Serve config that a Ray cluster was last given."""
        with self._lock:
            return self._cluster(namespace, head_service).serve_config

    def _hook(self, request: Request) -> Answer | None:
        found = _RAY_PATH.fullmatch(urlsplit(request.path).path)
        if found is None:
            return None
        namespace, rest = found["namespace"], found["rest"]
        with self._lock:
            if found["pod"]:
                return self._serve_proxy(namespace)
            ray = self._cluster(namespace, found["service"])
            if rest.startswith("api/jobs"):
                return self._jobs(request, ray, namespace, rest)
            if rest.startswith("api/serve/applications"):
                return self._serve(request, ray, namespace)
        return Answer(404, b"{}")

    def _cluster(self, namespace: str, service: str) -> _Ray:
        return self._clusters.setdefault((namespace, service), _Ray())

    def _serve_proxy(self, namespace: str) -> Answer:
        healthy = self.services.get(namespace, ServeCourse()).proxy_healthy
        return Answer(200, b"success") if healthy else Answer(503, b"draining")

    def _jobs(self, request: Request, ray: _Ray, namespace: str, rest: str) -> Answer:
        _, _, identity, *action = [*rest.split("/"), ""]
        if request.method == "POST" and not identity:
            return _submit(json.loads(request.body), ray)
        course = self.jobs.get(namespace, JobCourse())
        if not identity:
            return _json([_told(name, job, course) for name, job in ray.jobs.items()])
        # The submitter's pod is fake as well: a job that is asked for was submitted.
        job = ray.jobs.setdefault(identity, _Job(""))
        if action[0] == "stop":
            job.stopped = time.time()
            return _json({"stopped": True})
        if action[0] == "logs":
            return _json({"logs": ""})
        if request.method == "DELETE":
            del ray.jobs[identity]
            return _json({"deleted": True})
        return _json(_told(identity, job, course))

    def _serve(self, request: Request, ray: _Ray, namespace: str) -> Answer:
        if request.method == "PUT":
            ray.serve_config, ray.deployed = json.loads(request.body), time.time()
            return Answer(200, b"")
        course = self.services.get(namespace, ServeCourse())
        if request.method == "DELETE":
            ray.serve_config = {}
        deploying = time.time() < ray.deployed + course.seconds
        status = "DEPLOYING" if deploying else course.status
        applications = ray.serve_config.get("applications", ())
        told = {
            a["name"]: _application(a, status, course.message) for a in applications
        }
        return _json({"applications": told, "deploy_mode": "MULTI_APP"})


def _submit(wanted: Mapping[str, Any], ray: _Ray) -> Answer:
    identity = wanted.get("submission_id") or f"raysubmit_{len(ray.jobs)}"
    if identity in ray.jobs:
        return Answer(500, b"Please use a different submission_id.")
    ray.jobs[identity] = _Job(wanted.get("entrypoint", ""))
    return _json({"job_id": identity, "submission_id": identity})


def _told(identity: str, job: _Job, course: JobCourse) -> Mapping[str, Any]:
    end = job.stopped or job.started + course.seconds
    told: dict[str, Any] = {
        "type": "SUBMISSION",
        "job_id": identity,
        "submission_id": identity,
        "entrypoint": job.entrypoint,
        "start_time": round(job.started * 1000),
    }
    if time.time() < end:
        return told | {"status": "RUNNING", "message": "Job is currently running."}
    if job.stopped:
        finished = {"status": "STOPPED", "message": "Job was intentionally stopped."}
    else:
        finished = {"status": course.status, "message": course.message}
    return told | finished | {"end_time": round(end * 1000)}


def _application(
    wanted: Mapping[str, Any], status: str, message: str
) -> Mapping[str, Any]:
    healthy = "HEALTHY" if status == "RUNNING" else "UPDATING"
    deployments = wanted.get("deployments") or [{"name": wanted["name"]}]
    return {
        "name": wanted["name"],
        "route_prefix": wanted.get("route_prefix", "/"),
        "status": status,
        "message": message,
        "deployments": {
            d["name"]: {"name": d["name"], "status": healthy} for d in deployments
        },
    }


def _json(document: object) -> Answer:
    return Answer(200, json.dumps(document).encode())
