"""The evaluator against what Kubernetes' page "Network Policies" says.

Scenes are written for these tests; each is named for the sentence it stands for.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.network_evaluator import Connection, Host, Pod, allows

WEB = Pod(
    "web",
    "shop",
    "10.1.0.1",
    {"app": "web"},
    {"team": "blue"},
    {("http", "TCP"): 8080, ("dns", "UDP"): 53},
    node="n1",
)
CART = Pod("cart", "shop", "10.1.0.2", {"app": "cart"}, {"team": "blue"})
SPY = Pod("spy", "other", "10.1.0.3", {"app": "spy"}, {"team": "red"})
FAN = Pod("fan", "other", "10.1.0.4", {"app": "cart"}, {"team": "red"})
AWAY = Host("198.51.100.7")


def policy(spec: str, namespace: str = "shop") -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": yaml.safe_load(spec),
    }


def reach(
    source: Pod | Host,
    destination: Pod | Host,
    *specs: str,
    port: int = 8080,
    protocol: str = "TCP",
) -> bool:
    policies = [policy(spec) for spec in specs]
    return allows(policies, Connection(source, destination, port, protocol))


DENY = "{podSelector: {}, policyTypes: [Ingress, Egress]}"
DENY_INGRESS = "{podSelector: {}, policyTypes: [Ingress]}"
DENY_EGRESS = "{podSelector: {}, policyTypes: [Egress]}"

RED, OF_CART = "{matchLabels: {team: red}}", "{matchLabels: {app: cart}}"
NAMED_OTHER = "{matchLabels: {kubernetes.io/metadata.name: other}}"


# Isolation ------------------------------------------------------------------------


def test_by_default_a_pod_is_not_isolated() -> None:
    assert reach(SPY, WEB)
    assert reach(WEB, AWAY)


@pytest.mark.parametrize(
    ("spec", "comes_in", "goes_out"),
    [
        (DENY, False, False),
        (DENY_INGRESS, False, True),
        (DENY_EGRESS, True, False),
        ("{podSelector: {}, ingress: [{}], policyTypes: [Ingress]}", True, True),
        ("{podSelector: {}, egress: [{}], policyTypes: [Egress]}", True, True),
    ],
    ids=["deny all", "deny ingress", "deny egress", "allow ingress", "allow egress"],
)
def test_default_policies(spec: str, comes_in: bool, goes_out: bool) -> None:
    assert reach(AWAY, WEB, spec) is comes_in
    assert reach(WEB, AWAY, spec) is goes_out


@pytest.mark.parametrize(
    ("spec", "comes_in", "goes_out"),
    [
        ("{podSelector: {}}", False, True),
        ("{podSelector: {}, ingress: [{}]}", True, True),
        # With rules of egress both are isolated: nobody may come in.
        ("{podSelector: {}, egress: [{to: [{podSelector: {}}]}]}", False, False),
    ],
)
def test_without_policy_types_egress_rules_add_egress(
    spec: str, comes_in: bool, goes_out: bool
) -> None:
    assert reach(AWAY, WEB, spec) is comes_in
    assert reach(WEB, AWAY, spec) is goes_out


def test_rules_of_a_direction_that_is_not_a_policy_type_do_nothing() -> None:
    spec = "{podSelector: {}, policyTypes: [Ingress], ingress: [{}], egress: []}"
    assert reach(WEB, AWAY, spec)
    assert not reach(WEB, AWAY, spec, DENY_EGRESS)


def test_only_selected_pods_of_the_policys_namespace_are_isolated() -> None:
    only_web = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}"
    assert not reach(CART, WEB, only_web)
    assert reach(WEB, CART, only_web)
    elsewhere = policy(DENY, namespace="third")
    assert allows([elsewhere], Connection(SPY, WEB, 8080))


def test_policies_add_up() -> None:
    allow = "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}"
    assert reach(CART, WEB, DENY_INGRESS, allow)
    assert not reach(SPY, WEB, DENY_INGRESS, allow)


def test_both_sides_must_allow() -> None:
    let_out = "{podSelector: {matchLabels: {app: cart}}, egress: [{}]}"
    assert not reach(CART, WEB, DENY, let_out)
    let_in = "{podSelector: {matchLabels: {app: web}}, ingress: [{}]}"
    assert not reach(CART, WEB, DENY, let_in)
    assert reach(CART, WEB, DENY, let_out, let_in)
    # What is allowed to come in is not allowed to be called back.
    assert not reach(WEB, CART, DENY, let_out, let_in)


def test_a_pod_cannot_block_itself_or_its_own_node() -> None:
    assert reach(WEB, WEB, DENY)
    assert reach(Host("10.0.0.1", node="n1"), WEB, DENY)
    assert reach(WEB, Host("10.0.0.1", node="n1"), DENY)
    assert not reach(Host("10.0.0.2", node="n2"), WEB, DENY)
    assert not reach(AWAY, CART, DENY)  # neither has a node


# Peers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peers", "let_in"),
    [
        # One entry with both selectors: both must hold.
        (f"[{{namespaceSelector: {RED}, podSelector: {OF_CART}}}]", {"fan"}),
        # Two entries: one of them is enough.
        (
            f"[{{namespaceSelector: {RED}}}, {{podSelector: {OF_CART}}}]",
            {"fan", "spy", "cart"},
        ),
        (f"[{{podSelector: {OF_CART}}}]", {"cart"}),
        ("[{podSelector: {}}]", {"cart"}),
        ("[{namespaceSelector: {}}]", {"cart", "spy", "fan"}),
        ("[{namespaceSelector: {}, podSelector: {matchLabels: {app: spy}}}]", {"spy"}),
        (f"[{{namespaceSelector: {NAMED_OTHER}}}]", {"spy", "fan"}),
        ("[{ipBlock: {cidr: 10.1.0.0/30}}]", {"cart", "spy"}),
        ("[{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.0.2/31]}}]", {"fan"}),
        ("[{ipBlock: {cidr: 0.0.0.0/0}}]", {"cart", "spy", "fan", "away"}),
        ("[{ipBlock: {cidr: '::/0'}}]", set()),
        ("[]", {"cart", "spy", "fan", "away"}),
    ],
)
def test_peers(peers: str, let_in: set[str]) -> None:
    spec = f"{{podSelector: {{}}, ingress: [{{from: {peers}}}]}}"
    ends: dict[str, Pod | Host]
    ends = {"cart": CART, "spy": SPY, "fan": FAN, "away": AWAY}
    assert {name for name, end in ends.items() if reach(end, WEB, spec)} == let_in


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ("{key: app, operator: In, values: [web, cart]}", {"web", "cart", "fan"}),
        ("{key: app, operator: NotIn, values: [web]}", {"cart", "spy", "fan", "bare"}),
        ("{key: app, operator: Exists}", {"web", "cart", "spy", "fan"}),
        ("{key: app, operator: DoesNotExist}", {"bare"}),
    ],
)
def test_expressions(expression: str, selected: set[str]) -> None:
    bare = Pod("bare", "shop", "10.1.0.9")
    spec = (
        "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector:"
        f" {{}}, podSelector: {{matchExpressions: [{expression}]}}}}]}}]}}"
    )
    source = Pod("source", "shop", "10.1.0.8")
    ends = (WEB, CART, SPY, FAN, bare)
    assert {end.name for end in ends if reach(source, end, spec)} == selected


def test_all_of_a_selector_must_hold() -> None:
    spec = (
        "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: cart},"
        " matchExpressions: [{key: tier, operator: Exists}]}}]}]}"
    )
    assert not reach(CART, WEB, spec)
    tiered = Pod("cart", "shop", "10.1.0.2", {"app": "cart", "tier": "a"})
    assert reach(tiered, WEB, spec)


# Ports ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ports", "open_ports"),
    [
        ("[{port: 80}]", {("TCP", 80)}),
        ("[{port: 53, protocol: UDP}]", {("UDP", 53)}),
        ("[{protocol: UDP}]", {("UDP", 53), ("UDP", 80)}),
        ("[{port: 53}, {port: 53, protocol: UDP}]", {("TCP", 53), ("UDP", 53)}),
        ("[{port: 80, endPort: 8080}]", {("TCP", 80), ("TCP", 443), ("TCP", 8080)}),
        ("[{port: 81, endPort: 443}]", {("TCP", 443)}),
        ("[{port: http}]", {("TCP", 8080)}),
        ("[{port: dns}]", set()),  # the pod's is of UDP
        ("[{port: dns, protocol: UDP}]", {("UDP", 53)}),
        (
            "[]",
            {(p, n) for p in ("TCP", "UDP") for n in (53, 80, 443, 8080)}
            - {("UDP", 443), ("UDP", 8080)},
        ),
    ],
)
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_ports(direction: str, ports: str, open_ports: set[tuple[str, int]]) -> None:
    # Of egress a port is the destination's as well.
    spec = f"{{podSelector: {{}}, {direction}: [{{ports: {ports}}}]}}"
    subject = policy(spec, "shop" if direction == "ingress" else "other")
    tried = [("TCP", n) for n in (53, 80, 443, 8080)] + [("UDP", n) for n in (53, 80)]
    assert {
        (protocol, n)
        for protocol, n in tried
        if allows([subject], Connection(SPY, WEB, n, protocol))
    } == open_ports


def test_a_named_port_is_none_of_a_host() -> None:
    spec = "{podSelector: {}, egress: [{ports: [{port: http}]}]}"
    assert not reach(WEB, AWAY, spec)


def test_peers_and_ports_of_a_rule_must_both_match() -> None:
    spec = (
        "{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]},"
        " {from: [{namespaceSelector: {}}], ports: [{port: 81}]}]}"
    )
    assert reach(CART, WEB, spec, port=80)
    assert not reach(SPY, WEB, spec, port=80)
    assert reach(SPY, WEB, spec, port=81)


# What it will not guess -------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{form: []}", "unknown form"),
        ("{from: [{}]}", "peer"),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}", "peer"),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}}]}", "within"),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}", "within"),
        ("{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['fc00::/9']}}]}", "within"),
        ("{from: [{podSelector: {app: web}}]}", "unknown app"),
        (
            "{from: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}",
            "In with values",
        ),
        (
            "{from: [{podSelector: {matchExpressions: [{key: a, operator: Is}]}}]}",
            "operator Is",
        ),
        ("{ports: [{port: http, endPort: 90}]}", "endPort"),
        ("{ports: [{port: 90, endPort: 80}]}", "endPort"),
        ("{ports: [{endPort: 80}]}", "endPort"),
        ("{ports: [{protocol: tcp}]}", "protocol tcp"),
    ],
)
def test_what_kubernetes_refuses_is_an_error(rule: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reach(CART, WEB, f"{{podSelector: {{}}, ingress: [{rule}]}}")


def test_an_unknown_policy_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="policyTypes"):
        reach(CART, WEB, "{podSelector: {}, policyTypes: [ingress]}")
