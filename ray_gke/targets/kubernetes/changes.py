"""What an `up` would do to a cluster, as data: nothing here writes.

An object that nobody has touched since we applied it is known by two digests; of any
other the API server is asked what applying it would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from ray_gke.errors import Problem, RefusedError
from ray_gke.rendering import pod_security
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import (
    differences,
    inventory,
    live,
    ray_edits,
    scaling,
)
from ray_gke.targets.kubernetes.api import Api, ApiError
from ray_gke.targets.kubernetes.inventory import Inventory, Item
from ray_gke.targets.kubernetes.job_states import has_ended
from ray_gke.targets.kubernetes.live import Live, Wanted
from ray_gke.targets.kubernetes.ray_edits import Edit
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref

Action = Literal["create", "change", "replace", "prune", "unchanged"]

_GROUPS_FIELD = ".spec.workerGroupSpecs"


@dataclass(frozen=True)
class Change:
    """What happens to one object; `wanted` is what is applied, with `force` or not.

    `fields` are the paths that differ, `edit` is what that means for a Ray object, and
    `ends` tells that something which runs now would end.
    """

    ref: Ref
    action: Action
    fields: tuple[str, ...] = ()
    edit: Edit | None = None
    ends: bool = False
    wanted: Manifest | None = field(default=None, repr=False)
    before: Manifest | None = field(default=None, repr=False)
    force: bool = False

    @property
    def writes(self) -> bool:
        """Whether anything is done to the object."""
        return self.action != "unchanged"

    @property
    def uid(self) -> str:
        """That of the object which is there."""
        return str(self.before["metadata"]["uid"]) if self.before else ""


@dataclass(frozen=True)
class RunChanges:
    """All changes of one run, and what is remembered of it before."""

    wanted: Wanted
    changes: tuple[Change, ...]
    before: Inventory | None
    kept: tuple[Item, ...]

    @property
    def writes(self) -> bool:
        """Whether anything would be written."""
        return self.todo or not self.after(self.kept).same_as(self.before)

    @property
    def todo(self) -> bool:
        """Whether any object would be changed."""
        return any(change.writes for change in self.changes)

    def of(self, *actions: Action) -> list[Change]:
        """Return the changes of these kinds, in their order."""
        return [change for change in self.changes if change.action in actions]

    def after(self, items: Iterable[Item]) -> Inventory:
        """Return what is to be remembered of the run with these objects."""
        ordered = sorted(items, key=lambda item: (item.ref.order, str(item.ref)))
        run = self.wanted
        return Inventory.of(run.plan, run.namespace, ordered, run.max_nodes)


def compare(
    api: Api, wanted: Sequence[Wanted], found: Live, *, rerun: bool = False
) -> list[RunChanges]:
    """Return what must be done so that the cluster has what is wanted.

    With `rerun` finished jobs are made anew. Raises RefusedError with everything that
    belongs to somebody else.
    """
    problems: list[Problem] = []
    results = api.in_parallel(lambda run: _of_run(api, run, found, rerun), wanted)
    for result in results:
        problems += [p for p in result if isinstance(p, Problem)]
    if problems:
        raise RefusedError.of(problems)
    return [one for result in results for one in result if isinstance(one, RunChanges)]


def _of_run(
    api: Api,
    wanted: Wanted,
    found: Live,
    rerun: bool,  # noqa: FBT001 passed on
) -> list[RunChanges | Problem]:
    remembered = found.get(inventory.ref(wanted.namespace, wanted.name))
    before = inventory.parse(remembered) if remembered else None
    items = {item.ref: item for item in before.items} if before else {}
    comparison = _Comparison(api, wanted, found, items, rerun)
    if remembered and not live.is_of(remembered, wanted.name, wanted.namespace):
        comparison.foreign(remembered)
    changes = [*comparison.namespace(), *map(comparison.one, wanted.objects)]
    changes += [scale for one in changes for scale in comparison.scaled(one)]
    refs = {change.ref for change in changes}
    stale = {*items, *live.of_run(found, wanted.name, wanted.namespace)} - refs
    stale -= {inventory.ref(wanted.namespace, wanted.name)}
    changes += comparison.pruned(sorted(stale, key=lambda ref: (-ref.order, str(ref))))
    if comparison.problems:
        return list(comparison.problems)
    kept = tuple(comparison.kept)
    return [RunChanges(wanted, tuple(changes), before, kept)]


@dataclass
class _Comparison:
    """Compares one run; collects what is in the way, and what stays remembered."""

    api: Api
    run: Wanted
    found: Live
    items: Mapping[Ref, Item]
    rerun: bool
    problems: list[Problem] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)

    def namespace(self) -> Iterator[Change]:
        ref = Ref("Namespace", "", self.run.namespace)
        here = self.found.get(ref)
        if here is None:
            level = pod_security.level(self.run.objects)
            yield Change(ref, "create", wanted=namespace_manifest(ref.name, level))
        elif "deletionTimestamp" in here["metadata"]:
            hint = f"wait until it is gone: kubectl get namespace {ref.name}"
            self.problems.append(Problem(f"{ref} is being deleted", hint=hint))

    def one(self, wanted: Manifest) -> Change:
        ref = Ref.of(wanted)
        here = self.found.get(ref)
        if here is None:
            self.kept.append(Item(ref))
            return Change(ref, "create", wanted=wanted)
        if not self._is_ours(here):
            self.foreign(here)
            return Change(ref, "unchanged")
        again = _again(here, rerun=self.rerun)
        if again:
            self.kept.append(Item(ref))
            return Change(ref, "replace", edit=again, wanted=wanted, before=here)
        return self._against(ref, wanted, here)

    def _is_ours(self, here: Manifest) -> bool:
        return live.is_of(here, self.run.name, self.run.namespace)

    def foreign(self, here: Manifest) -> None:
        ref = Ref.of(here)
        where = f" in namespace {ref.namespace}" if ref.namespace else ""
        self.problems.append(
            Problem(
                f"{ref}{where} is there already and belongs to {live.owner(here)}",
                hint=f"bring up {self.run.name} under another name with --name, "
                "in another namespace with --namespace, or remove it yourself",
            )
        )

    def _against(self, ref: Ref, wanted: Manifest, here: Manifest) -> Change:
        item = self.items.get(ref, Item(ref))
        digest = live.digest(wanted)
        if digest == item.digest and item.fields == live.our_fields(here) != "":
            self.kept.append(item)
            return Change(ref, "unchanged")
        applied = self._tried(scaling.with_workers(wanted, here), here)
        if applied is None:
            return Change(ref, "unchanged")
        fields = differences.fields(here, applied.after)
        if not fields:
            # Whoever owns our values now, they are as we want them.
            left = Item(ref, digest, live.our_fields(here), live.groups(here))
            self.kept.append(item if item.digest == digest else left)
            return Change(ref, "unchanged")
        self.kept.append(Item(ref))
        edit = applied.edit or self._edit(here, applied.after, fields)
        replaces = edit is not None and edit.replaces
        return Change(
            ref,
            "replace" if replaces else "change",
            fields,
            edit,
            ends=replaces and ref.kind in RAY_KINDS and not has_ended(here),
            wanted=wanted if replaces else applied.wanted,
            force=applied.force,
            before=here,
        )

    def _tried(self, wanted: Manifest, here: Manifest) -> _Applied | None:
        """Return what applying gives, or None when it is somebody else's."""
        try:
            return _Applied(wanted, self.api.apply(wanted, dry_run=True))
        except ApiError as error:
            if error.code == HTTPStatus.UNPROCESSABLE_ENTITY:
                return _Applied(wanted, wanted, edit=_FIXED)
            if error.code != HTTPStatus.CONFLICT or not error.causes:
                raise
            conflicts = error.causes
        after = self.api.apply(wanted, force=True, dry_run=True)
        theirs = [
            cause
            for cause in conflicts
            if not self._is_scaling(cause, here)
            and differences.within(cause.get("field", ""), here, after)
        ]
        self._conflict(Ref.of(wanted), theirs)
        return None if theirs else _Applied(wanted, after, force=True)

    def _is_scaling(self, cause: Mapping[str, str], here: Manifest) -> bool:
        """Tell whether all that somebody else has written is the number of workers.

        A list of worker groups has one owner, who by that owns all of it.
        """
        item = self.items.get(Ref.of(here))
        same = item is not None and item.groups == live.groups(here) != ""
        return same and cause.get("field") == _GROUPS_FIELD

    def _conflict(self, ref: Ref, causes: Iterable[Mapping[str, str]]) -> None:
        for cause in causes:
            manager = cause.get("message", "").removeprefix("conflict with ")
            self.problems.append(
                Problem(
                    f"{ref} in namespace {self.run.namespace}: "
                    f"{cause.get('field', '?').removeprefix('.')} belongs to {manager}",
                    hint="undo that change, or take it over into the blueprint",
                )
            )

    def _edit(
        self, here: Manifest, after: Manifest, fields: Iterable[str]
    ) -> Edit | None:
        touched = any(path.startswith("spec") for path in fields)
        if after["kind"] not in RAY_KINDS or not touched:
            return None
        return ray_edits.edit(here, after, live.serving(self.found, here))

    def scaled(self, change: Change) -> Iterator[Change]:
        """Yield how the cluster of a service that keeps it gets its workers.

        The cluster is the RayService's: it is not remembered, and never removed.
        """
        here = self.found.get(change.ref)
        cluster = live.serving(self.found, here) if here else None
        if not here or not cluster or change.action not in {"change", "unchanged"}:
            return
        edit = change.edit or ray_edits.edit(here, here, cluster)
        service = next(one for one in self.run.objects if Ref.of(one) == change.ref)
        wanted = scaling.scaled(cluster, service) if edit.in_place else None
        if wanted and "deletionTimestamp" not in cluster["metadata"]:
            after = {**cluster, "spec": {**cluster["spec"], **wanted["spec"]}}
            yield Change(
                Ref.of(cluster),
                "change",
                differences.fields(cluster, after),
                ray_edits.SCALED,
                wanted=wanted,
                before=cluster,
                force=True,
            )

    def pruned(self, stale: Iterable[Ref]) -> Iterator[Change]:
        for ref in stale:
            here = self.found.get(ref)
            if here is None or not self._is_ours(here):
                continue
            ends = ref.kind in RAY_KINDS and not has_ended(here)
            yield Change(ref, "prune", ends=ends, before=here)
            self.kept.append(self.items.get(ref, Item(ref)))


@dataclass(frozen=True)
class _Applied:
    """What was tried, and what would come of it."""

    wanted: Manifest
    after: Manifest
    edit: Edit | None = None
    force: bool = False


_RERUN = Edit("run again", replaces=True)
_FIXED = Edit("made anew: this cannot be changed", replaces=True)
_GOING = Edit("made anew: it is being deleted", replaces=True)


def namespace_manifest(name: str, level: str) -> Manifest:
    """Return a namespace that enforces a level of Pod Security."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {inventory.MANAGED_BY: "ray-gke", pod_security.LEVEL: level},
        },
    }


def _again(here: Manifest, *, rerun: bool) -> Edit | None:
    if "deletionTimestamp" in here["metadata"]:
        return _GOING
    return _RERUN if rerun and has_ended(here) else None
