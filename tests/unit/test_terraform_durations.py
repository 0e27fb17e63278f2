"""How long an apply is said to take still."""

from __future__ import annotations

import pytest

from ray_gke.targets.terraform.durations import seconds_left

CLUSTER = "module.cluster.google_container_cluster.this"
POOL = 'module.node_pool["t4-x"].google_container_node_pool.this'
NAT = "module.network.google_compute_router_nat.this[0]"
API = 'google_project_service.this["compute.googleapis.com"]'


def test_nothing_is_left_when_nothing_is_pending() -> None:
    assert seconds_left({}) == 0


@pytest.mark.parametrize(
    ("address", "action", "least", "most"),
    [
        (CLUSTER, "create", 300, 600),
        (CLUSTER, "delete", 180, 600),
        (POOL, "create", 60, 120),
        (f"{POOL}[0]", "create", 60, 120),
        (NAT, "create", 10, 60),
        (API, "create", 10, 60),
        (API, "delete", 0.1, 10),
        ("module.addons.helm_release.kuberay_operator[0]", "create", 10, 60),
        ("google_something_new.this", "create", 1, 10),
        ("google_something_new.this", "forget", 0.1, 10),
        ("module.x.data.google_container_cluster.this", "read", 0.1, 5),
        ("data.google_container_cluster.this", "read", 0.1, 5),
    ],
)
def test_a_resource_takes_what_its_type_takes(
    address: str, action: str, least: float, most: float
) -> None:
    assert least <= seconds_left({address: (action, 0)}) <= most


@pytest.mark.parametrize(
    "address",
    [
        "google_container_cluster.this",
        "google_container_cluster.this[0]",
        'google_container_cluster.this["a.b"]',
        'google_container_cluster.this["a\\"].b[0]"]',
        'module.a["x.y"].module.b[3].google_container_cluster.this',
        "module.data.google_container_cluster.this",
        "module.module.google_container_cluster.data",
    ],
)
def test_the_type_is_read_from_any_address(address: str) -> None:
    assert seconds_left({address: ("create", 0)}) == 480


def test_a_data_source_is_quick_whatever_it_reads() -> None:
    left = seconds_left({"module.data.data.google_container_cluster.this": ("", 0)})
    assert 0 < left < 5


def test_what_was_worked_on_is_taken_off() -> None:
    assert seconds_left({CLUSTER: ("create", 100)}) == 380


def test_what_is_late_is_nearly_done_and_never_overdone() -> None:
    assert seconds_left({CLUSTER: ("create", 3600)}) == 48


def test_stages_wait_for_each_other() -> None:
    pending = {API: ("create", 0.0), CLUSTER: ("create", 0.0), POOL: ("create", 0.0)}
    assert seconds_left(pending) == 30 + 480 + 90


def test_deletes_wait_for_each_other_too() -> None:
    assert seconds_left({CLUSTER: ("delete", 0), POOL: ("delete", 0)}) == 300 + 120


def test_resources_of_one_stage_are_made_side_by_side() -> None:
    ten = {f"{POOL}[{n}]": ("create", 10.0 * n) for n in range(10)}
    assert seconds_left(ten) == 90


def test_at_most_ten_are_made_at_once() -> None:
    thirty = {f"{POOL}[{n}]": ("create", 0.0) for n in range(30)}
    assert seconds_left(thirty) == 3 * 90


def test_a_replacement_is_a_delete_and_a_create() -> None:
    assert seconds_left({POOL: ("replace", 0)}) == 120 + 90
