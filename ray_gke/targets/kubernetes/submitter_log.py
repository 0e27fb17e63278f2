"""What a job has written, out of what KubeRay's submitter writes.

The submitter runs `ray job submit` unless the job is there already, then `ray job logs
--follow`. Both say things of their own before and after the log of the job, and may
fail with a traceback.
"""

from __future__ import annotations

import re
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from ray_gke.targets.ray_jobs import ENTRYPOINT, PREAMBLE

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\t"
_RECORD = re.compile(_TIME + r"(?:INFO|SUCC|WARN|ERR) cli\.py:\d+ -- (?P<text>.*)$")
_SDK_RECORD = re.compile(_TIME + r"INFO (?:dashboard_)?sdk\.py:\d+ -- ")
_BEGINNING = "Job submission server address: "
_RULE = re.compile(r"-{5,}$")
_TRACEBACK = "Traceback (most recent call last):"
_RAY_COMMAND = re.compile(r'  File "\S*/bin/ray", line ')
_SHOWN_LINES = 20


class _Where(Enum):
    BEFORE = auto()
    PREAMBLE = auto()
    JOB = auto()
    AFTER = auto()


@dataclass
class SubmitterLog:
    """The lines of one submitter, as they come; `job_id` is the job's."""

    job_id: str
    noise: deque[str] = field(default_factory=lambda: deque(maxlen=_SHOWN_LINES))
    _where: _Where = _Where.BEFORE
    _held: str | None = None
    _named: bool = False

    @property
    def begun(self) -> bool:
        """Whether the submitter has come to follow the job."""
        return self._where in (_Where.JOB, _Where.AFTER)

    def job_lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield what the job has written."""
        for line in lines:
            yield from self._next(line)
        held, self._held = self._held, None
        if held is not None and self._where is _Where.JOB:
            yield held

    def _next(self, line: str) -> Iterator[str]:
        heard = self._where is not _Where.BEFORE
        if heard and not self._named and ENTRYPOINT.match(line):
            self._named = True
            return
        record = _RECORD.search(line)
        text = _COLOR.sub("", record["text"]) if record else ""
        if self._where is _Where.BEFORE:
            self._wait(line, text)
        elif self._where is _Where.PREAMBLE and not (
            record or _SDK_RECORD.match(line) or PREAMBLE.match(line)
        ):
            self._where = _Where.JOB
        if self._where is _Where.JOB:
            yield from self._of_job(line, text)

    def _wait(self, line: str, text: str) -> None:
        if text.startswith(_BEGINNING):
            self._where, self._named = _Where.PREAMBLE, False
        else:
            self.noise.append(line)

    def _of_job(self, line: str, text: str) -> Iterator[str]:
        """Yield what is the job's; `text` is that of a record of Ray's command line."""
        held, self._held = self._held, None
        if held == _TRACEBACK and _RAY_COMMAND.match(line):
            self._where = _Where.BEFORE
            self.noise += [held, line]
            return
        if self._says_the_end(text):
            self._where = _Where.AFTER
            yield from _before_record(held if held and _RECORD.search(held) else line)
            return
        if held is not None:
            yield held
        if line == _TRACEBACK or _RULE.match(text):
            self._held = line
        elif not (_SDK_RECORD.match(line) and self.job_id in line):
            yield line

    def _says_the_end(self, text: str) -> bool:
        job = f"Job '{self.job_id}' "
        ends = (f"{job}succeeded", f"{job}failed", f"{job}was stopped")
        return text in ends or text.startswith(f"Status for job '{self.job_id}': ")


def _before_record(line: str) -> Iterator[str]:
    """Yield the last line of a job when it had no end: then a record follows in it."""
    record = _RECORD.search(line)
    if record and record.start():
        yield line[: record.start()]


@dataclass
class Told:
    """The lines of a job that were told, of which another submitter tells all again."""

    _hashes: array[int] = field(default_factory=lambda: array("q"))

    def new(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield those lines of a log, read from its beginning, that were not told."""
        for number, line in enumerate(lines):
            if number < len(self._hashes):
                if self._hashes[number] == hash(line):
                    continue
                # From here on an earlier submitter told something of its own.
                del self._hashes[number:]
            self._hashes.append(hash(line))
            yield line
