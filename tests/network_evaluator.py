"""Whether NetworkPolicies let one end of a connection reach another.

Written from Kubernetes' specification: the concept page "Network Policies" and the API
reference of networking.k8s.io/v1. What those leave to the network, it does not know:
Services (give the pods behind them), pods on the host's network (give the node).
What it meets in a policy and does not know, or Kubernetes' validation would refuse, is
a ValueError: a rule that is misread would be worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal

Object = Mapping[str, Any]
Direction = Literal["Ingress", "Egress"]

_PEERS: Mapping[Direction, str] = {"Ingress": "from", "Egress": "to"}
_RULES: Mapping[Direction, str] = {"Ingress": "ingress", "Egress": "egress"}
_NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Host:
    """Anything that is no pod. `node` is its name, if it is a node of the cluster."""

    address: str
    node: str | None = None


@dataclass(frozen=True)
class Pod:
    """A pod; `ports` are the numbers of its containers' ports by name and protocol."""

    name: str
    namespace: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[tuple[str, str], int] = field(default_factory=dict)
    node: str | None = None

    @property
    def labels_of_namespace(self) -> Mapping[str, str]:
        """The namespace's labels, with the one that the control plane sets."""
        return {**self.namespace_labels, _NAME_LABEL: self.namespace}


@dataclass(frozen=True)
class Connection:
    """Who wants to reach which port of whom."""

    source: Pod | Host
    destination: Pod | Host
    port: int
    protocol: str = "TCP"


def allows(policies: Sequence[Object], connection: Connection) -> bool:
    """Tell whether egress of the source and ingress of the destination allow it."""
    source, destination = connection.source, connection.destination
    if source == destination:
        return True  # a pod cannot block access to itself
    if _same_node(source, destination):
        return True
    return _side(policies, "Egress", source, destination, connection) and _side(
        policies, "Ingress", destination, source, connection
    )


def _same_node(source: Pod | Host, destination: Pod | Host) -> bool:
    """Between a pod and its own node traffic is always allowed, both ways."""
    ends = {type(source), type(destination)}
    return ends == {Pod, Host} and source.node == destination.node is not None


def _side(
    policies: Sequence[Object],
    direction: Direction,
    subject: Pod | Host,
    other: Pod | Host,
    connection: Connection,
) -> bool:
    if isinstance(subject, Host):
        return True
    isolating = [p for p in policies if _isolates(p, direction, subject)]
    return not isolating or any(
        _peers(rule.get(_PEERS[direction]), other, _namespace(policy))
        and _ports(rule.get("ports"), connection)
        for policy in isolating
        for rule in _rules(policy, direction)
    )


def _isolates(policy: Object, direction: Direction, pod: Pod) -> bool:
    spec = policy["spec"]
    _known(policy, "apiVersion", "kind", "metadata", "spec")
    _known(spec, "podSelector", "policyTypes", "ingress", "egress")
    return (
        direction in _types(spec)
        and pod.namespace == _namespace(policy)
        and _selects(spec.get("podSelector", {}), pod.labels)
    )


def _types(spec: Object) -> Sequence[str]:
    types: Sequence[str] = spec.get("policyTypes") or ()
    if set(types) - {"Ingress", "Egress"}:
        raise ValueError(f"policyTypes {types}")
    return types or ("Ingress", *(["Egress"] if spec.get("egress") else []))


def _namespace(policy: Object) -> str:
    name: str = policy["metadata"].get("namespace", "default")
    return name


def _rules(policy: Object, direction: Direction) -> Iterator[Object]:
    for rule in policy["spec"].get(_RULES[direction]) or ():
        _known(rule, _PEERS[direction], "ports")
        yield rule


def _peers(peers: Sequence[Object] | None, other: Pod | Host, namespace: str) -> bool:
    # Validated before `any` stops at the first that matches.
    matches = [_is_peer(peer, other, namespace) for peer in peers or ()]
    return not peers or any(matches)


def _is_peer(peer: Object, other: Pod | Host, namespace: str) -> bool:
    _known(peer, "ipBlock", "namespaceSelector", "podSelector")
    if not peer or ("ipBlock" in peer and len(peer) > 1):
        raise ValueError(f"peer {peer}")
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"], other.address)
    if isinstance(other, Host):
        return False
    if "namespaceSelector" in peer:
        here = _selects(peer["namespaceSelector"], other.labels_of_namespace)
    else:
        here = other.namespace == namespace
    return here and _selects(peer.get("podSelector", {}), other.labels)


def _in_block(block: Object, address: str) -> bool:
    _known(block, "cidr", "except")
    cidr = ip_network(block["cidr"])
    excepted = [ip_network(text) for text in block.get("except") or ()]
    for one in excepted:
        within: Any = one.version == cidr.version and one.prefixlen > cidr.prefixlen
        if not (within and one.network_address in cidr):
            raise ValueError(f"except {one} is not strictly within {cidr}")
    ip = ip_address(address)
    return ip in cidr and not any(ip in one for one in excepted)


def _ports(ports: Sequence[Object] | None, connection: Connection) -> bool:
    matches = [_is_port(port, connection) for port in ports or ()]
    return not ports or any(matches)


def _is_port(one: Object, connection: Connection) -> bool:
    _known(one, "protocol", "port", "endPort")
    protocol, port = one.get("protocol", "TCP"), one.get("port")
    if protocol not in {"TCP", "UDP", "SCTP"}:
        raise ValueError(f"protocol {protocol}")
    last = one.get("endPort", port)
    if "endPort" in one and not (isinstance(port, int) and last >= port):
        raise ValueError(f"endPort {last} after port {port}")
    if protocol != connection.protocol:
        return False
    if isinstance(port, str):
        # A name is looked up on the pod that is reached, in both directions.
        reached = connection.destination
        ports = reached.ports if isinstance(reached, Pod) else {}
        return ports.get((port, protocol)) == connection.port
    return port is None or port <= connection.port <= last


def _selects(selector: Object, labels: Mapping[str, str]) -> bool:
    _known(selector, "matchLabels", "matchExpressions")
    equal = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or ()
    matches = [_holds(expression, labels) for expression in expressions]
    return all(labels.get(k) == v for k, v in equal.items()) and all(matches)


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    _known(expression, "key", "operator", "values")
    key, operator = expression["key"], expression["operator"]
    values = expression.get("values") or ()
    if bool(values) != (operator in {"In", "NotIn"}):
        raise ValueError(f"{operator} with values {values}")
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":  # also where the label is missing
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"operator {operator}")


def _known(part: Object, *keys: str) -> None:
    unknown = set(part) - set(keys)
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
