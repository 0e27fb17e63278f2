"""What opens a run to more than its own pods: Services, an Ingress, NetworkPolicies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.rendering.kuberay_rules import ray_cluster
from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest

_OUTSIDE = ("NodePort", "LoadBalancer")
_HEAD = (
    "opens the dashboard and Ray's other ports outside of the cluster, and whoever may "
    "use them runs code"
)
_SERVE = "opens Serve outside of the cluster, which asks nobody who they are"
_SERVICE_HINT = (
    "leave it ClusterIP: ray-gke dashboard forwards the ports, and a Gateway with "
    "authentication can stand before Serve"
)
_PORTS: Mapping[int, str] = {
    6379: "gcs-server",
    8265: "dashboard",
    10001: "client",
    52365: "dashboard-agent",
}
"""By which whoever reaches them runs code, and the names of the ports."""

Rule = Mapping[str, Any]


def faults(
    one: Manifest, plan: Plan, is_patched: Callable[[Path], bool]
) -> Iterator[Fault]:
    """Yield what an object opens that passed all other checks.

    `is_patched` tells whether a patch says something about a field of it.
    """
    kind = one["kind"]
    path, cluster = ray_cluster(one)
    if cluster:
        yield from _head(cluster.get("headGroupSpec", {}), (*path, "headGroupSpec"))
    if kind == "RayService":
        inside = ("spec", "serveService", "spec")
        yield from _service(one["spec"].get("serveService"), inside, _SERVE)
    elif kind == "Service":
        yield from _service(one, ("spec",), "opens it outside of the cluster")
    elif kind == "NetworkPolicy":
        yield from _policy(one["spec"], plan, is_patched)


def _head(head: Manifest, place: Path) -> Iterator[Fault]:
    yield from _type(head.get("serviceType"), (*place, "serviceType"), _HEAD)
    inside = (*place, "headService", "spec")
    yield from _service(head.get("headService"), inside, _HEAD)
    if head.get("enableIngress"):
        hint = "leave it out: ray-gke dashboard forwards the port"
        yield Fault((*place, "enableIngress"), f"an Ingress {_HEAD}", hint)


def _service(service: Any, path: Path, what: str) -> Iterator[Fault]:
    spec = (service or {}).get("spec") or {}
    yield from _type(spec.get("type"), (*path, "type"), what)
    if spec.get("externalIPs"):
        yield Fault((*path, "externalIPs"), f"an external IP {what}", "leave it out")


def _type(kind: str | None, path: Path, what: str) -> Iterator[Fault]:
    if kind in _OUTSIDE:
        yield Fault(path, f"{kind} {what}", _SERVICE_HINT)


def _policy(
    spec: Manifest, plan: Plan, is_patched: Callable[[Path], bool]
) -> Iterator[Fault]:
    asked = plan.day_two.network_policy
    if is_patched(("spec", "podSelector")):
        yield Fault(
            ("spec", "podSelector"),
            "the policy is not for the pods that it was made for",
            "leave it out; ingress_rules and egress_rules of network_policy add to it",
        )
    # Without types a policy is for Ingress, and for Egress where it has such rules.
    types = spec.get("policyTypes") or ("Ingress", *["Egress"][: "egress" in spec])
    other = {"Ingress": "DenyAllEgress", "Egress": "DenyAllIngress"}
    for kind, mode in other.items():
        if kind not in types and asked.mode != mode:
            message = f"the policy says nothing of {kind}, so that all of it is allowed"
            yield Fault(("spec", "policyTypes"), message, "leave it out of the patch")
    for index, rule in enumerate(spec.get("ingress") or ()):
        if rule not in asked.ingress_rules and (opens := opened(rule)):
            yield Fault(("spec", "ingress", index), opens, INGRESS_HINT)
    for index, rule in enumerate(spec.get("egress") or ()):
        if rule not in asked.egress_rules and (reaches := unbounded(rule)):
            yield Fault(("spec", "egress", index), reaches, EGRESS_HINT)


INGRESS_HINT = (
    "say in from who it is, such as a namespaceSelector with matchLabels, or name "
    "other ports"
)
EGRESS_HINT = "say in to where it is, or name the ports"


def opened(rule: Rule) -> str | None:
    """Return what an ingress rule lets everybody do, if it does."""
    if not _is_everybody(rule.get("from")):
        return None
    given = rule.get("ports")
    ports = [
        port for port in _PORTS if not given or any(_has(one, port) for one in given)
    ]
    if not ports:
        return None
    which = "every port" if not given else ", ".join(map(str, sorted(ports)))
    return f"everybody may reach {which} of Ray's, and whoever may use it runs code"


def unbounded(rule: Rule) -> str | None:
    """Return what an egress rule lets the pods do, if that is everything."""
    if rule.get("ports") or not _is_everybody(rule.get("to")):
        return None
    return "the pods may reach every address: those of other tenants, and of the nodes"


def _is_everybody(peers: Any) -> bool:
    return not peers or any(map(_is_anybody, peers))


def _is_anybody(peer: Rule) -> bool:
    if block := peer.get("ipBlock"):
        return ip_network(block["cidr"], strict=False).prefixlen == 0
    return _selects_all(peer.get("namespaceSelector")) and (
        peer.get("podSelector") is None or _selects_all(peer["podSelector"])
    )


def _selects_all(selector: Any) -> bool:
    return selector is not None and not any(selector.values())


def _has(given: Rule, port: int) -> bool:
    """Tell whether an entry of `ports` holds this one; Ray speaks TCP."""
    if given.get("protocol", "TCP") != "TCP":
        return False
    first = given.get("port")
    if first is None:
        return True
    if isinstance(first, str):
        return first == _PORTS[port]
    return bool(first <= port <= given.get("endPort", first))
