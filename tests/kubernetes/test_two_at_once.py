"""Several commands that would write the same run."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import Any

import pytest

from tests.cluster.api_proxy import Request
from tests.cluster.fault_proxy import FaultProxy
from tests.cluster.processes import eventually
from tests.kubernetes import lives
from tests.kubernetes.desk import Desk
from tests.kubernetes.holdings import holdings
from tests.kubernetes.lives import Life, in_parallel, new_life
from tests.kubernetes.moments import held_at

pytestmark = pytest.mark.cluster

LEASES = "/apis/coordination.k8s.io/v1/namespaces"
ROUNDS = 6


def writes_the_cluster(request: Request) -> bool:
    return request.method == "PATCH" and "/rayclusters/" in request.path


def before_the_cluster(request: Request) -> bool:
    return request.method == "PATCH" and "/serviceaccounts/" in request.path


def is_refused(life: Life, word: str, *options: str) -> str:
    command = life.start(word, *options)
    assert command.wait() == 4, str(command)
    return command.said


def test_of_two_at_once_one_works_and_the_other_attaches_or_is_refused(
    desk: Desk,
) -> None:
    lives.write(desk)
    wanted = lives.undisturbed(desk, "stays")

    def both(number: int) -> None:
        life = new_life(desk, "stays", f"both-{number}")
        commands = [life.start("up") for _ in range(2)]
        codes = sorted(command.wait() for command in commands)
        told = "\n".join(map(str, commands))
        assert codes in ([0, 0], [0, 4]), told
        if codes == [0, 4]:
            assert "is being changed by another ray-gke: process " in told
        life.comes_to(wanted)
        life.done("down")
        life.leaves_nothing()

    in_parallel(both, range(ROUNDS))


def test_whoever_comes_second_hears_who_was_first(desk: Desk) -> None:
    lives.write(desk)
    wanted = lives.undisturbed(desk, "stays")
    life = new_life(desk, "stays", desk.new_namespace())
    with held_at(life, writes_the_cluster) as held:
        holder = f"stays in namespace {life.namespace} is being changed by another "
        holder += f"ray-gke: process {held.command.pid} on "
        assert holder in is_refused(life, "up")
        assert holder in is_refused(life, "down")
        held.go_on()
        assert held.command.wait() == 0, str(held.command)
    life.comes_to(wanted)
    life.done("down")
    life.leaves_nothing()


def test_of_two_different_ones_one_wins_whole(desk: Desk) -> None:
    other = lives.SPECS["stays"].replace("cpu: 1,", "cpu: 2,")
    desk.write("stays", other)
    after = lives.undisturbed(desk, "stays")
    lives.write(desk)
    before = lives.undisturbed(desk, "stays")
    assert before != after
    elsewhere = desk.folder / "elsewhere"
    elsewhere.mkdir()
    changed = Desk(desk.cluster, elsewhere)
    changed.write("stays", other)

    def both(number: int) -> None:
        namespace = f"mixed-{number}"
        lived = [new_life(where, "stays", namespace) for where in (desk, changed)]
        commands = [life.start("up", "--yes") for life in lived]
        codes = [command.wait() for command in commands]
        told = "\n".join(map(str, commands))
        assert sorted(codes) in ([0, 0], [0, 4]), told
        ways = {(0, 4): [before], (4, 0): [after], (0, 0): [before, after]}

        def whole() -> bool:
            return holdings(desk.cluster, namespace) in ways[codes[0], codes[1]]

        eventually(f"one of both whole after {told}", whole)
        lived[0].done("down")
        lived[0].leaves_nothing()

    in_parallel(both, range(ROUNDS))


def stolen(desk: Desk, life: Life) -> None:
    """Let somebody elsewhere have the lock, as if they had waited long enough."""
    path = f"{LEASES}/{life.namespace}/leases"
    desk.cluster.kubectl("delete", "lease", "ray-gke-stays", "-n", life.namespace)
    desk.cluster.control_plane.api.create(path, lease("elsewhere/7/1/boot"))


def lease(holder: str, seconds: int = 3600) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "ray-gke-stays",
            "labels": {
                "app.kubernetes.io/managed-by": "ray-gke",
                "ray-gke/run": "stays",
            },
        },
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": seconds},
    }


def stops_writing(desk: Desk, life: Life, said: str) -> None:
    assert "the lock Lease/ray-gke-stays was lost" in said
    assert "process 7 on elsewhere has taken it" in said
    assert not desk.all("RayCluster", life.namespace)
    held = desk.all("Lease", life.namespace)["ray-gke-stays"]
    assert held["spec"]["holderIdentity"].startswith("elsewhere/")


def test_whoever_has_lost_the_lock_stops_writing(desk: Desk) -> None:
    lives.write(desk)
    life = new_life(desk, "stays", desk.new_namespace())

    with held_at(life, before_the_cluster) as held:
        stolen(desk, life)
        # When it cannot renew, it looks who has it.
        eventually(
            "it to look", lambda: held.proxy.asked("GET", "/leases/ray-gke-stays")
        )
        held.go_on()
        assert held.command.wait() == 1, str(held.command)
    stops_writing(desk, life, held.command.said)


def test_whoever_has_slept_looks_before_it_writes(desk: Desk) -> None:
    lives.write(desk)
    life = new_life(desk, "stays", desk.new_namespace())

    with held_at(life, before_the_cluster) as held:
        held.command.signal(signal.SIGSTOP)
        stolen(desk, life)
        time.sleep(11)
        held.go_on()
        held.command.signal(signal.SIGCONT)
        assert held.command.wait() == 1, str(held.command)
    stops_writing(desk, life, held.command.said)


def test_a_lock_from_elsewhere_counts_while_it_is_renewed(
    desk: Desk, namespace: str
) -> None:
    lives.write(desk)
    life = new_life(desk, "stays", namespace)
    path = f"{LEASES}/{namespace}/leases"
    desk.cluster.control_plane.api.create(path, lease("elsewhere/7/1/boot"))
    over = threading.Event()

    def renew() -> None:
        number = 0
        while not over.wait(0.3):
            number += 1
            renewed = lease("elsewhere/7/1/boot")
            renewed["spec"]["renewTime"] = f"2026-01-01T00:00:00.{number:06}Z"
            desk.cluster.control_plane.api.apply(
                f"{path}/ray-gke-stays", json.dumps(renewed), manager="elsewhere"
            )

    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        said = is_refused(life, "up")
    finally:
        over.set()
        renewing.join()
    assert "process 7 on elsewhere" in said
    assert set(holdings(desk.cluster, namespace)) == {"Lease/ray-gke-stays"}


def test_a_lock_from_elsewhere_that_nobody_renews_runs_out(
    desk: Desk, namespace: str
) -> None:
    lives.write(desk)
    life = new_life(desk, "stays", namespace)
    path = f"{LEASES}/{namespace}/leases"
    desk.cluster.control_plane.api.create(path, lease("elsewhere/7/1/boot", 2))
    with FaultProxy(desk.cluster, desk.folder / namespace) as proxy:
        life.done("up", kubeconfig=proxy.kubeconfig)
        assert proxy.asked("POST", "/leases") > 3
    life.done("down")
    assert not holdings(desk.cluster, namespace)
