"""What `doctor` looks at where no cluster is made: this machine, any cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from ray_gke.errors import RefusedError
from ray_gke.planning.machine import Machine
from ray_gke.planning.plan import Plan
from ray_gke.targets.gke.doctor import any_cluster, this_machine
from ray_gke.targets.kubernetes import checks
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.local import requirements

SPEC = """
worker_groups:
  - {name: cpu, min_replicas: 2, cpu: 1, memory: 2Gi}
cluster: {}
"""
BIG, SMALL = Machine(16, 64 * 2**30), Machine(1, 2**29)
API = cast("Api", None)


def look(
    plans: list[Plan], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    monkeypatch.setattr(this_machine, "this_machine", lambda: machine)
    found = this_machine.look(plans).findings
    return {f"{one.check} {one.subject}": one.status for one in found}


def test_a_machine_that_holds_everything(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "check", lambda _: ())
    found = look([planned(SPEC)], BIG, monkeypatch)
    assert set(found.values()) == {"ok"}
    assert "machine 16 CPUs" in found


def test_a_machine_that_is_too_small(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "check", lambda _: ())
    assert look([planned(SPEC)], SMALL, monkeypatch)["machine demo"] == "refused"


def test_a_ray_of_each_version_that_is_asked_for(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(version: str) -> tuple[str, ...]:
        if version == "2.59.0":
            raise RefusedError("Ray is not installed", hint="pip install it")
        return ("a slightly different one is used",)

    monkeypatch.setattr(requirements, "check", check)
    plan = planned(SPEC)
    found = look([plan, replace(plan, ray_version="2.59.0")], BIG, monkeypatch)
    assert (found["ray 2.59.0"], found[f"ray {plan.ray_version}"]) == (
        "refused",
        "warning",
    )


def test_a_cluster_is_looked_at_for_each_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[checks.Needs] = []

    def check(_: Any, needs: checks.Needs) -> checks.Findings:
        asked.append(needs)
        if needs.namespace == "locked":
            raise RefusedError("you may not", hint="ask")
        return checks.Findings("1.34.4", "1.5.1", ("no node has a GPU now",))

    monkeypatch.setattr(checks, "check", check)
    job = {"kind": "RayJob", "metadata": {"name": "demo"}, "spec": {}}
    report = any_cluster.look(API, {"ray": [job], "locked": []})
    assert [(one.subject, one.status, one.message) for one in report.findings] == [
        ("ray", "ok", "Kubernetes 1.34.4, KubeRay 1.5.1"),
        ("ray", "warning", "no node has a GPU now"),
        ("locked", "refused", "you may not"),
    ]
    assert [one.kinds for one in asked] == [{"RayJob"}, {"RayCluster"}]
