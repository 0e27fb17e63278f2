"""Timing whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Measured:
    """Seconds of wall time, and peaks of memory in MiB.

    `own_mib` is what the command's first process holds, `all_mib` its share of memory
    (PSS) together with all processes that it started, Ray's included.
    """

    seconds: float
    own_mib: float
    all_mib: float


def run(argv: Sequence[str], env: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end; raises when it fails."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    own = family = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            own = max(own, watched.memory_info().rss)
            members = [watched, *watched.children(recursive=True)]
        except psutil.NoSuchProcess:
            break
        family = max(family, sum(map(share, members)))
        time.sleep(0.02 if time.perf_counter() - begin < 1 else 0.2)
    error = process.communicate()[1].decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {process.returncode}\n{error}")
    seconds = time.perf_counter() - begin
    return Measured(seconds, own / 2**20, family / 2**20)


def share(process: psutil.Process) -> int:
    """Return the share of memory of a process in bytes; 0 when it has gone."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0


def start_up(argv: Sequence[str], env: Mapping[str, str] | None = None) -> float:
    """Return the seconds of one short command, without a watcher beside it."""
    begin = time.perf_counter()
    subprocess.run(
        argv, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - begin


def median_ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """Return the median of the ratios, pair by pair, as the machine's speed drifts."""
    return statistics.median(a / b for a, b in zip(ours, peers, strict=True))


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment with `changes`."""
    return {**os.environ, **changes}
