"""Who may reach whom: the tables, for every blueprint that is in this repository.

They are written by hand. What policies mean is told by an evaluator that knows nothing
of ray-gke.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ray_gke.catalog.day_two import GcsFaultToleranceOptions, NetworkPolicy
from ray_gke.catalog.load import load
from ray_gke.planning.build import build
from ray_gke.planning.day_two import Metrics
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render
from tests.network_world import OPERATOR, PORTS, Object, World, reached, world

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(
    file.parent.relative_to(ROOT).as_posix()
    for pattern in ("blueprints/*/", "tests/goldens/*/*/")
    for file in ROOT.glob(f"{pattern}blueprint.yaml")
)
SITES = ("plain", "gke")

Planned = Callable[..., Plan]

# A port with a trait is open where the run has it: a `service`; `autoscaling`, so that
# its head asks the API server; `blind`, when it does so and nobody knows which
# addresses are pods'; a `plain` cluster, or one of `gke`.
SETS = {
    "all": " ".join(PORTS),
    "dns": "53 53/UDP",
    "api": "443:autoscaling 6443:autoscaling",
    "blind": "443:blind 6443:blind",
    "plain": "8080:plain",
    "plain+": "8080:plain 44217:plain 44227:plain",
    "gke": "8080:gke",
    "gke+": "8080:gke 44217:gke 44227:gke",
}

TO_THE_RUN = """
from                     head                worker        submitter
head                     all                 all           all
worker                   all                 all           all
submitter                all                 all           all
cleanup                  all                 all           all
its other head           all                 all           all
its other worker         all                 all           all
operator                 8265 8000:service   -             -
operator by kustomize    8265 8000:service   -             -
pod beside the operator  -                   -             -
Ray beside the operator  -                   -             -
Prometheus               plain+              plain         plain
pod beside Prometheus    plain+              plain         plain
collector                gke+                gke           gke
client                   8000:service        8000:service  8000:service
other run                -                   -             -
tenant                   -                   -             -
tenant's run             -                   -             -
tenant's worker          -                   -             -
Redis                    -                   -             -
DNS                      -                   -             -
API server               -                   -             -
public host              -                   -             -
private host             -                   -             -
other node               -                   -             -
own node                 all                 all           all
"""

FROM_THE_RUN = """
to                       head                worker        submitter
cleanup                  all                 all           all
its other head           all                 all           all
its other worker         all                 all           all
operator                 blind               -             -
pod beside the operator  blind               -             -
Prometheus               blind               -             -
collector                blind               -             -
client                   blind               -             -
other run                -                   -             -
tenant                   blind               -             -
tenant's run             -                   -             -
tenant's worker          -                   -             -
Redis                    blind               -             -
DNS                      dns blind           dns           dns
pod beside DNS           blind               -             -
NodeLocal DNSCache       dns api             dns           dns
metadata server          dns api 80:gke      dns 80:gke    dns 80:gke
its node's end           api 988:gke         988:gke       988:gke
API server               api                 -             -
public host              api 443             443           443
public host by IPv6      api 443             443           443
private host             api                 -             -
private host by IPv6     api                 -             -
other node               api                 -             -
own node                 all                 all           all
"""

# Tables and worlds ------------------------------------------------------------------


@cache
def rows(table: str) -> tuple[tuple[str, str, frozenset[str]], ...]:
    """A table as (who, which of the run's pods, open ports with their traits)."""
    lines = table.strip().splitlines()
    _, *columns = cells(lines[0])
    return tuple(
        (who, column, frozenset(ports_of(cell)))
        for who, *entries in map(cells, lines[1:])
        for column, cell in zip(columns, entries, strict=True)
    )


def ports_of(cell: str) -> Iterator[str]:
    for entry in cell.split():
        yield from SETS.get(entry, entry).strip("-").split()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def expected(cell: frozenset[str], traits: frozenset[str]) -> set[str]:
    pairs = (entry.partition(":") for entry in cell)
    return {port for port, _, trait in pairs if not trait or trait in traits}


def differences(
    there: World, tables: tuple[str, ...] = (TO_THE_RUN, FROM_THE_RUN)
) -> set[str]:
    """Each port that is open and should not be, or the other way round."""
    return {
        f"{source} -> {destination}:{port} {'open' if port in real else 'closed'}"
        for table in tables
        for who, ours, cell in rows(table)
        if ours in there.ends
        if who in there.ends
        for source, destination in [(who, ours) if table is TO_THE_RUN else (ours, who)]
        for real in [reached(there, source, destination)]
        for port in real ^ expected(cell, there.traits)
    }


@cache
def plan_of(folder: str, site: str) -> Plan:
    plan = build(load(ROOT / folder, {}))
    day_two = replace(plan.day_two, metrics=Metrics())
    if site == "gke":
        collectors = Metrics(mode="PodMonitoring", namespaces=("gmp-system",))
        day_two = replace(
            day_two, metrics=collectors, pods_range="10.8.0.0/14", metadata_server=True
        )
    return replace(plan, day_two=day_two)


def decided(plan: Plan, **day_two: Any) -> Plan:
    return replace(plan, day_two=replace(plan.day_two, **day_two))


def kuberay(folder: str) -> str:
    """Goldens of a version of KubeRay are called by it."""
    case = Path(folder).parent.name
    return case.removeprefix("kuberay-") if "kuberay-" in case else "1.5.1"


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_tables_hold(folder: str, site: str) -> None:
    assert differences(world(plan_of(folder, site), kuberay(folder))) == set()


def test_the_blueprints_show_every_trait() -> None:
    seen = [world(plan_of(f, s), kuberay(f)).traits for f in FOLDERS for s in SITES]
    named = {"service", "job", "cluster", "autoscaling", "blind", "plain", "gke"}
    assert frozenset().union(*seen) == named
    for trait in named:
        assert any(trait not in traits for traits in seen), trait


def test_every_actor_is_in_a_table() -> None:
    there = world(plan_of("blueprints/squares", "plain"))
    named = {who for table in (TO_THE_RUN, FROM_THE_RUN) for who, *_ in rows(table)}
    assert named == set(there.ends)


# The tables can fail ----------------------------------------------------------------


def edit(there: World, name: str, change: Callable[[Object], object]) -> set[str]:
    """The differences after a change of the spec of the run's policy of this name."""
    policies = deepcopy(there.policies)
    (spec,) = (
        one["spec"]
        for one in policies
        if (one["metadata"]["name"], one["metadata"]["namespace"]) == (name, "ml")
    )
    change(spec)
    return differences(replace(there, policies=policies))


def allow(port: int, namespace: str) -> Object:
    name = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return {"from": [{"namespaceSelector": name}], "ports": [{"port": port}]}


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        (
            "run.head",
            lambda spec: spec["ingress"].append(allow(6379, "kube-system")),
            {"DNS -> head:6379 open"},
        ),
        (
            "run.head",
            lambda spec: spec["ingress"][0]["from"][0]["podSelector"].clear(),
            {
                "pod beside the operator -> head:8265 open",
                "Ray beside the operator -> head:8265 open",
            },
        ),
        (
            "run.head",
            lambda spec: spec["ingress"][0]["ports"].clear(),
            {
                f"{who} -> head:{port} open"
                for who in ("operator", "operator by kustomize")
                for port in set(PORTS) - {"8265"}
            },
        ),
        (
            "run",
            lambda spec: spec["egress"][2]["to"][0]["ipBlock"]["except"].remove(
                "192.168.0.0/16"
            ),
            {
                f"{who} -> private host:443 open"
                for who in ("head", "worker", "submitter")
            },
        ),
        (
            "run",
            lambda spec: spec["egress"][2]["to"].pop(),
            {
                f"{who} -> public host by IPv6:443 closed"
                for who in ("head", "worker", "submitter")
            },
        ),
    ],
    ids=["one more", "anybody", "any port", "a private range", "no IPv6"],
)
def test_a_change_of_a_policy_is_seen(
    name: str, change: Callable[[Object], object], found: set[str]
) -> None:
    there = world(plan_of("blueprints/squares", "plain"))
    assert differences(there) == set()
    assert edit(there, name, change) == found


def test_the_lack_of_a_policy_is_seen() -> None:
    there = world(plan_of("blueprints/squares", "plain"))
    bare = replace(there, policies=())
    assert "tenant -> head:8265 open" in differences(bare)
    assert "worker -> private host:22 open" in differences(bare)


# What a blueprint may say -----------------------------------------------------------

SQUARES = "blueprints/squares"


@pytest.mark.parametrize(
    ("mode", "types", "hold"),
    [
        ("DenyAll", {"Ingress", "Egress"}, (TO_THE_RUN, FROM_THE_RUN)),
        ("DenyAllIngress", {"Ingress"}, (TO_THE_RUN,)),
        ("DenyAllEgress", {"Egress"}, (FROM_THE_RUN,)),
        ("none", set(), ()),
    ],
)
def test_modes(mode: Any, types: set[str], hold: tuple[str, ...]) -> None:
    asked = NetworkPolicy(mode=mode)
    # With an autoscaler, and addresses of pods that are known: others are in the way of
    # nobody who may only come in, or only go out.
    plan = plan_of("blueprints/tune-search", "gke")
    there = world(decided(plan, network_policy=asked))
    assert {t for p in there.policies for t in p["spec"]["policyTypes"]} == types
    assert differences(there, hold) == set()
    is_open = (
        reached(there, "tenant", "head") == set(PORTS),
        reached(there, "worker", "private host") == set(PORTS),
    )
    assert is_open == (TO_THE_RUN not in hold, FROM_THE_RUN not in hold)


def test_no_object_is_left_without_policies() -> None:
    plan = decided(plan_of(SQUARES, "plain"), network_policy=NetworkPolicy(mode="none"))
    objects = render(plan, kuberay_version="1.5.1", namespace="ml")
    assert "NetworkPolicy" not in {one["kind"] for one in objects}


def test_rules_of_a_blueprint_come_on_top(planned: Planned) -> None:
    plan = planned(
        """
        cluster: {}
        worker_groups: [{name: cpu}]
        network_policy:
          ingress_rules:
            - from: [{podSelector: {matchLabels: {app: client}}}]
              ports: [{port: 10001}]
          egress_rules:
            - to: [{ipBlock: {cidr: 192.168.7.0/24}}]
              ports: [{port: 22}]
        """
    )
    there = world(plan)
    assert differences(there) == {
        f"client -> {pod}:10001 open" for pod in ("head", "worker")
    } | {f"{pod} -> private host:22 open" for pod in ("head", "worker")}


def test_the_operator_is_where_it_was_said_to_be() -> None:
    there = world(decided(plan_of(SQUARES, "plain"), operator_namespace="monitoring"))
    assert reached(there, "operator", "head") == set()
    operator = replace(OPERATOR, namespace="monitoring")
    moved = replace(there, ends={**there.ends, "operator": operator})
    assert "8265" in reached(moved, "operator", "head")


@pytest.mark.parametrize("hosted", [True, False])
def test_an_operator_beside_the_api_server_comes_by_its_agents(*, hosted: bool) -> None:
    there = world(decided(plan_of(SQUARES, "plain"), hosted_operator=hosted))
    labels = {"k8s-app": "konnectivity-agent"}
    agent = replace(OPERATOR, namespace="kube-system", labels=labels)
    seen = replace(there, ends={**there.ends, "operator": agent})
    assert ("8265" in reached(seen, "operator", "head")) == hosted


def test_nobody_reads_metrics_with_mode_none() -> None:
    metrics = Metrics(mode="none", namespaces=("monitoring",))
    there = world(decided(plan_of(SQUARES, "plain"), metrics=metrics))
    assert reached(there, "Prometheus", "head") == set()


@pytest.mark.parametrize("known", [True, False])
def test_pods_with_public_addresses_are_no_public_hosts(known: bool) -> None:
    pods_range = "151.101.0.0/16" if known else None
    there = world(decided(plan_of(SQUARES, "plain"), pods_range=pods_range))
    assert reached(there, "worker", "public host") == (set() if known else {"443"})


# Redis ------------------------------------------------------------------------------


def clients_of_redis(there: World, whom: str) -> set[str]:
    ours = ("head", "its other head", "cleanup", "worker", "submitter")
    return {who for who in ours if "6379" in reached(there, who, whom)}


@pytest.mark.parametrize(
    ("address", "whom"),
    [
        ("192.168.7.7:6379", {"private host"}),
        ("rediss://192.168.7.7:6379", {"private host"}),
        ("151.101.0.223:6379", {"public host"}),
        ("redis.store:6379", {"Redis"}),
        ("redis.store.svc:6379", {"Redis"}),
        ("Redis.Store.SVC.cluster.local:6379", {"Redis"}),
        ("redis.store.svc.corp.example:6379", {"Redis"}),
        ("redis://redis-0.redis.store.svc.cluster.local:6379", {"Redis"}),
        ("redis:6379", {"client"}),
        ("redis.example.com:6379", {"private host", "public host"}),
        ("redis.store:6380", set()),
    ],
)
def test_heads_and_their_cleanup_reach_redis_and_nobody_else(
    address: str, whom: set[str]
) -> None:
    options = GcsFaultToleranceOptions(redis_address=address)
    there = world(decided(plan_of(SQUARES, "gke"), fault_tolerance=options))
    candidates = ("Redis", "client", "tenant", "private host", "public host")
    found = {one: clients_of_redis(there, one) for one in candidates}
    clients = {"head", "its other head", "cleanup"}
    assert {one: who for one, who in found.items() if who} == dict.fromkeys(
        whom, clients
    )


def test_redis_at_another_port_is_reached_there() -> None:
    options = GcsFaultToleranceOptions(redis_address="rediss://redis.store.svc:10001")
    there = world(decided(plan_of(SQUARES, "gke"), fault_tolerance=options))
    assert reached(there, "head", "Redis") == {"10001"}


def test_where_egress_is_free_redis_needs_no_policy() -> None:
    options = GcsFaultToleranceOptions(redis_address="redis:6379")
    asked = NetworkPolicy(mode="DenyAllIngress")
    plan = decided(
        plan_of(SQUARES, "gke"), fault_tolerance=options, network_policy=asked
    )
    there = world(plan)
    names = {policy["metadata"]["name"] for policy in there.policies}
    assert names == {"run", "run.head", "other", "other.head"}
    assert "6379" in reached(there, "head", "Redis")
