"""Whether this machine can run Ray, and the blueprints that are meant for it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence

from ray_gke.errors import RefusedError
from ray_gke.gke.resources import GIB
from ray_gke.planning.machine import Machine, fit
from ray_gke.planning.plan import Plan
from ray_gke.targets.gke.doctor.findings import (
    Finding,
    Report,
    from_problems,
    ok,
    warning,
)
from ray_gke.targets.local import requirements
from ray_gke.targets.local.machine_facts import this_machine
from ray_gke.versions import RAY_VERSION


def look(plans: Sequence[Plan]) -> Report:
    """Return how Python, Ray and the machine's size are; without plans for ours."""
    return Report((*_programs(plans), *_size(plans, this_machine())))


def _programs(plans: Sequence[Plan]) -> Iterator[Finding]:
    yield ok("python", sys.executable, platform.python_version())
    for version in sorted({one.ray_version for one in plans} or {RAY_VERSION}):
        try:
            notes = requirements.check(version)
        except RefusedError as error:
            yield from from_problems("ray", version, "refused", error.problems)
            continue
        yield from (warning("ray", version, note) for note in notes)
        if not notes:
            yield ok("ray", version, "is installed")


def _size(plans: Sequence[Plan], machine: Machine) -> Iterator[Finding]:
    memory = f"{machine.memory_bytes / GIB:.1f} GiB"
    told = f"{memory} and {len(machine.gpus)} GPUs"
    yield ok("machine", f"{machine.cpus} CPUs", told)
    for plan in plans:
        try:
            notes = fit(plan, machine).notes
        except RefusedError as error:
            yield from from_problems("machine", plan.name, "refused", error.problems)
            continue
        yield from (warning("machine", plan.name, note) for note in notes)
