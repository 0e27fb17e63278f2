"""How GKE and its controllers name what they make in Google Cloud for a cluster.

Sources: kubernetes/ingress-gce, pkg/utils/namer; kubernetes/cloud-provider-gcp,
providers/gce/gce_loadbalancer_naming.go; GKE "Automatically created firewall rules".
The digests were compared with names of real clusters.

`system_uid` is the uid of the namespace kube-system, `ingress_uid` one of the ConfigMap
ingress-uid there.
"""

from __future__ import annotations

import functools
import hashlib

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID = 8
_LONGEST = 63
_CLUSTER_RULES = ("all", "vms", "master", "ssh", "inkubelet", "exkubelet")
_PROTOCOLS = ("tcp", "udp", "l3")
# How much of a namespace's and a name's letters there is room for.
_ROOM_OF_NEG, _ROOM_OF_INGRESS, _ROOM_OF_SERVICE = 38, 36, 39
_ROOM_OF_LEGACY_SERVICE = 32


def node_tag(cluster: str, cluster_id: str) -> str:
    """Return the network tag of a cluster's nodes, which its firewall rules target."""
    return f"gke-{cluster}-{cluster_id[:_ID]}-node"


def cluster_firewalls(cluster: str, cluster_id: str) -> frozenset[str]:
    """Return the names of the firewall rules that come with a cluster."""
    begin = f"gke-{cluster}-{cluster_id[:_ID]}"
    return frozenset(f"{begin}-{end}" for end in _CLUSTER_RULES)


def shared_firewalls(ingress_uid: str) -> frozenset[str]:
    """Return the names of the rules that a cluster's load balancers share."""
    return frozenset({f"k8s-{ingress_uid}-node-hc", f"k8s-fw-l7--{ingress_uid}"})


def health_check_firewall(ingress_uid: str) -> str:
    """Return the name of the shared rule that is described by the same uid."""
    return f"k8s-{ingress_uid}-node-http-hc"


def load_balancer(service_uid: str) -> str:
    """Return the name of what the cloud's controller makes for a Service."""
    return f"a{service_uid.replace('-', '')}"[:_ROOM_OF_LEGACY_SERVICE]


def load_balancer_firewalls(service_uid: str) -> frozenset[str]:
    """Return the names of the firewall rules of a Service's load balancer."""
    name = load_balancer(service_uid)
    return frozenset({f"k8s-fw-{name}", f"k8s-{name}-http-hc", f"{name}-hc"})


def neg(ingress_uid: str, namespace: str, service: str, port: str) -> str:
    """Return the name of a Service's network endpoint groups, one in each zone."""
    short = ingress_uid[:_ID]
    text = f"{short};{namespace};{service};{port}"
    end = hashlib.sha256(text.encode()).hexdigest()[:_ID]
    return f"k8s1-{short}-{_trimmed(_ROOM_OF_NEG, namespace, service, port)}-{end}"


@functools.cache
def ingress_rules(system_uid: str, namespace: str, ingress: str) -> frozenset[str]:
    """Return the names of an Ingress's forwarding rules."""
    middle = _trimmed(_ROOM_OF_INGRESS, namespace, ingress)
    end = _digest(f"{system_uid};{namespace};{ingress}")
    return frozenset(
        f"k8s2-{sort}-{_digest(system_uid)}-{middle}-{end}" for sort in ("fr", "fs")
    )


def service_neg(system_uid: str, namespace: str, service: str) -> str:
    """Return the name of a Service's network endpoint groups, by the newer way."""
    cluster, end = _digests(system_uid, namespace, service)
    middle = _trimmed(_ROOM_OF_SERVICE, namespace, service)
    return f"k8s2-{cluster}-{middle}-{end}"


@functools.cache
def service_firewalls(system_uid: str, namespace: str, service: str) -> frozenset[str]:
    """Return the names of a Service's firewall rules, by the newer way."""
    cluster, end = _digests(system_uid, namespace, service)
    middle = _trimmed(_ROOM_OF_SERVICE, namespace, service)
    allow, newest = f"k8s2-{cluster}-{middle}-{end}", f"k8s3-{cluster}-{end}-{middle}"
    return frozenset(
        [
            *(_ended(allow, last) for last in ("", "-fw", "-ipv6", "-fw-ipv6")),
            *(_ended(newest, last) for last in ("", "-deny", "-deny-ipv6")),
        ]
    )


@functools.cache
def service_rules(system_uid: str, namespace: str, service: str) -> frozenset[str]:
    """Return the names of a Service's forwarding rules and addresses, the newer way."""
    cluster, end = _digests(system_uid, namespace, service)
    numbers = ("", *(f"-{digit}" for digit in _DIGITS))
    found = set()
    for protocol in _PROTOCOLS:
        middle = _trimmed(_ROOM_OF_SERVICE - len(protocol) - 1, namespace, service)
        name = f"k8s2-{protocol}-{cluster}-{middle}-{end}"
        found |= {_ended(name, f"{n}{ip}") for n in numbers for ip in ("", "-ipv6")}
    return frozenset(found)


def shared_service_firewalls(system_uid: str) -> frozenset[str]:
    """Return the names of the rules for the health checks of all those Services."""
    name = f"k8s2-{_digest(system_uid)}-l4-shared-hc-fw"
    return frozenset({name, f"{name}-ipv6"})


def _digests(system_uid: str, namespace: str, name: str) -> tuple[str, str]:
    cluster = _digest(system_uid)
    return cluster, _digest(f"{cluster};{namespace};{name}")


def _digest(text: str) -> str:
    found = hashlib.sha256(text.encode()).digest()
    return "".join(_DIGITS[byte % len(_DIGITS)] for byte in found[:_ID])


def _trimmed(room: int, *fields: str) -> str:
    """Return fields side by side, each cut in the same proportion where it must be."""
    total = sum(map(len, fields))
    if total > room:
        kept = [len(one) - len(one) * (total - room) // total - 1 for one in fields]
        for number in range(room - sum(kept)):
            kept[number] += 1
        fields = tuple(one[:n] for one, n in zip(fields, kept, strict=True))
    return "-".join(fields)


def _ended(name: str, end: str) -> str:
    return name[: _LONGEST - len(end)] + end
