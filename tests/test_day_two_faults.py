"""One mistake about logs, metrics, security or recovery, one error, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ray_gke.validation import validate

FAULTS = Path(__file__).parent / "faults_day_two"
CASES = {
    "available-is-misspelt": (7, "unknown key", "'highly_available'"),
    "available-on-the-head": (6, "replicas on the head would end with it", "leave it"),
    "available-with-one-replica": (7, "Model may have 1 replica", "num_replicas"),
    "available-with-one-worker": (7, "min_replicas 1 is not highly", "2 or more"),
    "available-without-redis": (8, "ends with its head", "redis_address: HOST:6379"),
    "available-without-workers": (6, "there are no worker groups", "add a worker"),
    "history-by-an-old-operator": (5, "KubeRay 1.5.1 has no history", "KubeRay 1.7.0"),
    "logs-mode-misspelt": (5, "'sidecars'", "sidecar"),
    "logs-volume-beside-gkes": (14, "GKE adds a volume of this name", "call it other"),
    "logs-with-little-room": (5, "too little room for Ray's log files", "256Mi"),
    "logs-without-room": (5, "less than 1Mi", "10Gi"),
    "metrics-mode-in-small-letters": (5, "'podmonitor'", "'PodMonitor'"),
    "metrics-namespace-in-capitals": (5, "'Monitoring' does not fit", "small letters"),
    "network-mode-misspelt": (5, "'denyall'", "'DenyAll'"),
    "network-rule-by-patch": (8, "spec.ingress[0].from[0]: says of nobody", "name ip"),
    "network-rule-excepting-others": (7, "192.168.0.0/16 is no part of", "a range"),
    "network-rule-misspelt": (7, "form: unknown field", "'from'"),
    "network-rule-of-a-netmask": (7, "'10.0.0.0/255.0.0.0' is not", "10.0.0.0/8"),
    "network-rule-of-no-port": (7, "ports[0].port: 99999 is not a port", "1 to 65535"),
    "network-rule-of-no-range": (7, "ipBlock.cidr: '10.0.0.0/99' is", "10.0.0.0/8"),
    "network-rule-of-no-use": (7, "no use with mode DenyAllEgress", "DenyAllIngress"),
    "network-rule-of-nobody": (7, "from[0]: says of nobody who it is", "podSelector"),
    "network-rule-of-two-kinds": (7, "from[0].ipBlock: stands beside", "two entries"),
    "network-rule-that-ends-first": (7, "endPort: 3 is below port 5432", "the lower"),
    "network-rule-that-only-ends": (7, "ports[0].endPort: stands without", "begins"),
    "network-rule-without-a-port-number": (7, "ports[0].port", ""),
    "tls-by-an-old-operator": (5, "KubeRay 1.5.1 has no TLS", "secret_name"),
    "token-by-an-old-operator": (5, "has no token of your own", "KubeRay 1.6.2"),
    "token-that-nobody-asks-for": (5, "no use with mode disabled", "leave one"),
    "tolerance-at-no-address": (5, "10.0.0.300 is neither a name nor", "HOST:PORT"),
    "tolerance-at-no-port": (5, "port 99999 is not one of 1 to 65535", "HOST:PORT"),
    "tolerance-shared-by-a-service": (7, "would share their state", "leave it out"),
    "tolerance-shared-by-tries": (7, "each try of a job is a new", "leave it out"),
    "tolerance-with-a-password": (5, "not a mapping", "Where the password stands"),
    "tolerance-without-address": (5, "'redis_address' is missing", "HOST:PORT"),
    "tolerance-without-port": (5, "'redis.ml.svc' does not fit", "HOST:PORT"),
}


def test_every_mistake_is_expected() -> None:
    assert {folder.name for folder in FAULTS.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_mistake_is_told_with_its_place(case: str) -> None:
    line, message, hint = CASES[case]
    (finding,) = validate([FAULTS / case])
    assert finding.error
    (problem,) = finding.error.problems
    assert problem.place
    assert (Path(problem.place.file).name, problem.place.line) == (
        "blueprint.yaml",
        line,
    )
    assert message in problem.message
    assert hint in (problem.hint or "")
