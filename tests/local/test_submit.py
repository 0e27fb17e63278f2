"""Jobs on a cluster that is up: submitted, followed over breaks, and how they end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ray_gke.catalog.blueprint import Cluster
from ray_gke.errors import FailedError, InterruptedRun, RefusedError, UsageError
from ray_gke.events import Event, Finished, LogLine, Note
from ray_gke.targets import local, ray_jobs
from ray_gke.targets.local import state as local_state
from ray_gke.targets.ray_api import Dashboard
from tests.local.conftest import Told, eventually, plan

pytestmark = pytest.mark.local

COUNT = """
import os, sys, time
print(sorted(os.listdir()))
for number in range(300):
    print(number, flush=True)
    if number % 60 == 0:
        time.sleep(1)
print("\\u00e9" * 50_000)
sys.stdout.write("end")
"""


@contextmanager
def cutting(address: str, cuts: list[int]) -> Iterator[str]:
    """A proxy that cuts a connection after so many bytes of an answer, cut by cut."""
    host, _, port = address.partition(":")

    def answer(client: socket.socket) -> None:
        with client, socket.create_connection((host, int(port))) as server:
            asked = client.recv(2**16, socket.MSG_PEEK)
            thread = threading.Thread(target=copy, args=(client, server, 2**30))
            thread.start()
            cut = cuts.pop(0) if b"/logs/tail" in asked and cuts else 2**30
            copy(server, client, cut)
            thread.join()

    def copy(source: socket.socket, into: socket.socket, left: int) -> None:
        with suppress(OSError):
            while left > 0 and (data := source.recv(min(left, 2**12))):
                into.sendall(data)
                left -= len(data)
        for side in (source, into):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threads.append(threading.Thread(target=answer, args=(client,)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
    for thread in threads:
        thread.join()


def test_jobs_run_on_a_cluster_that_is_up(
    state: Path, tmp_path: Path, told: Told
) -> None:
    local.up(plan(Cluster()), told)
    folder = tmp_path / "work"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "stale.pyc").touch()
    (folder / "go.py").write_text(COUNT)
    _every_line_comes_once_though_streams_break(folder)
    _the_same_folder_is_uploaded_once(folder)
    _a_job_that_fails_is_an_error()
    _a_job_that_is_detached_goes_on(folder)
    _ctrl_c_ends_only_the_following()
    with pytest.raises(UsageError, match="there is no folder"):
        submit("true", Told(), tmp_path / "nowhere")


def test_a_run_that_is_not_up_takes_no_job(state: Path, told: Told) -> None:
    local.up(plan(Cluster()), told)
    local.down("trial", told)
    with pytest.raises(RefusedError, match="trial is not running"):
        submit("true", told, None)


def _address() -> str:
    return local.dashboard("trial").urls["dashboard"].removeprefix("http://")


def submit(
    entrypoint: str, told: Told, folder: Path | None, *, detach: bool = False
) -> Finished:
    return local.submit(
        "trial",
        entrypoint,
        working_dir=folder,
        runtime_env={},
        detach=detach,
        emit=told,
    )


def _every_line_comes_once_though_streams_break(folder: Path) -> None:
    told = Told()
    token = local_state.folder("trial").read_token
    address = _address()
    cuts = [0, 400, 900, 1400]
    with cutting(address, cuts) as cut:
        done = ray_jobs.run(
            Dashboard(cut, token),
            "trial",
            "python go.py",
            folder=folder,
            runtime_env={},
            detach=False,
            emit=told,
        )
    assert cuts == []
    assert done.status == "SUCCEEDED"
    numbers = [str(n) for n in range(300)]
    assert told.lines == ["['go.py']", *numbers, "\u00e9" * 50_000, "end"]


def _the_same_folder_is_uploaded_once(folder: Path) -> None:
    sent: list[str] = []

    class Watched(Dashboard):
        def put_file(self, path: str, file: Path, *, timeout: float) -> None:
            sent.append(path)
            super().put_file(path, file, timeout=timeout)

    address = _address()
    dashboard = Watched(address, local_state.folder("trial").read_token)
    options: Any = {"runtime_env": {}, "detach": True, "emit": lambda _: None}
    ray_jobs.run(dashboard, "trial", "true", folder=folder, **options)
    assert sent == []
    (folder / "more.txt").touch()
    ray_jobs.run(dashboard, "trial", "true", folder=folder, **options)
    assert len(sent) == 1


def _a_job_that_fails_is_an_error() -> None:
    told = Told()
    with pytest.raises(FailedError, match=r"failed with exit code 3; .*\n  oh no"):
        submit("sh -c 'echo oh no; exit 3'", told, None)
    assert told.lines == ["oh no"]
    assert [e.status for e in told.events if isinstance(e, Finished)] == ["FAILED"]


def _a_job_that_is_detached_goes_on(folder: Path) -> None:
    told = Told()
    done = submit("python go.py", told, folder, detach=True)
    assert done.status == "RUNNING"
    assert told.lines == []
    assert not [e for e in told.events if isinstance(e, Note)]
    token = local_state.folder("trial").read_token
    address = _address()

    def has_ended() -> bool:
        info = Dashboard(address, token).job(done.message)
        return info is not None and info["status"] == "SUCCEEDED"

    eventually(has_ended)


def _ctrl_c_ends_only_the_following() -> None:
    said: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text.removeprefix("submitted as "))
        elif isinstance(event, LogLine):
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRun, match="goes on"):
        local.submit(
            "trial",
            "sh -c 'echo hello; sleep 600'",
            working_dir=None,
            runtime_env={},
            detach=False,
            emit=emit,
        )
    dashboard = Dashboard(_address(), local_state.folder("trial").read_token)
    info = dashboard.job(said[0])
    assert info
    assert info["status"] == "RUNNING"
    ray_jobs.stop(dashboard, said[0])
    info = dashboard.job(said[0])
    assert info
    assert info["status"] == "STOPPED"
