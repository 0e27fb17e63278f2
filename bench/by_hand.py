"""The peer of `ray-gke up squares`: the same cluster and job with Ray's own CLI."""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

RAY = str(Path(sys.executable).with_name("ray"))
START = [
    RAY,
    "start",
    "--block",
    "--disable-usage-stats",
    "--dashboard-agent-listen-port=0",
]
CODE = Path(__file__).resolve().parents[1] / "blueprints" / "squares"


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def main(workers: int) -> None:
    """Start a head and `workers`, submit the job, wait for it, end everything."""
    env = {**os.environ, "PYTHONPATH": str(CODE), "RAY_DISABLE_IMPORT_WARNING": "1"}
    gcs, dashboard = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="rb-", dir="/tmp") as folder:
        quietly = functools.partial(
            subprocess.Popen,
            env=env,
            cwd=CODE,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        head = quietly(
            [
                *START,
                "--head",
                f"--port={gcs}",
                f"--dashboard-port={dashboard}",
                "--num-cpus=0",
                f"--temp-dir={folder}",
            ]
        )
        wait_for(f"http://127.0.0.1:{dashboard}/api/version")
        worker = [*START, f"--address=127.0.0.1:{gcs}", "--num-cpus=1"]
        started = [quietly(worker) for _ in range(workers)]
        submit = [RAY, "job", "submit", f"--address=http://127.0.0.1:{dashboard}"]
        subprocess.run([*submit, "--", "python", "squares.py"], env=env, check=True)
        for process in [*started, head]:
            process.send_signal(signal.SIGTERM)
        for process in [*started, head]:
            process.wait(60)


def wait_for(url: str) -> None:
    """Wait until the dashboard answers."""
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
