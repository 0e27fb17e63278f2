"""What Ctrl-C does to a short command of Terraform."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.cluster.processes import eventually

TERRAFORM = """\
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("lock").unlink()
    sys.exit("interrupted")
signal.signal(signal.SIGINT, stop)
pathlib.Path("lock").touch()
time.sleep(60)
"""
RAY_GKE = """\
import pathlib, signal, sys
from ray_gke.targets.terraform import process
signal.signal(signal.SIGINT, signal.default_int_handler)
process.run([sys.executable, "terraform.py"], "import", folder=pathlib.Path.cwd())
"""


def test_it_gives_its_lock_back(tmp_path: Path) -> None:
    (tmp_path / "terraform.py").write_text(TERRAFORM)
    command = [sys.executable, "-c", RAY_GKE]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as running:
        eventually("the lock", (tmp_path / "lock").exists)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert not (tmp_path / "lock").exists()
