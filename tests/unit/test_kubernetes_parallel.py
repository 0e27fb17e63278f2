"""Several things at once: their results, their first failure, and Ctrl-C."""

from __future__ import annotations

import threading
import time

import pytest

from ray_gke.targets.kubernetes.parallel import in_parallel


def test_results_come_in_the_order_of_the_values() -> None:
    def late(number: int) -> int:
        time.sleep(0.01 * (number % 3))
        return number

    assert in_parallel(late, range(20), threading.Event()) == list(range(20))
    assert in_parallel(late, [], threading.Event()) == []


def test_the_first_failure_ends_what_waits_and_is_told() -> None:
    stop = threading.Event()

    def fail(number: int) -> None:
        if number == 3:
            raise KeyError(number)
        assert stop.wait(30)
        raise ValueError(number)

    with pytest.raises(KeyError):
        in_parallel(fail, range(20), stop)
    assert not stop.is_set()


def test_ctrl_c_does_not_wait_for_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, over = threading.Event(), threading.Event()

    def interrupted(self: threading.Thread, timeout: float | None = None) -> None:
        if timeout is None:
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_parallel(lambda _: over.wait(30), range(4), stop)
    assert stop.is_set()
    over.set()
