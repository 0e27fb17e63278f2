"""A plan as a file: what one job of a pipeline agrees to, and another carries out.

It has no values, only digests of them: nothing in it is secret, and it means the same
on every machine. What an `up` would do anew is compared with it, thing by thing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ray_gke import __version__
from ray_gke.errors import InvalidError, Place, RefusedError
from ray_gke.targets.kubernetes.changes import Change, RunChanges
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.terraform.changes import Changes

FORMAT = 1
CLOUD, ADDONS, RUNS = "platform", "addons", "runs"
"""Parts of a plan: the Terraform stacks by their names, and the runs."""

_HEAD = {"apiVersion": "ray-gke/v1", "kind": "SavedPlan", "format": FORMAT}
_SHOWN = 5
_AGAIN = "plan again with ray-gke plan --out FILE, and look at what it says now"


@dataclass(frozen=True)
class Entry:
    """Something that would be done; `digest` changes with all that is known of it.

    `part` says where, `thing` is a Terraform address, or an object in its namespace.
    """

    part: str
    thing: str
    action: str
    digest: str

    def __str__(self) -> str:
        """Return it in words: `create ADDRESS`."""
        return f"{self.action} {self.thing}"


@dataclass(frozen=True)
class SavedPlan:
    """What was planned for a platform.

    `asked` has digests of what the platform's files say, by what that is. `whole` is
    false where the cluster is yet to be made: what is done in it cannot be planned, but
    follows from what was asked, and there is nothing in it to change or to end.
    """

    platform: str
    target: str
    asked: Mapping[str, str]
    entries: tuple[Entry, ...]
    whole: bool = True

    def text(self) -> str:
        """Return the file's text, the same for the same plan."""
        ordered = sorted(self.entries, key=lambda e: (e.part, e.thing, e.action))
        data = {
            **_HEAD,
            "ray_gke": __version__,
            "platform": self.platform,
            "target": self.target,
            "asked": dict(self.asked),
            "whole": self.whole,
            "changes": [asdict(entry) for entry in ordered],
        }
        return json.dumps(data, indent=2, sort_keys=False) + "\n"

    def check_place(self, platform: str, target: str) -> None:
        """Raise RefusedError for a plan of another platform, or of another place."""
        for what, planned, now in (
            ("platform", self.platform, platform or "no platform"),
            ("target", self.target, target),
        ):
            if planned != now:
                raise RefusedError(
                    f"the saved plan is of the {what} {planned}, and this is {now}",
                    hint="choose the platform file that it was made from, with --file",
                )

    def check_asked(self, asked: Mapping[str, str]) -> None:
        """Raise RefusedError when a platform's files ask for something else."""
        every = {**self.asked, **asked}
        differ = [name for name in every if self.asked.get(name) != asked.get(name)]
        if differ:
            raise _stale("the files ask for something else", differ)

    def check(self, now: Iterable[Entry], *parts: str) -> None:
        """Raise RefusedError unless the same would be done now: in `parts`, or all."""
        wanted = [one for one in self.entries if not parts or one.part in parts]
        if lines := list(_differences(wanted, list(now))):
            raise _stale("the world has changed", lines)

    def check_runs(self, found: Sequence[RunChanges]) -> None:
        """Raise RefusedError unless the same would be done to the objects of runs."""
        self.check(of_runs(found), RUNS)

    def check_new(self, now: Iterable[Entry]) -> None:
        """Raise RefusedError when anything but to create would be done.

        In a cluster that was not there when it was planned.
        """
        if others := [f"only now: {one}" for one in now if one.action != "create"]:
            raise _stale("something is in the new cluster already", others)


def of_stack(part: str, changes: Changes) -> Iterator[Entry]:
    """Yield what a Terraform stack would do."""
    for one in changes.todo:
        yield Entry(part, one.address, one.action, one.digest)


def of_runs(found: Iterable[RunChanges]) -> Iterator[Entry]:
    """Yield what would be done to the objects of runs.

    Their namespaces are made before, on GKE by Terraform.
    """
    for run in found:
        rendered = {Ref.of(one): one for one in run.wanted.objects}
        for change in run.changes:
            ref = change.ref
            if change.writes and ref.kind != "Namespace":
                place = f" in namespace {ref.namespace}" if ref.namespace else ""
                known = _known(change, rendered.get(ref))
                yield Entry(RUNS, f"{ref}{place}", change.action, digest(known))


def digest(value: Any) -> str:
    """Return a word that changes with plain data."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> SavedPlan:
    """Return the plan that a file has.

    Raises InvalidError where it has none, RefusedError for one of another version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        reason = f"not JSON, or not all of it: {error}"
        raise _unreadable(path, reason) from None
    except RecursionError:
        raise _unreadable(path, "it is nested too deeply") from None
    if not isinstance(data, dict) or data.get("kind") != _HEAD["kind"]:
        raise _unreadable(path, "not a plan that ray-gke plan --out wrote")
    for what, there, ours in (
        ("format", data.get("format"), FORMAT),
        ("ray-gke", data.get("ray_gke"), __version__),
    ):
        if there != ours:
            raise RefusedError(
                f"{path} was saved with {what} {there}, and this is {what} {ours}",
                hint=f"use the same ray-gke in both jobs, or {_AGAIN}",
            )
    return _parsed(path, data)


def _parsed(path: Path, data: Mapping[str, Any]) -> SavedPlan:
    from pydantic import TypeAdapter, ValidationError

    given = {**data, "entries": data.get("changes")}
    try:
        return TypeAdapter(SavedPlan).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])).replace("entries", "changes", 1)
        raise _unreadable(path, f"{place}: {first['msg']}") from None


def _unreadable(path: Path, reason: str) -> InvalidError:
    return InvalidError(f"no saved plan: {reason}", place=Place(str(path)), hint=_AGAIN)


def _known(change: Change, rendered: Any) -> list[Any]:
    """Return all that is known of a change, but for what an autoscaler writes."""
    edit = asdict(change.edit) if change.edit else None
    return [rendered, change.uid, change.fields, edit, change.ends]


def _differences(planned: Sequence[Entry], now: Sequence[Entry]) -> Iterator[str]:
    before = {(one.part, one.thing): one for one in planned}
    after = {(one.part, one.thing): one for one in now}
    for key, one in before.items():
        there = after.get(key)
        if there is None:
            yield f"only in the saved plan: {one}"
        elif there.action != one.action:
            yield f"different: {one} in the saved plan, {there.action} now"
        elif there.digest != one.digest:
            yield f"different: {one}, with other values"
    yield from (f"only now: {one}" for key, one in after.items() if key not in before)


def _stale(why: str, lines: Sequence[str]) -> RefusedError:
    more = len(lines) - _SHOWN
    shown = [*lines[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return RefusedError(
        "\n".join([f"the saved plan is stale: {why}", *shown]), hint=_AGAIN
    )
