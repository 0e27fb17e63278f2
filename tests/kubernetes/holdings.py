"""What a namespace holds, without what chance and time have put there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.cluster.bed import Bed

Holdings = dict[str, list[str]]
"""For each kind and name all that is so called, as text."""

_FLEETING = {"Event", "Endpoints", "EndpointSlice"}
_OF_EVERY_NAMESPACE = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
_DRAWN = (
    # As Kubernetes and KubeRay draw names.
    (r"-[bcdfghjklmnpqrstvwxz2456789]{5}(?=[-\"/.:@,\s]|$)", "-*"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\b10\.\d+\.\d+\.\d+\b", "ADDRESS"),
    # The inventory's: of objects with their namespace, and of who owned which field
    # when they were written, which KubeRay may have changed by then.
    (r'((digest|fields)\\": \\")[0-9a-f]{16}', r"\1DIGEST"),
    (r'"nodePort": \d+', '"nodePort": 0'),
)
_OF_TIME = ("uid", "resourceVersion", "generation", "creationTimestamp", "selfLink")


def holdings(cluster: Bed, namespace: str) -> Holdings:
    """Return all that is in a namespace; nothing when there is none."""
    found: Holdings = {}
    for version, kind, plural in _kinds(cluster):
        root = "/apis/" if "/" in version else "/api/"
        path = f"{root}{version}/namespaces/{namespace}/{plural}"
        for item in cluster.control_plane.get(path)["items"]:
            one = {"kind": kind, **item}
            key = _without_chance(f"{kind}/{one['metadata']['name']}", namespace)
            if key not in _OF_EVERY_NAMESPACE:
                text = json.dumps(_lasting(one), sort_keys=True, indent=1)
                found.setdefault(key, []).append(_without_chance(text, namespace))
    return {key: sorted(texts) for key, texts in sorted(found.items())}


def is_there(cluster: Bed, namespace: str) -> bool:
    """Whether a namespace exists."""
    spaces = cluster.control_plane.get("/api/v1/namespaces")["items"]
    return any(one["metadata"]["name"] == namespace for one in spaces)


def _kinds(cluster: Bed) -> Iterator[tuple[str, str, str]]:
    """Yield version, kind and plural of all that a namespace can hold."""
    groups = cluster.control_plane.get("/apis")["groups"]
    versions = ["v1", *(one["preferredVersion"]["groupVersion"] for one in groups)]
    for version in versions:
        root = "/apis/" if "/" in version else "/api/"
        for one in cluster.control_plane.get(root + version)["resources"]:
            listed = one["namespaced"] and "list" in one["verbs"]
            if listed and "/" not in one["name"] and one["kind"] not in _FLEETING:
                yield version, one["kind"], one["name"]


def _lasting(one: dict[str, Any]) -> dict[str, Any]:
    metadata = {k: v for k, v in one["metadata"].items() if k not in _OF_TIME}
    metadata["managedFields"] = [
        entry["fieldsV1"]
        for entry in one["metadata"].get("managedFields", ())
        if entry["manager"] == "ray-gke"
    ]
    if one["kind"] == "Pod":
        # Of jobs, until they are counted.
        metadata.pop("finalizers", None)
    found = {**one, "metadata": metadata}
    found.pop("status", None)
    if "spec" in found:
        # Where the scheduler has put it.
        found["spec"] = {k: v for k, v in found["spec"].items() if k != "nodeName"}
    if one.get("type") == "Opaque":
        # KubeRay draws the token of a cluster.
        found["data"] = sorted(one.get("data", ()))
    return found


def _without_chance(text: str, namespace: str) -> str:
    text = text.replace(namespace, "NAMESPACE")
    for pattern, word in _DRAWN:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text
