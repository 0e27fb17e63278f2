"""Terraform and its providers end in the middle: what is there, what comes after."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.processes import eventually
from tests.terraform import program
from tests.terraform.cloud import Cloud
from tests.terraform.configurations import ALL, NETWORK, POOL_ID
from tests.terraform.conftest import Root

CHANGES_OF_ALL = 3
LONG = 600


def _creations(cloud: Cloud) -> list[str]:
    return [c.type for c in cloud.calls("create") if c.outcome == "done"]


@contextmanager
def _applying(root: Root) -> Iterator[subprocess.Popen[bytes]]:
    """Run an apply beside the test, until the test has ended it."""
    command = [str(program.terraform()), "apply", "-no-color", "-auto-approve"]
    with (root.folder / "printed").open("wb") as printed:
        apply = subprocess.Popen(
            command, cwd=root.folder, env=root.cloud.env(), stdout=printed
        )
    try:
        yield apply
    finally:
        if apply.poll() is None:
            apply.kill()
        apply.wait()


def _is_made(cloud: Cloud, kind: str) -> bool:
    return bool(cloud.objects(kind))


def _providers(terraform: int) -> list[int]:
    """The processes that Terraform started, by its threads."""
    threads = Path(f"/proc/{terraform}/task").iterdir()
    return [int(pid) for t in threads for pid in (t / "children").read_text().split()]


def _runs(pid: int) -> bool:
    """Whether a process runs; one that nobody waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", range(1, CHANGES_OF_ALL + 1))
def test_a_provider_that_died_before_it_did_anything(
    cloud: Cloud, root: Root, number: int
) -> None:
    root.write(ALL)
    cloud.die_at(number, before=True)
    assert "plugin" in root.fails("apply").lower()
    assert len(_creations(cloud)) == number - 1
    root.succeeds("apply")
    assert len(_creations(cloud)) == CHANGES_OF_ALL
    assert root.run("plan", "-detailed-exitcode").returncode == 0


def test_what_a_dead_provider_made_is_found_and_can_be_imported(
    cloud: Cloud, root: Root
) -> None:
    root.write(ALL)
    cloud.die_at(CHANGES_OF_ALL)
    root.fails("apply")
    error = root.fails("apply")
    assert f"Error 409: The resource '{POOL_ID}' already exists" in error
    root.succeeds("import", "google_container_node_pool.this", POOL_ID)
    root.succeeds("apply")
    assert len(_creations(cloud)) == CHANGES_OF_ALL
    assert root.run("plan", "-detailed-exitcode").returncode == 0


def test_a_killed_terraform_leaves_no_provider_and_nothing_is_made_twice(
    cloud: Cloud, root: Root
) -> None:
    root.write(NETWORK)
    cloud.stall("google_compute_network", seconds=LONG)
    with _applying(root) as apply:
        eventually("the network", lambda: _is_made(cloud, "google_compute_network"))
        (provider,) = _providers(apply.pid)
        apply.kill()
    eventually("the provider to end", lambda: not _runs(provider))
    cloud.clear()
    assert "Error 409" in root.fails("apply", "-lock=false")
    assert _creations(cloud) == ["google_compute_network"]


def test_a_stopped_terraform_keeps_the_cluster_that_is_being_made(
    cloud: Cloud, root: Root
) -> None:
    root.write(ALL)
    kind = "google_container_cluster"
    cloud.stall(kind, seconds=LONG, operation="create")
    with _applying(root) as apply:
        eventually("the cluster", lambda: _is_made(cloud, kind))
        apply.send_signal(signal.SIGINT)
        apply.wait()
    assert apply.returncode == 1
    assert "Interrupt received" in (root.folder / "printed").read_text()
    cloud.clear()
    root.succeeds("apply")
    assert len(_creations(cloud)) == CHANGES_OF_ALL


def test_a_call_that_takes_long_is_waited_for(cloud: Cloud, root: Root) -> None:
    root.write(NETWORK)
    cloud.stall("google_compute_network", "ray", seconds=0.01)
    root.succeeds("apply")
    assert _creations(cloud) == ["google_compute_network"]
