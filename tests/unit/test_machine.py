from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ray_gke.catalog.blueprint import Cluster
from ray_gke.errors import RefusedError
from ray_gke.planning.machine import Machine, fit
from ray_gke.planning.plan import Group, Plan

GIB = 2**30
MIB = 2**20
LAPTOP = Machine(cpus=4, memory_bytes=16 * GIB)


def group(name: str, least: int, most: int, gpus: int = 0, cpus: int = 1) -> Group:
    return Group(
        name=name,
        min_replicas=least,
        max_replicas=most,
        cpu=str(cpus),
        memory="4Gi",
        num_cpus=cpus,
        num_gpus=gpus,
        memory_bytes=4 * GIB,
    )


def plan(*groups: Group, **more: Any) -> Plan:
    whole = Plan(
        name="trial",
        blueprint="trial",
        kind="cluster",
        ray_version="2.60.0",
        image="rayproject/ray:2.60.0",
        head=group("head", 1, 1),
        worker_groups=groups,
        workload=Cluster(),
        env={},
        idle_timeout_seconds=60,
        upscaling_mode="Default",
        files={},
        serve_config=None,
        patches=(),
    )
    return replace(whole, **more)


def sizes(plan: Plan) -> list[tuple[int, int]]:
    return [(g.min_replicas, g.max_replicas) for g in plan.worker_groups]


def test_what_fits_stays_as_it_is() -> None:
    asked = plan(group("a", 1, 3), group("b", 0, 2))
    local = fit(asked, LAPTOP)
    assert local.plan == asked
    assert local.notes == ()
    assert local.gpus == ()


def test_workers_keep_their_shape_even_when_it_is_bigger_than_the_machine() -> None:
    local = fit(plan(group("wide", 1, 1, cpus=96)), LAPTOP)
    assert local.plan.worker_groups[0].num_cpus == 96
    assert local.plan.worker_groups[0].memory_bytes == 4 * GIB


def test_a_fixed_group_is_cut_to_what_the_cpus_carry_and_stays_fixed() -> None:
    local = fit(plan(group("a", 20, 20)), LAPTOP)  # 4 workers a CPU
    assert sizes(local.plan) == [(16, 16)]
    assert local.notes == (
        "group a: workers 20 → 16 (this machine has 4 CPUs and 16.0 GiB)",
    )


def test_memory_limits_the_workers_too() -> None:
    local = fit(plan(group("a", 3, 8)), Machine(cpus=64, memory_bytes=4 * GIB))
    assert local.most_workers == 5  # (4 - 1.5) / 0.5
    assert sizes(local.plan) == [(3, 5)]
    assert local.notes == (
        "group a: workers 3 to 8 → 3 to 5 (this machine has 64 CPUs and 4.0 GiB)",
    )


def test_groups_are_cut_fairly_and_each_keeps_one_worker() -> None:
    machine = Machine(cpus=1, memory_bytes=16 * GIB)
    asked = plan(group("a", 9, 9), group("b", 1, 1), group("c", 0, 4))
    assert sizes(fit(asked, machine).plan) == [(3, 3), (1, 1), (0, 4)]


def test_a_machine_that_cannot_even_carry_one_of_each_is_refused() -> None:
    groups = [group(name, 1, 1) for name in "abcde"]
    with pytest.raises(RefusedError) as caught:
        fit(plan(*groups), Machine(cpus=1, memory_bytes=16 * GIB))
    message = str(caught.value)
    assert "a worker of each of a, b, c, d, e" in message
    assert "2 CPUs" in message
    with pytest.raises(RefusedError, match=r"a head needs 1\.5 GiB"):
        fit(plan(), Machine(cpus=8, memory_bytes=GIB))


def test_the_object_store_is_a_part_of_memory_but_never_less_than_ray_takes() -> None:
    assert fit(plan(), LAPTOP).object_store_bytes == 2 * GIB
    small = fit(plan(group("a", 1, 3)), Machine(cpus=2, memory_bytes=3 * GIB))
    assert small.object_store_bytes == 241591910  # 30 % of 3 GiB for 4 raylets
    many = fit(plan(group("a", 1, 40)), Machine(cpus=64, memory_bytes=4 * GIB))
    assert many.object_store_bytes == 214748364  # 30 % of 4 GiB for 6 raylets
    least = fit(plan(group("a", 1, 9999)), Machine(cpus=9999, memory_bytes=4096 * GIB))
    assert least.object_store_bytes > 75 * MIB


def test_without_gpus_they_are_counted_and_one_line_says_so() -> None:
    local = fit(plan(group("a", 1, 2, gpus=1), group("b", 0, 1, gpus=4)), LAPTOP)
    assert local.gpus == ()
    assert sizes(local.plan) == [(1, 2), (0, 1)]
    (note,) = local.notes
    assert "no GPU" in note
    assert "logical GPUs for a (1), b (4)" in note


def test_real_gpus_are_never_handed_out_twice() -> None:
    machine = replace(LAPTOP, gpus=("0", "1", "2"))
    local = fit(plan(group("a", 2, 4, gpus=1), group("b", 0, 4, gpus=1)), machine)
    assert local.gpus == ("0", "1", "2")
    assert sizes(local.plan) == [(2, 2), (0, 1)]
    assert "3 GPUs" in local.notes[0]


def test_a_group_that_needs_more_gpus_than_there_are_counts_them() -> None:
    machine = replace(LAPTOP, gpus=("0",))
    local = fit(plan(group("a", 1, 1, gpus=2)), machine)
    assert local.gpus == ()
    assert "only 1" in local.notes[0]


def test_gpus_nobody_asks_for_are_left_alone() -> None:
    local = fit(plan(group("a", 1, 1)), replace(LAPTOP, gpus=("0",)))
    assert local.gpus == ()
    assert local.notes == ()
