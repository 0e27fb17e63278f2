"""What this machine has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ray_gke.planning.machine import Machine
from ray_gke.targets.local.processes import output

_NVIDIA = Path("/proc/driver/nvidia/gpus")
_CGROUP = Path("/sys/fs/cgroup")
_HIDDEN = ("", "-1", "NoDevFiles")


def this_machine(environ: Mapping[str, str] = os.environ) -> Machine:
    """Read CPUs, memory and GPUs, within the limits of a container around us."""
    return Machine(cpus=_cpus(), memory_bytes=_memory(), gpus=_gpus(environ))


def _cpus() -> int:
    allowed = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1
    )
    quota, _, period = _limit("cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        return max(1, min(allowed, -(-int(quota) // int(period))))
    return allowed


def _memory() -> int:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _limit("memory.max")
    return min(size, int(limit)) if limit.isdigit() else size


def _limit(name: str) -> str:
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""


def _gpus(environ: Mapping[str, str]) -> tuple[str, ...]:
    chosen = environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        ids = tuple(part.strip() for part in chosen.split(","))
        return () if ids[0] in _HIDDEN else ids
    if _NVIDIA.is_dir():
        return tuple(str(n) for n in range(len(list(_NVIDIA.iterdir()))))
    listed = output(["nvidia-smi", "-L"])
    return tuple(str(n) for n in range(listed.count("GPU ")))
