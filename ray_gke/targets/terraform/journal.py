"""What an earlier Terraform was at when it, or we, were interrupted.

The file that an apply has written into is the journal: Terraform names each resource
before it asks for it. Once it has ended, and we have seen it, a last line says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ray_gke.targets.terraform import failures, process
from ray_gke.targets.terraform.messages import Diagnostic, Message, Work, parse
from ray_gke.targets.terraform.working_copy import remember, remembered

_END = "ray_gke_end"


def begin(file: Path, running: process.Running) -> None:
    """Remember a Terraform that runs."""
    pid = running.pid
    told = {"pid": pid, "begun_at": process.begun_at(pid), "log": running.log.name}
    remember(file, told)


def end(file: Path, log: Path) -> None:
    """Remember that it has ended, and that what it said has been seen."""
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


def created(log: Path) -> frozenset[str]:
    """Return what an apply without an end has begun to create.

    Of some of it Terraform may not know: it was ended before it wrote its state. What
    was refused because somebody else has it is not meant.
    """
    found: set[str] = set()
    if not log.is_file():
        return frozenset()
    for message in _messages(log):
        if message is None:
            return frozenset()
        match message:
            case Work(state="started", action="create"):
                found.add(message.address)
            case Diagnostic(severity="error"):
                if failures.cause(message) == "already_exists":
                    found.discard(message.address)
    return frozenset(found)


def _messages(log: Path) -> Iterator[Message | None]:
    """Yield what was said; None where the journal tells that it has ended."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if f'"{_END}"' in line:
            yield None
        elif message := parse(line):
            yield message
