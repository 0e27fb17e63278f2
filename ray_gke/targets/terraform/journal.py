"""What an earlier Terraform was at when it, or we, were interrupted.

The file that an apply has written into is the journal: Terraform names each resource
before it asks for it. Once it has ended of itself, a last line says so.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ray_gke.errors import RefusedError
from ray_gke.events import Emit, Note
from ray_gke.targets.terraform import failures, process
from ray_gke.targets.terraform.messages import Diagnostic, Message, Work, parse
from ray_gke.targets.terraform.working_copy import remember, remembered

_POLL_SECONDS = 0.2
_END = "ray_gke_end"
_KNOWN = "ray_gke_lock_is_known"
_NO_ANSWER = {None, "credentials", "network_lost", "provider_died"}
_ACCEPTED = "Error waiting "
"""How the google provider begins what it tells of an operation that Google took on."""

_LOCK = re.compile(
    r"\bID: +(?P<id>\d+) +Path: +gs://.* Who: +\S*@(?P<host>\S+) +Version: .*"
    r" Created: +(?P<created>[-\d]+ [:\d]+(\.\d{1,6})?)"
)

Times = tuple[datetime, datetime]


def begin(file: Path, running: process.Running) -> None:
    """Remember a Terraform that runs."""
    pid = running.pid
    told = {"pid": pid, "begun_at": process.begun_at(pid), "log": running.log.name}
    remember(file, told)


def end(file: Path, log: Path, *, whole: bool) -> None:
    """Remember that it has ended; `whole` if it had the time to write its state."""
    if whole:
        with log.open("a", encoding="utf-8") as written:
            written.write(json.dumps({"type": _END}) + "\n")
    file.unlink(missing_ok=True)


def still_running(file: Path) -> tuple[int, Path] | None:
    """Return process and log of a Terraform that outlived who began it."""
    told = remembered(file)
    pid, log = told.get("pid"), told.get("log")
    if not isinstance(pid, int) or not isinstance(log, str):
        return None
    begun = process.begun_at(pid)
    if begun is None or begun != told.get("begun_at"):
        return None
    return pid, file.parent / "logs" / log


def refuse_still_running(file: Path, again: str) -> None:
    """Refuse to move a state while it is written. Raises RefusedError."""
    if found := still_running(file):
        raise RefusedError(
            f"an earlier run's Terraform is still at work (process {found[0]})",
            hint=f"wait until it has ended; then {again} moves its state",
        )


def wait_for_earlier(file: Path, emit: Emit, title: str) -> None:
    """Wait for a Terraform that outlived the command that had begun it."""
    found = still_running(file)
    if found is None:
        return
    pid, _ = found
    text = f"an earlier run's Terraform is still at work (process {pid}): waiting"
    emit(Note(title, text))
    while still_running(file):
        time.sleep(_POLL_SECONDS)


def created(log: Path) -> frozenset[str]:
    """Return what an apply has begun to create and may have made untold.

    That is all, when it ended before it wrote its state; else what got no answer. What
    was refused is not meant: by now somebody else may have made it.
    """
    begun: set[str] = set()
    done: set[str] = set()
    for message in _messages(log) if log.is_file() else ():
        match message:
            case None:
                begun -= done
            case Work(state="started", action="create"):
                begun.add(message.address)
            case Work(state="done", action="create"):
                done.add(message.address)
            case Diagnostic(severity="error") if _is_refusal(message):
                begun.discard(message.address)
            case _:
                pass
    return frozenset(begun)


def _is_refusal(error: Diagnostic) -> bool:
    """Tell whether Google has said no before it made anything."""
    answered = failures.cause(error) not in _NO_ANSWER
    return answered and not error.summary.startswith(_ACCEPTED)


def _messages(log: Path) -> Iterator[Message | None]:
    """Yield what was said; None where the journal tells that it has ended."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if f'"{_END}"' in line:
            yield None
        elif message := parse(line):
            yield message


def lock_left(log: Path) -> Times | None:
    """Return between which times the writer of a log took the lock that it has left.

    A lock tells who took it and when, not by which process. But who was killed in the
    middle of the work has not given it back, and has taken it between what it said
    first and what it said of its first resource. None where that is not known.
    """
    if not log.is_file() or process.is_written(log):
        return None
    text = log.read_text(encoding="utf-8", errors="replace")
    if "nterrupt" in text:
        # Asked to stop at once, it may have given its lock back, or not.
        return None
    said = list(_objects(text))
    first = [one["@timestamp"] for one in said if "hook" in one][:1]
    if not first or said[0].get("type") != "version" or not _in_the_middle(said):
        return None
    begun = said[0]["@timestamp"]
    return datetime.fromisoformat(begun), datetime.fromisoformat(first[0])


def take_lock(
    errors: Sequence[Diagnostic], left: Mapping[Path, Times | None]
) -> str | None:
    """Return the ID of the lock that errors are about, if one of these logs' has left.

    It is told only once: after that, somebody who has waited may have the next one.
    """
    for one in errors:
        found = _LOCK.search(one.text)
        if found is None or found["host"] != socket.gethostname():
            continue
        created = datetime.fromisoformat(f"{found['created']}+00:00")
        for log, times in left.items():
            if times and times[0] <= created <= times[1]:
                with log.open("a", encoding="utf-8") as file:
                    # It may have been killed in the middle of a line.
                    file.write("\n" + json.dumps({"type": _KNOWN}) + "\n")
                return found["id"]
    return None


def _in_the_middle(said: Sequence[dict[str, Any]]) -> bool:
    """Tell whether a log ends while resources are worked on.

    A line without a time is ours: it has ended, or its lock is known.
    """
    doing: set[tuple[str, str]] = set()
    for one in said:
        if "@timestamp" not in one:
            return False
        kind, _, what = one.get("type", "").rpartition("_")
        if "hook" in one and what != "progress":
            key = kind, one["hook"]["resource"]["addr"]
            doing.add(key) if what == "start" else doing.discard(key)
    return bool(doing)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # the last one, in the middle of which it was killed
        if isinstance(said, dict):
            yield said
