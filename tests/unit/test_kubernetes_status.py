"""How Ray objects stand, in Ray's words, and where services answer."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.targets.kubernetes import gateways, head
from ray_gke.targets.kubernetes.api import NotAllowedError
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.kubernetes.status import standing

READY = {"type": "Ready", "status": "True"}
NOT_READY = {"type": "Ready", "status": "False", "message": "no endpoints"}
TIMEOUT = {**NOT_READY, "reason": "InitializingTimeout"}
APP = {"rayClusterName": "a", "applicationStatuses": {"x": {"status": "RUNNING"}}}
SICK = {"x": {"status": "UNHEALTHY", "message": "it is ill"}}
COMING = {"x": {"status": "DEPLOYING"}}


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("RayJob", {}, ("PENDING", "")),
        ("RayJob", {"jobStatus": "RUNNING"}, ("RUNNING", "")),
        ("RayJob", {"jobDeploymentStatus": "Failed", "reason": "R"}, ("FAILED", "R")),
        (
            "RayJob",
            {"jobDeploymentStatus": "Failed", "jobStatus": "STOPPED"},
            ("STOPPED", ""),
        ),
        ("RayCluster", {}, ("STARTING", "")),
        ("RayCluster", {"state": "ready"}, ("RUNNING", "")),
        ("RayCluster", {"state": "suspended"}, ("STOPPED", "")),
        (
            "RayCluster",
            {
                "state": "ready",
                "conditions": [
                    {"type": "HeadPodReady", "status": "False", "message": "gone"}
                ],
            },
            ("STARTING", "gone"),
        ),
        ("RayService", {}, ("STARTING", "")),
        (
            "RayService",
            {"conditions": [NOT_READY], "pendingServiceStatus": APP},
            ("DEPLOYING", "no endpoints"),
        ),
        (
            "RayService",
            {"conditions": [READY], "activeServiceStatus": APP},
            ("RUNNING", ""),
        ),
        (
            "RayService",
            {
                "conditions": [READY],
                "activeServiceStatus": APP,
                "pendingServiceStatus": {"rayClusterName": "b"},
            },
            ("DEPLOYING", ""),
        ),
        (
            "RayService",
            {
                "conditions": [READY],
                "activeServiceStatus": {**APP, "applicationStatuses": COMING},
            },
            ("DEPLOYING", ""),
        ),
        (
            "RayService",
            {
                "conditions": [READY],
                "activeServiceStatus": {**APP, "applicationStatuses": SICK},
            },
            ("UNHEALTHY", "it is ill"),
        ),
        (
            "RayService",
            {"conditions": [NOT_READY], "activeServiceStatus": APP},
            ("UNHEALTHY", "no endpoints"),
        ),
        ("RayService", {"conditions": [TIMEOUT]}, ("UNHEALTHY", "no endpoints")),
    ],
)
def test_how_an_object_stands(
    kind: str, status: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert standing({"kind": kind, "status": status}) == expected


def test_an_object_that_is_gone_is_missing() -> None:
    assert standing(None)[0] == "MISSING"


def test_the_cluster_of_a_service_is_the_one_that_serves() -> None:
    both = {"activeServiceStatus": {}, "pendingServiceStatus": {"rayClusterName": "b"}}
    assert head.cluster_of({"kind": "RayService", "status": both}) == "b"
    both["activeServiceStatus"] = {"rayClusterName": "a"}
    assert head.cluster_of({"kind": "RayService", "status": both}) == "a"
    assert head.cluster_of({"kind": "RayService"}) == ""


class Gates:
    """An API with routes and Gateways, or one that does not show them."""

    def __init__(self, *objects: dict[str, Any], allowed: bool = True) -> None:
        self.objects = objects
        self.allowed = allowed

    def list(self, kind: str, namespace: str) -> Any:
        if not self.allowed:
            raise NotAllowedError("no")
        return [
            one
            for one in self.objects
            if one["kind"] == kind and one["metadata"]["namespace"] == namespace
        ]

    def get(self, ref: Ref) -> Any:
        return next((one for one in self.objects if Ref.of(one) == ref), None)


def route(**spec: Any) -> dict[str, Any]:
    rule = {"backendRefs": [{"name": "web-serve-svc"}]}
    return {
        "kind": "HTTPRoute",
        "metadata": {"name": "way", "namespace": "space"},
        "spec": {"parentRefs": [{"name": "door"}], "rules": [rule], **spec},
    }


def gateway(namespace: str = "space", **more: Any) -> dict[str, Any]:
    listeners = [{"name": "web", "protocol": "HTTP", "port": 80}]
    addresses = [{"value": "203.0.113.7"}]
    return {
        "kind": "Gateway",
        "metadata": {"name": "door", "namespace": namespace},
        "spec": {"listeners": listeners},
        "status": {"addresses": addresses},
        **more,
    }


WEB = ("space", "web-serve-svc")
UNDER = {
    "matches": [{"path": {"value": "/web/"}}],
    "backendRefs": [{"name": "web-serve-svc"}],
}


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([route(), gateway()], {WEB: "http://203.0.113.7"}),
        ([route(hostnames=["a.example"]), gateway()], {WEB: "http://a.example"}),
        ([route(rules=[UNDER]), gateway()], {WEB: "http://203.0.113.7/web"}),
        (
            [
                route(parentRefs=[{"name": "door", "namespace": "infra"}]),
                gateway("infra"),
            ],
            {WEB: "http://203.0.113.7"},
        ),
        ([route(parentRefs=[{"name": "door", "port": 8080}]), gateway()], {}),
        ([route(), gateway(status={})], {}),
        ([route()], {}),
        ([], {}),
    ],
)
def test_where_services_answer_from_outside(
    objects: list[dict[str, Any]], expected: dict[tuple[str, str], str]
) -> None:
    given: Any = Gates(*objects)
    assert gateways.urls(given, "space") == expected


def test_routes_that_a_user_may_not_read_are_none() -> None:
    given: Any = Gates(route(), gateway(), allowed=False)
    assert gateways.urls(given, "space") == {}
