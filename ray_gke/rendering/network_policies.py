"""The NetworkPolicies of a run: who may reach its pods, and whom they may reach.

What comes from a pod's own node is always allowed: probes, port-forward. Rules see
addresses after a Service was translated to its pods, in most networks.

Sources: KubeRay 1.5.1, controllers/ray/utils/util.go and rayservice_controller.go (what
its operator asks of which pods), raycluster_controller.go (the Job that cleans up in
Redis); GKE's documentation of NetworkPolicies (metadata server), NodeLocal DNSCache and
Cloud DNS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.templates import Manifest, Templates

Rules = Sequence[Manifest]

_NODE_TYPE = "ray.io/node-type"
_NAMESPACE_NAME = "kubernetes.io/metadata.name"

_DASHBOARD, _SERVE, _METRICS, _HEAD_METRICS = 8265, 8000, 8080, (44217, 44227)

_POLICY_TYPES = {
    "DenyAll": ("Ingress", "Egress"),
    "DenyAllIngress": ("Ingress",),
    "DenyAllEgress": ("Egress",),
    "none": (),
}

# Pods are reached by what selects them, not by a hole for everything on port 443.
_NOT_PUBLIC = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    # Reserved; but Google Cloud lets networks use it.
    "240.0.0.0/4",
)
_NOT_PUBLIC_IPV6 = ("fc00::/7", "fe80::/10")


def objects(
    plan: Plan, templates: Templates, metadata: Callable[[str], Manifest]
) -> Iterator[Manifest]:
    """Yield the policies of a run; none with mode none.

    One selects all pods of the run, head and submitter and all others, and denies what
    no rule allows. A second one allows its heads what only they need, a third one what
    needs Redis. A service has two heads during an upgrade. `metadata` gives that of
    the object with a name.
    """
    types = _POLICY_TYPES[plan.day_two.network_policy.mode]
    for policy in (_of_all_pods(plan), _of_heads(plan), _of_redis_clients(plan)):
        ingress = policy.ingress if "Ingress" in types else ()
        egress = policy.egress if "Egress" in types else ()
        if not ingress and not egress:
            continue
        yield templates.render(
            "network-policy",
            metadata=metadata(policy.name),
            match_labels={RUN: plan.name},
            match_expressions=_is_in(_NODE_TYPE, policy.node_types) or None,
            policy_types=types,
            ingress=ingress or None,
            egress=egress or None,
        )


@dataclass(frozen=True)
class _Policy:
    """What pods may do; those of some of KubeRay's node types, or all of the run."""

    name: str
    ingress: Rules
    egress: Rules
    node_types: tuple[str, ...] = ()


def _of_all_pods(plan: Plan) -> _Policy:
    asked = plan.day_two.network_policy
    run = [{"podSelector": {"matchLabels": {RUN: plan.name}}}]
    ingress = [{"from": run}, *_from_monitors(plan, _METRICS), *_from_clients(plan)]
    egress = [{"to": run}, _to_dns(), _to_public_https(plan.day_two.pods_range)]
    if plan.day_two.metadata_server:
        egress += _to_metadata_server()
    return _Policy(
        plan.name, [*ingress, *asked.ingress_rules], [*egress, *asked.egress_rules]
    )


def _of_heads(plan: Plan) -> _Policy:
    # Ray's autoscaler runs beside the head, and asks Kubernetes for workers.
    egress = [_to_api_server(plan.day_two.pods_range)] if plan.autoscaling else []
    ingress = [_from_operator(plan), *_from_monitors(plan, *_HEAD_METRICS)]
    return _Policy(f"{plan.name}.head", ingress, egress, ("head",))


def _of_redis_clients(plan: Plan) -> _Policy:
    options = plan.day_two.fault_tolerance
    egress = _to_redis(options.redis_address, plan) if options else []
    return _Policy(f"{plan.name}.redis", [], egress, ("head", "redis-cleanup"))


def _from_operator(plan: Plan) -> Manifest:
    """The operator asks a head for its jobs and applications, and Serve's proxy there.

    Also a cluster's: a RayJob may run on it. Agents (52365) and workers it never asks.
    """
    ports = (_DASHBOARD, _SERVE) if plan.kind == "service" else (_DASHBOARD,)
    operator = {
        "matchExpressions": [
            # Its name in KubeRay's chart, and in KubeRay's kustomization.
            *_is_in("app.kubernetes.io/name", ("kuberay-operator", "kuberay")),
            # Which the operator gives to Ray's pods as well.
            {"key": "ray.io/is-ray-node", "operator": "DoesNotExist"},
        ]
    }
    peers = [{**_namespace(plan.day_two.operator_namespace), "podSelector": operator}]
    if plan.day_two.hosted_operator:
        # As GKE's add-on may be: what is beside the API server comes by these agents.
        agents = {"matchLabels": {"k8s-app": "konnectivity-agent"}}
        peers.append({**_namespace("kube-system"), "podSelector": agents})
    return {"from": peers, "ports": _tcp(*ports)}


def _from_monitors(plan: Plan, *ports: int) -> Rules:
    metrics = plan.day_two.metrics
    if metrics.mode == "none" or not metrics.namespaces:
        return []
    return [{"from": [*map(_namespace, metrics.namespaces)], "ports": _tcp(*ports)}]


def _from_clients(plan: Plan) -> Rules:
    if plan.kind != "service":
        return []
    return [{"from": [{"podSelector": {}}], "ports": _tcp(_SERVE)}]


def _to_dns() -> Manifest:
    pods = {"matchExpressions": _is_in("k8s-app", ("kube-dns", "node-local-dns"))}
    return {
        "to": [
            {**_namespace("kube-system"), "podSelector": pods},
            _block("169.254.20.10/32"),  # NodeLocal DNSCache
            _block("169.254.169.254/32"),  # Cloud DNS
        ],
        "ports": [{"protocol": name, "port": 53} for name in ("UDP", "TCP")],
    }


def _to_public_https(pods_range: str | None) -> Manifest:
    to = [
        _block("0.0.0.0/0", *_NOT_PUBLIC, *_public(pods_range)),
        _block("::/0", *_NOT_PUBLIC_IPV6),
    ]
    return {"to": to, "ports": _tcp(443)}


def _public(pods_range: str | None) -> list[str]:
    """Return the range of the pods, if it is not excepted already."""
    if pods_range is None:
        return []
    pods = IPv4Network(pods_range)
    private = any(pods.subnet_of(IPv4Network(block)) for block in _NOT_PUBLIC)
    return [] if private else [pods_range]


def _to_metadata_server() -> Rules:
    # What pods ask at .254 a node with Dataplane V1 hands to .252.
    return [
        {"to": [_block("169.254.169.252/32")], "ports": _tcp(988)},
        {"to": [_block("169.254.169.254/32")], "ports": _tcp(80)},
    ]


def _to_api_server(pods_range: str | None) -> Manifest:
    # Its address is not known before the cluster is there. Where the pods' range is
    # not known either, pods of others listen to the head on these ports, unless their
    # own policies, or a network that takes no pod for an address, are against it.
    return {"to": _any_address(pods_range), "ports": _tcp(443, 6443)}


def _to_redis(address: str, plan: Plan) -> Rules:
    host, _, port = address.rpartition("://")[2].rpartition(":")
    # Of a Service this is its port. Where its pods listen on another one, that is what
    # most networks compare: it is for egress_rules.
    ports = _tcp(int(port))
    if _is_address(host):
        return [{"to": [_block(f"{host}/32")], "ports": ports}]
    if "." not in host:
        return [{"to": [{"podSelector": {}}], "ports": ports}]
    namespace = _namespace_of(host.lower().split("."))
    pods = [_namespace(namespace)] if namespace else None
    return [{"to": pods or _any_address(plan.day_two.pods_range), "ports": ports}]


def _namespace_of(labels: Sequence[str]) -> str | None:
    """Return that of a Service's name, such as redis.ml or redis.ml.svc.cluster.local.

    The names of a StatefulSet's pods begin with one label more.
    """
    if "svc" in labels[2:]:
        return labels[labels.index("svc", 2) - 1]
    return labels[1] if len(labels) == 2 else None  # noqa: PLR2004


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _any_address(pods_range: str | None) -> Rules:
    excepted = [pods_range] if pods_range else []
    return [_block("0.0.0.0/0", *excepted), _block("::/0")]


def _block(cidr: str, *excepted: str) -> Manifest:
    return {"ipBlock": {"cidr": cidr, **({"except": excepted} if excepted else {})}}


def _namespace(name: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: name}}}


def _is_in(key: str, values: Sequence[str]) -> list[Any]:
    return [{"key": key, "operator": "In", "values": values}] if values else []


def _tcp(*ports: int) -> Rules:
    return [{"protocol": "TCP", "port": port} for port in ports]
