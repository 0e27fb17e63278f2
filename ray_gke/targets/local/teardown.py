"""End a run: drain its workers, end its head, and leave nothing behind."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ray_gke.errors import FailedError
from ray_gke.events import Emit
from ray_gke.targets.local import processes, service
from ray_gke.targets.local.node_spec import HEAD_ID, MODULE
from ray_gke.targets.local.run_folder import RunFolder
from ray_gke.targets.ray_api import Dashboard
from ray_gke.targets.steps import step

_WORKER_GRACE = 5
_HEAD_GRACE = 10
_ROUNDS = 3
_KEPT_BYTES = 8 * 2**20


def bring_down(run: RunFolder, emit: Emit) -> None:
    """End all processes of `run`; Ctrl-C meanwhile ends them at once.

    Ray's logs are kept, its other files removed. Raises FailedError when something
    cannot be ended.
    """
    try:
        with step(emit, run.name, "drain") as outcome:
            count = _drain(run)
            outcome.detail = f"{count} worker{'s' * (count != 1)}"
    except KeyboardInterrupt:
        with deaf():
            _end_rest(run)
    with deaf():
        _keep_logs(run)
        run.remove_temp()


def _drain(run: RunFolder) -> int:
    """End `run` in order and return how many workers there were.

    Workers go first: a raylet whose GCS is gone waits a minute for it.
    """
    with suppress(OSError):  # on a full disk too, all must end
        run.stop.touch(mode=0o600)
    _end_serve(run)
    workers = _end_in_order(run)
    _end_rest(run)
    return workers


def _end_serve(run: RunFolder) -> None:
    """Serve keeps its nodes busy; only without it can they drain."""
    record = run.record()
    if record and record.kind == "service" and record.dashboard:
        service.shut_down(Dashboard(record.dashboard, run.read_token))


def _end_in_order(run: RunFolder) -> int:
    found = {p.pid: p for p in processes.of_run(run.path)}
    keepers = {pid: processes.arguments(p) for pid, p in found.items()}
    keepers = {pid: argv for pid, argv in keepers.items() if MODULE in argv}
    heads = [pid for pid, argv in keepers.items() if _node(argv) == HEAD_ID]
    workers = [pid for pid in keepers if pid not in heads]
    processes.end([found[pid] for pid in workers], grace=_WORKER_GRACE)
    processes.end([found[pid] for pid in heads], grace=_HEAD_GRACE)
    return len(workers)


def _node(argv: list[str]) -> str:
    return Path(argv[-1]).stem


def _end_rest(run: RunFolder) -> None:
    for _ in range(_ROUNDS):
        left = processes.of_run(run.path)
        if not left:
            return
        processes.kill(left)
    left = processes.of_run(run.path)
    if left:
        raise FailedError(
            f"these processes of {run.name} could not be ended: "
            f"{', '.join(str(p.pid) for p in left)}",
            hint="end them by hand, then ray-gke down again",
        )


@contextmanager
def deaf() -> Iterator[None]:
    """Do not hear Ctrl-C for the moment that it takes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _keep_logs(run: RunFolder) -> None:
    """Copy what Ray has logged, the end of every file; a full disk loses them."""
    source = run.temp / "session_latest" / "logs"
    with suppress(OSError):
        for file in source.rglob("*"):
            if file.is_file() and file.stat().st_size:
                _copy_end(file, run.logs / file.relative_to(source))
        for driver in source.glob("job-driver-*.log"):
            shutil.copyfile(driver, run.driver_log)
            run.driver_log.chmod(0o600)


def _copy_end(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as source, target.open("wb") as copy:
        source.seek(max(0, file.stat().st_size - _KEPT_BYTES))
        copy.write(source.read(_KEPT_BYTES))
