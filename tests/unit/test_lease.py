"""Locks of runs, on a cluster in memory."""

from __future__ import annotations

import threading

import pytest

from ray_gke.targets.kubernetes import lease
from ray_gke.targets.kubernetes.lease import held
from tests.memory_cluster import MemoryCluster

RUNS = [("ml", name) for name in ("a", "b", "c")]
SECONDS = 10.0


def test_locks_are_renewed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.01)
    together = threading.Event()
    barrier = threading.Barrier(len(RUNS), action=together.set)

    def renewing() -> None:
        if not together.is_set():
            barrier.wait(SECONDS)

    cluster = MemoryCluster(renewing=renewing)
    with held(cluster, RUNS):
        assert together.wait(SECONDS)


def test_who_waited_for_a_renewal_does_not_renew_again() -> None:
    cluster = MemoryCluster()
    others: list[threading.Thread] = []

    def renewing() -> None:
        if not others:
            others.append(threading.Thread(target=lock.check))
            others[0].start()
            # It may look at the lock before this renewal ends.
            others[0].join(0.2)

    with held(cluster, RUNS[:1]) as (lock,):
        cluster.renewing = renewing
        lock._renewed = 0.0
        lock.check()
        others[0].join(SECONDS)
    assert cluster.written.count("replace Lease/ray-gke-a") == 1
