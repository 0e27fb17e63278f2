"""`up` and `down` that end in the middle, whichever way, and what comes after."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cluster.api_proxy import Request
from tests.cluster.fault_proxy import Fault, FaultProxy
from tests.cluster.processes import eventually
from tests.kubernetes import lives
from tests.kubernetes.commands import Command
from tests.kubernetes.desk import Desk
from tests.kubernetes.holdings import holdings
from tests.kubernetes.lives import FOREVER, Life, in_parallel, new_life
from tests.kubernetes.moments import Moment, held_at, requests, spread

pytestmark = pytest.mark.cluster

KILLED = {"stays": 26, "serves": 12, "works": 12}
KILLED_DOWN = {"stays": 6, "serves": 4, "works": 4}
SOON_SECONDS = 5.0
"""Two seconds, and some for a machine that has more to do."""


def test_up_goes_on_wherever_it_was_killed(desk: Desk) -> None:
    lives.write(desk)
    wanted = {name: lives.undisturbed(desk, name, "--detach") for name in KILLED}
    length = {name: requests(desk, name, "up") for name in KILLED}
    chance = random.Random(50)
    tries = [
        (name, moment, chance.random() < 0.5)
        for name, number in KILLED.items()
        for moment in spread(length[name], number, chance)
    ]

    def killed(index: int) -> bool:
        name, number, reached = tries[index]
        life = new_life(desk, name, f"killed-{index}")
        was_killed = kill_at(life, "up", number, reached=reached)
        with FaultProxy(desk.cluster, desk.folder / life.namespace) as proxy:
            life.done("up", "--detach", kubeconfig=proxy.kubeconfig)
            # It takes a lock of somebody who is gone, without waiting.
            assert proxy.asked("POST", "/leases") <= 2
        life.comes_to(wanted[name])
        life.done("down")
        life.leaves_nothing()
        return was_killed

    assert sum(in_parallel(killed, range(len(tries)))) > 0.9 * len(tries)


def test_down_goes_on_wherever_it_was_killed(desk: Desk) -> None:
    lives.write(desk)
    length = {name: requests(desk, name, "down") for name in KILLED_DOWN}
    chance = random.Random(14)
    tries = [
        (name, moment, chance.random() < 0.5)
        for name, number in KILLED_DOWN.items()
        for moment in spread(length[name], number, chance)
    ]

    def killed(index: int) -> bool:
        name, number, reached = tries[index]
        life = new_life(desk, name, f"ended-{index}")
        life.done("up", "--detach")
        was_killed = kill_at(life, "down", number, reached=reached)
        # Nothing may be left to say so but the namespace.
        code = life.start("down").wait()
        assert code in {0, 2}, str(life.commands[-1])
        life.leaves_nothing()
        return was_killed

    assert sum(in_parallel(killed, range(len(tries)))) > 0.8 * len(tries)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_up_goes_on(
    desk: Desk, number: signal.Signals
) -> None:
    lives.write(desk)
    wanted = lives.undisturbed(desk, "stays")
    moments = [1, *spread(requests(desk, "stays", "up"), 5, random.Random(number))]

    def interrupted(index: int) -> bool:
        life = new_life(desk, "stays", f"asked-{number.name.lower()}-{index}")
        with FaultProxy(desk.cluster, desk.folder / life.namespace) as proxy:
            sent: list[float] = []

            def send() -> None:
                sent.append(time.monotonic())
                life.commands[-1].signal(number)

            Moment(moments[index], send).at(proxy)
            command = life.start("up", kubeconfig=proxy.kubeconfig)
            code = command.wait()
        if code == 0:
            # It has waited less than the one whose requests were counted.
            return False
        assert code == 130, str(command)
        assert time.monotonic() - sent[0] < SOON_SECONDS
        says_so_once(command)
        assert "Lease/ray-gke-stays" not in holdings(desk.cluster, life.namespace)
        life.done("up")
        life.comes_to(wanted)
        life.done("down")
        life.leaves_nothing()
        return True

    assert sum(in_parallel(interrupted, range(len(moments)))) >= len(moments) - 1


@pytest.mark.parametrize("how", ["silent", "cut off"])
@pytest.mark.parametrize("twice", [False, True])
def test_ctrl_c_while_the_api_server_does_not_answer(
    desk: Desk, how: str, twice: bool
) -> None:
    lives.write(desk)
    life = new_life(desk, "stays", desk.new_namespace())
    over = threading.Event()
    waiting = threading.Event()
    with FaultProxy(desk.cluster, desk.folder / "silent") as proxy:

        def nothing(number: int, request: Request) -> Fault | None:
            if writes_the_cluster(request):
                waiting.set()
            if not waiting.is_set():
                return None
            if how == "silent":
                over.wait()
            return "reset before"

        proxy.before = nothing
        command = life.start("up", kubeconfig=proxy.kubeconfig)
        assert waiting.wait(60), str(command)
        time.sleep(0.5)
        command.signal(signal.SIGINT)
        began = time.monotonic()
        if twice:
            time.sleep(0.2)
            command.signal(signal.SIGINT)
        code = command.wait()
        took = time.monotonic() - began
        over.set()
    assert code == 130, str(command)
    assert took < SOON_SECONDS
    says_so_once(command)
    life.done("up")
    life.done("down")
    life.leaves_nothing()


def test_ctrl_c_of_the_command_as_it_is_installed(desk: Desk) -> None:
    lives.write(desk)
    namespace = desk.new_namespace()
    assert desk.cluster.stand_in
    desk.cluster.stand_in.jobs[namespace] = FOREVER
    command = [str(Path(sys.executable).with_name("ray-gke")), "up", "./works"]
    process = subprocess.Popen(
        [*command, "--on", "kubernetes", "--namespace", namespace],
        cwd=desk.folder,
        env={**os.environ, "KUBECONFIG": str(desk.cluster.kubeconfig)},
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually("the job", lambda: desk.all("RayJob", namespace))
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < SOON_SECONDS
    assert said.count("interrupted") == 1, said
    assert "Traceback" not in said


def test_a_short_outage_is_waited_for(desk: Desk) -> None:
    lives.write(desk)
    wanted = lives.undisturbed(desk, "stays")
    life = new_life(desk, "stays", desk.new_namespace())
    with held_at(life, writes_the_cluster) as held:
        desk.cluster.control_plane.api_server.stop()
        held.go_on()
        time.sleep(1)
        desk.cluster.control_plane.api_server.start()
        assert held.command.wait() == 0, str(held.command)
    life.comes_to(wanted)
    life.done("down")


def test_a_long_outage_ends_it_with_one_sentence(desk: Desk) -> None:
    lives.write(desk)
    wanted = lives.undisturbed(desk, "stays")
    life = new_life(desk, "stays", desk.new_namespace())
    with held_at(life, writes_the_cluster, "--timeout", "5s") as held:
        desk.cluster.control_plane.api_server.stop()
        held.go_on()
        assert held.command.wait() == 1, str(held.command)
        desk.cluster.control_plane.api_server.start()
    said = held.command.said
    assert said.count("error: ") == 1, said
    assert "does not answer" in said
    assert "run the same command again" in said
    life.done("up")
    life.comes_to(wanted)
    life.done("down")


def kill_at(life: Life, word: str, number: int, *, reached: bool) -> bool:
    """Kill a command at a request; tell whether it lived so long."""
    with FaultProxy(life.cluster, life.desk.folder / life.namespace) as proxy:

        def kill() -> None:
            life.commands[-1].signal(signal.SIGKILL)

        Moment(number, kill, reached=reached).at(proxy)
        options = ("--detach",) if word == "up" else ()
        code = life.start(word, *options, kubeconfig=proxy.kubeconfig).wait()
    assert code in {0, -signal.SIGKILL}, str(life.commands[-1])
    return code != 0


def says_so_once(command: Command) -> None:
    errors = [line for line in command.said.splitlines() if "interrupted" in line]
    assert len(errors) == 1, str(command)
    assert "Traceback" not in command.said, str(command)


def writes_the_cluster(request: Request) -> bool:
    return request.method == "PATCH" and "/rayclusters/" in request.path
