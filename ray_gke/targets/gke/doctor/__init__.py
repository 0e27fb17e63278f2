"""Whether a platform can be brought up, before anything is: `examine`, then a report.

`Needs` (pure) → `asking` (every question at once) → a module for each topic, which
judges (pure) → `Report`.
"""

from __future__ import annotations

from collections.abc import Callable

from ray_gke.targets.gke.doctor import asking, judging
from ray_gke.targets.gke.doctor.asking import World
from ray_gke.targets.gke.doctor.findings import (
    Report,
    refusal,
    warning_texts,
)
from ray_gke.targets.gke.doctor.needs import Needs

__all__ = [
    "Needs",
    "Report",
    "World",
    "examine",
    "examine_and_enable",
    "refusal",
    "warning_texts",
]


def examine(needs: Needs, world: World) -> Report:
    """Return what stands in the way of an `up`, and what may; nothing is changed."""
    return judging.judge(needs, asking.ask(needs, world))


def examine_and_enable(
    needs: Needs, world: World, confirm: Callable[[str], bool]
) -> Report:
    """Return the same once the APIs that are off are on, if `confirm` agrees to it.

    What Google does not know everywhere at once is waited for.
    """
    report = examine(needs, world)
    what = f"this would enable {', '.join(report.off)} in {needs.project}"
    if not (report.off and confirm(what)):
        return report
    world.login().enable_apis(report.off)
    return judging.judge(needs, asking.ask(needs, world, report.off))
