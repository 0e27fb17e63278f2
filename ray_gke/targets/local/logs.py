"""What the workload of a run has written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ray_gke.events import LogLine
from ray_gke.targets.local import job
from ray_gke.targets.local.down import find
from ray_gke.targets.local.log_lines import GrowingFile
from ray_gke.targets.local.record import Record
from ray_gke.targets.local.run_folder import RunFolder
from ray_gke.targets.local.status import head_of

_POLL_SECONDS = 0.2
_PATTERNS = ("job-driver-*.log", "worker-*.out", "worker-*.err")
# Ray marks in a worker's file what the lines after it come from.
_MARKS = (":actor_name:", ":task_name:")
_OTHER_MARKS = (":job_id:",)


def logs(name: str, *, follow: bool) -> Iterator[LogLine]:
    """Return what the job of the run `name` has written, each line once.

    Of a service or cluster it is what replicas, actors and tasks have written. With
    `follow`, go on until the run has ended.
    """
    run = find(name)
    record = run.record()
    files: dict[str, _File] = {}
    with ExitStack() as opened:
        while True:
            ended = not follow or _has_ended(run)
            for path in _log_files(run, record):
                if path.name not in files:
                    growing = opened.enter_context(GrowingFile(path))
                    files[path.name] = _File(growing, _source(path))
            for file in files.values():
                for source, text in file.lines(last=ended):
                    yield LogLine(name, source, text)
            if ended:
                return
            time.sleep(_POLL_SECONDS)
            record = run.record() or record


@dataclass
class _File:
    growing: GrowingFile
    source: str
    _named: str = ""

    def lines(self, *, last: bool) -> Iterator[tuple[str, str]]:
        found: Iterable[str] = self.growing.last() if last else self.growing.lines()
        for line in found:
            mark = next((m for m in _MARKS if line.startswith(m)), None)
            if mark:
                self._named = line.removeprefix(mark)
            elif not line.startswith(_OTHER_MARKS):
                yield self._named or self.source, line


def _has_ended(run: RunFolder) -> bool:
    record = run.record()
    return record is None or record.phase == "ended" or head_of(run) is None


def _log_files(run: RunFolder, record: Record | None) -> list[Path]:
    """Return the log files, those of the living cluster while there is one."""
    if record and record.job_id:
        live = job.log_file(record.session, record.job_id)
        return [live if live.exists() else run.driver_log]
    folder = run.temp / "session_latest" / "logs"
    folder = folder if folder.is_dir() else run.logs
    return sorted(file for pattern in _PATTERNS for file in folder.glob(pattern))


def _source(path: Path) -> str:
    """Name what has written a file: the driver, or the worker process by its number."""
    if path.name.startswith(("driver", "job-driver")):
        return "driver"
    return f"worker {path.stem.rpartition('-')[2]}"
