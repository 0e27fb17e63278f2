"""Ctrl-C and SIGTERM in the middle of `up` and `down`, and two of them at once."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.processes import eventually
from tests.gke import small_platform
from tests.gke.small_platform import NAME, NAMESPACE
from tests.gke.world import World

pytestmark = pytest.mark.cluster

_INTERRUPTED = 130
_REFUSED = 4
_CLUSTER = "google_container_cluster"
_RELEASE = "helm_release"
_LONG_SECONDS = 30
_SOON_SECONDS = 10
_WAITING = "waiting until Terraform has ended what it has begun"


@pytest.fixture
def small(gke: World) -> World:
    """A world with a small platform, of which nothing is up."""
    small_platform.write(gke)
    return gke


def interrupted(
    gke: World,
    word: str,
    once: Callable[[], object],
    *numbers: signal.Signals,
) -> str:
    """Start a command, send it signals once something holds, and return its words."""
    started = gke.start(word)
    eventually(f"a moment of {word}", once)
    for number in numbers or (signal.SIGINT,):
        started.send_signal(number)
    code, said = ended(started, seconds=_SOON_SECONDS)
    assert code == _INTERRUPTED, said
    assert "Traceback" not in said
    small_platform.has_ended(gke)
    return said


def ended(started: subprocess.Popen[str], *, seconds: float = 120) -> tuple[int, str]:
    """Return how a command ended, and all that it said: none of it is for screens."""
    said = "".join(started.communicate(timeout=seconds))
    assert "\x1b" not in said
    assert "\r" not in said
    return started.returncode, said


def done(gke: World, word: str, *options: str) -> str:
    """Run a command that must succeed, and return its words."""
    code, said = ended(gke.start(word, *options))
    assert code == 0, said
    return said


def is_whole(gke: World) -> None:
    """See to it that all is there, once, and known."""
    small_platform.nothing_came_twice(gke)
    small_platform.all_is_known(gke)
    done(gke, "plan", "--detailed-exitcode")


def test_ctrl_c_in_each_part_of_a_platforms_life(small: World) -> None:
    cloud = small.cloud
    cloud.stall(_CLUSTER, seconds=_LONG_SECONDS)
    said = interrupted(small, "up", lambda: cloud.objects(_CLUSTER))
    assert f"{_WAITING}; Ctrl-C again stops it at once" in said
    assert said.count("interrupted") == 1
    assert f"{NAME}: interrupted; what is there stays, and is remembered" in said
    assert "ray-gke up goes on from there" in said
    small_platform.all_is_known(small)

    cloud.clear()
    cloud.stall(_RELEASE, seconds=_LONG_SECONDS)
    said = interrupted(small, "up", lambda: cloud.calls("create", _RELEASE))
    assert _WAITING in said

    cloud.clear()
    said = interrupted(small, "up", lambda: rayclusters(small))
    assert "interrupted; what is in the cluster stays and goes on there" in said
    assert not leases(small)

    done(small, "up")
    is_whole(small)

    said = interrupted(small, "down", lambda: not rayclusters(small))
    assert "goes on" in said
    assert not leases(small)

    cloud.stall(_CLUSTER, seconds=_LONG_SECONDS, operation="delete")
    said = interrupted(small, "down", lambda: not cloud.objects(_CLUSTER))
    assert _WAITING in said
    assert "ray-gke down goes on from there" in said

    cloud.clear()
    done(small, "down")
    small_platform.leaves_nothing(small)


def test_sigterm_is_ctrl_c(small: World) -> None:
    cloud = small.cloud
    network = "google_compute_network"
    cloud.stall(network, seconds=_LONG_SECONDS)
    said = interrupted(small, "up", lambda: cloud.objects(network), signal.SIGTERM)
    assert _WAITING in said
    assert "ray-gke up goes on from there" in said
    cloud.clear()
    # Terraform was told of no network: its provider has not waited for it.
    assert "found again: module.network.google_compute_network.this" in done(
        small, "up"
    )
    is_whole(small)


def test_ctrl_c_twice_does_not_wait_for_a_provider_that_hears_nothing(
    small: World,
) -> None:
    small.cloud.stall(_CLUSTER, seconds=_LONG_SECONDS)
    started = small.start("up")
    eventually("a cluster", lambda: small.cloud.objects(_CLUSTER))
    freeze(providers(small))
    started.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        started.communicate(timeout=1)
    started.send_signal(signal.SIGINT)
    code, said = ended(started, seconds=_LONG_SECONDS)
    assert code == _INTERRUPTED, said
    assert said.count("interrupted") == 1
    small_platform.has_ended(small)
    small.cloud.clear()
    done(small, "up")
    is_whole(small)


def test_whoever_comes_second_is_refused_or_waits_for_terraform(small: World) -> None:
    small.cloud.stall(_CLUSTER, seconds=_SOON_SECONDS)
    first = small.start("up")
    eventually("a cluster", lambda: small.cloud.objects(_CLUSTER))
    frozen = providers(small)
    freeze(frozen)
    for word in ("up", "down"):
        code, said = ended(small.start(word))
        assert code == _REFUSED
        assert said.startswith("error: another ray-gke is at work in ")
        assert f": process {first.pid}\n  hint: wait for it to end" in said
    first.kill()
    second = small.start("up")
    assert second.stderr
    while "an earlier run's Terraform is still at work" not in (
        line := second.stderr.readline()
    ):
        assert line, "it has not waited"
    freeze(frozen, over=True)
    code, said = ended(second)
    assert code == 0, said
    is_whole(small)


def test_of_two_at_once_one_is_refused(small: World) -> None:
    both = [small.start("up") for _ in range(2)]
    (first, _), (second, said) = sorted(map(ended, both))
    assert first == 0
    assert second == _REFUSED, said
    assert "another ray-gke is at work" in said
    is_whole(small)


def rayclusters(gke: World) -> list[object]:
    path = f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayclusters"
    return list(gke.bed.control_plane.get(path)["items"])


def leases(gke: World) -> list[object]:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
    return list(gke.bed.control_plane.get(path)["items"])


def providers(gke: World) -> list[int]:
    """Return the ids of the google providers that run."""
    found = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in gke.processes()}
    return [pid for pid, command in found.items() if b"provider-google" in command]


def freeze(pids: list[int], *, over: bool = False) -> None:
    """Let processes hang, or go on."""
    for pid in pids:
        os.kill(pid, signal.SIGCONT if over else signal.SIGSTOP)
