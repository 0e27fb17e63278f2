"""Where services of a cluster answer from outside: routes and the Gateways they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.resources import Ref

_USUAL = {"HTTP": 80, "HTTPS": 443}


def urls(api: Api, namespace: str) -> dict[tuple[str, str], str]:
    """Return the URL of each Service that an HTTPRoute leads to.

    The key is the namespace and name of the Service. There are none in a cluster
    without the Gateway API, and for a user who may not read it.
    """
    try:
        routes = api.list("HTTPRoute", namespace)
        known: dict[Ref, Manifest | None] = {
            ref: api.get(ref) for ref in {r for one in routes for r in _parents(one)}
        }
    except NotAllowedError:
        return {}
    found: dict[tuple[str, str], str] = {}
    for route in routes:
        for service, path in _backends(route):
            for url in _addresses(route, known):
                found.setdefault(service, url + path)
    return found


def _parents(route: Manifest) -> Iterator[Ref]:
    for parent in route["spec"].get("parentRefs") or ():
        yield _gateway(route, parent)


def _gateway(route: Manifest, parent: Mapping[str, Any]) -> Ref:
    namespace = parent.get("namespace") or route["metadata"]["namespace"]
    return Ref("Gateway", namespace, parent["name"])


def _backends(route: Manifest) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield each Service that a route leads to, with the path under which it does."""
    own = route["metadata"]["namespace"]
    for rule in route["spec"].get("rules") or ():
        matches = rule.get("matches") or [{}]
        path = (matches[0].get("path") or {}).get("value") or ""
        for backend in rule.get("backendRefs") or ():
            if backend.get("kind", "Service") == "Service":
                yield (
                    (backend.get("namespace") or own, backend["name"]),
                    path.rstrip("/"),
                )


def _addresses(route: Manifest, known: Mapping[Ref, Manifest | None]) -> Iterator[str]:
    for parent in route["spec"].get("parentRefs") or ():
        gateway = known.get(_gateway(route, parent))
        if gateway is None:
            continue
        hosts = list(route["spec"].get("hostnames") or ())
        hosts += [
            a["value"] for a in (gateway.get("status") or {}).get("addresses") or ()
        ]
        for listener in gateway["spec"].get("listeners") or ():
            scheme = listener["protocol"]
            if hosts and scheme in _USUAL and _uses(parent, listener):
                port = listener["port"]
                at = "" if port == _USUAL[scheme] else f":{port}"
                yield f"{scheme.lower()}://{hosts[0]}{at}"


def _uses(parent: Mapping[str, Any], listener: Mapping[str, Any]) -> bool:
    section, port = parent.get("sectionName"), parent.get("port")
    return section in {None, listener["name"]} and port in {None, listener["port"]}
