"""Plans that are saved by one command and carried out by another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ray_gke.commands import on_gke
from ray_gke.commands.on_gke import Pending, Whole
from ray_gke.commands.options import Target
from ray_gke.errors import UsageError
from ray_gke.events import Emit
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.templates import Manifest
from ray_gke.selection import Choice, Selected
from ray_gke.targets import saved_plan
from ray_gke.targets.kubernetes.changes import RunChanges
from ray_gke.targets.saved_plan import ADDONS, CLOUD, RUNS, Entry, SavedPlan
from ray_gke.targets.terraform.changes import Changes

if TYPE_CHECKING:
    from ray_gke.targets.gke.stacks import Stacks


def refuse_besides(option: str, given: Mapping[str, object]) -> None:
    """Raise UsageError when a saved plan is to be that of something else."""
    if named := [name for name, value in given.items() if value]:
        raise UsageError(
            f"{option} is about the whole platform as its file says it: it does not go "
            f"with {', '.join(named)}",
            hint="say it in the platform file",
        )


def of_gke(whole: Whole, found: Pending) -> SavedPlan:
    """Return what would be done for a platform on GKE."""
    entries = (
        *saved_plan.of_stack(CLOUD, found.cloud),
        *saved_plan.of_stack(ADDONS, found.addons),
        *saved_plan.of_runs(found.runs),
    )
    name, target = whole.platform.name, Target.gke.value
    return SavedPlan(name, target, asked(whole), entries, found.whole)


def of_cluster(choice: Choice, found: Sequence[RunChanges]) -> SavedPlan:
    """Return what would be done for a platform in a cluster that is there."""
    assert choice.platform
    entries = tuple(saved_plan.of_runs(found))
    target = Target.kubernetes.value
    return SavedPlan(choice.platform.name, target, {}, entries)


def asked(whole: Whole) -> dict[str, str]:
    """Return digests of what a platform's files ask for, by what that is."""
    runs: dict[str, list[Manifest]] = {}
    for one in whole.manifests:
        runs.setdefault(one["metadata"]["labels"][RUN], []).append(one)
    stacks = {f"stack {name}": whole.variables(name) for name in (CLOUD, ADDONS)}
    named = {**stacks, **{f"run {name}": objects for name, objects in runs.items()}}
    return {name: saved_plan.digest(what) for name, what in named.items()}


@dataclass(frozen=True)
class Agreed:
    """A saved plan of GKE on its way: each part raises RefusedError for another one."""

    saved: SavedPlan
    whole: Whole
    selected: Sequence[Selected]
    stacks: Stacks
    emit: Emit

    def platform(self, cloud: Changes) -> None:
        """Compare all of it, before anything is done."""
        found = on_gke.look(
            self.whole, self.selected, cloud, self.emit, stacks=self.stacks
        )
        self.saved.check(of_gke(self.whole, found).entries)

    def addons(self, changes: Changes) -> None:
        """Compare what would be done for all runs."""
        self._check(ADDONS, saved_plan.of_stack(ADDONS, changes))

    def runs(self, found: Sequence[RunChanges]) -> None:
        """Compare what would be done to the runs' objects."""
        self._check(RUNS, saved_plan.of_runs(found))

    def _check(self, part: str, now: Iterable[Entry]) -> None:
        if self.saved.whole:
            self.saved.check(now, part)
        else:
            self.saved.check_new(now)
