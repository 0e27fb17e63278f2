"""Ctrl-C, kill -9 and a full disk: nothing is left, and nothing is half-written."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ray_gke.errors import RefusedError
from ray_gke.planning.plan import Plan
from ray_gke.targets import local
from tests.local.conftest import UP, Process, eventually, group, marked, script

pytestmark = pytest.mark.local

LONG = "import time; print('at work', flush=True); time.sleep(600)"
Start = Callable[[Plan], Process]


@pytest.mark.parametrize(
    "moment",
    [
        "StepStarted head",
        "StepStarted workers",
        "StepStarted submit",
        "LogLine  at work",
    ],
)
def test_ctrl_c_ends_everything(state: Path, start_up: Start, moment: str) -> None:
    up = start_up(script(LONG, group()))
    up.until(moment)
    up.interrupt()
    code, output = up.result()
    assert code == 130, output
    assert "InterruptedRun trial was interrupted" in output
    assert "Traceback" not in output
    assert not marked(state)
    _is_whole(state)
    assert local.run("trial").status == "STOPPED"


def test_a_second_ctrl_c_ends_everything_at_once(state: Path, start_up: Start) -> None:
    up = start_up(script(LONG, group()))
    up.until("LogLine  at work")
    up.interrupt()
    up.until("StepStarted drain")
    up.interrupt()
    code, output = up.result(timeout=8)
    assert code == 130, output
    assert "Traceback" not in output
    assert not marked(state)
    _is_whole(state)


def test_down_after_our_own_kill_9(state: Path, start_up: Start) -> None:
    up = start_up(script(LONG, group()))
    up.until("LogLine  at work")
    up.process.kill()
    assert local.run("trial").status == "RUNNING"
    local.down("trial", lambda _event: None)
    assert not marked(state)
    assert local.run("trial").status == "STOPPED"


def test_one_of_two_wins_and_down_from_elsewhere_ends_it(
    state: Path, start_up: Start
) -> None:
    one, two = start_up(script(LONG)), start_up(script(LONG))
    eventually(
        lambda: (
            None not in (one.process.poll(), two.process.poll()) or _any_ended(one, two)
        )
    )
    loser, winner = (one, two) if one.process.poll() is not None else (two, one)
    code, output = loser.result()
    assert code == 4, output
    assert "already running" in output
    winner.until("LogLine  at work")
    local.down("trial", lambda _event: None)
    code, output = winner.result()
    assert code == 1
    assert "was brought down" in output
    assert not marked(state)


def _any_ended(*processes: Process) -> bool:
    return any(p.process.poll() is not None for p in processes)


def test_what_a_reboot_leaves_is_told_and_replaced(
    state: Path, start_up: Start
) -> None:
    up = start_up(script("print('first')"))
    up.result()
    folder = state / "ray-gke" / "local" / "trial"
    record = json.loads((folder / "record.json").read_text())
    record |= {"phase": "running", "status": "RUNNING", "up_pid": os.getpid()}
    (folder / "record.json").write_text(json.dumps(record))
    assert local.run("trial").status == "LOST"
    code, output = start_up(script("print('second')")).result()
    assert code == 0, output
    assert local.run("trial").status == "SUCCEEDED"


FULL = """
mount -t tmpfs -o size=64k tmpfs "$XDG_STATE_HOME" || exit 77
exec "$@"
"""


def test_a_full_disk_is_refused_and_leaves_nothing(state: Path, tmp_path: Path) -> None:
    state.mkdir()
    big = script("print(1)", files={"data.bin": b"x" * 200_000})
    (tmp_path / "full.plan").write_bytes(pickle.dumps(big))
    up = [sys.executable, "-c", UP, str(tmp_path / "full.plan")]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", FULL, "sh", *up],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip("this user cannot mount a file system")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "No space left on device" in done.stdout
    assert str(state) in done.stdout
    assert not [p for p in psutil.process_iter() if _mentions(p, tmp_path)]


def _mentions(process: psutil.Process, folder: Path) -> bool:
    try:
        return str(folder) in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_a_missing_home_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/nowhere/at/all")
    with pytest.raises(RefusedError, match="home folder"):
        local.up(script("print(1)"), lambda _event: None)


def _is_whole(state: Path) -> None:
    """No file of a run is half-written, and Ray's own folder is gone."""
    folder = state / "ray-gke" / "local" / "trial"
    assert json.loads((folder / "record.json").read_text())["phase"] == "ended"
    assert not [
        f for f in folder.rglob("*") if f.name.startswith(".") or ".half" in f.name
    ]
