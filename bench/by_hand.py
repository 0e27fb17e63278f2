"""The peer of `ray-gke up squares`: the same cluster and job with Ray's own CLI."""

from __future__ import annotations

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

TIMEOUT = 90
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
    path = os.pathsep.join([str(Path(RAY).parent), os.environ["PATH"]])
    env = {**os.environ, "PYTHONPATH": str(CODE), "PATH": path}
    gcs, dashboard, client = free_port(), free_port(), free_port()
    started: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> None:
        started.append(
            subprocess.Popen(
                [*START, *options],
                env=env,
                cwd=CODE,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    with tempfile.TemporaryDirectory(
        prefix="rb-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        try:
            ports = (f"--port={gcs}", f"--dashboard-port={dashboard}")
            own = (f"--ray-client-server-port={client}", f"--temp-dir={folder}")
            start("--head", "--num-cpus=0", *ports, *own)
            wait_for(f"http://127.0.0.1:{dashboard}/api/version")
            for _ in range(workers):
                start(f"--address=127.0.0.1:{gcs}", "--num-cpus=1")
            submit = [RAY, "job", "submit", f"--address=http://127.0.0.1:{dashboard}"]
            job = [*submit, "--", "python", "squares.py"]
            subprocess.run(job, env=env, check=True, timeout=TIMEOUT)
        finally:
            for process in reversed(started):
                process.send_signal(signal.SIGTERM)
            for process in started:
                end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a node, and see to it when it does not come."""
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str) -> None:
    """Wait until the dashboard answers."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


if __name__ == "__main__":
    main(int(sys.argv[1]))
