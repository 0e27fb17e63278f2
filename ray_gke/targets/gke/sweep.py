"""The last step of `down`: what a cluster that is gone has left, listed and removed.

Nothing is removed that is not proven to be the cluster's (`left_behind`), nor anything
that something else uses, nor a disk that somebody wanted to keep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ray_gke.errors import FailedError
from ray_gke.events import Emit, Note
from ray_gke.gke.prices import Prices
from ray_gke.targets.gke.fingerprint import Fingerprint
from ray_gke.targets.gke.left_behind import (
    KINDS,
    Found,
    cost,
    judge,
    judge_account,
    path,
)
from ray_gke.targets.google.answers import CloudResource, ServiceAccount, Unread
from ray_gke.targets.google.client import Google
from ray_gke.targets.kubernetes.parallel import in_parallel
from ray_gke.targets.steps import step

Confirm = Callable[[str], bool]

COMMAND = "ray-gke down --sweep"
_MOST_NAMES = 5


@dataclass(frozen=True)
class Sweep:
    """Whom a sweep asks and tells, and what disks cost.

    `confirm` is asked once whether what was found is removed; `keep` is given the
    fingerprints that are still needed, as often as they change.
    """

    google: Google
    project: str
    name: str
    emit: Emit
    confirm: Confirm
    keep: Callable[[Sequence[Fingerprint]], None]
    prices: Prices

    def warn(self, text: str) -> None:
        """Tell something that a person may want to act on."""
        self.emit(Note(self.name, text, warning=True))


@dataclass(frozen=True)
class _Seen:
    """What was found, and whether all could be read."""

    found: tuple[Found, ...]
    whole: bool

    @property
    def removable(self) -> tuple[Found, ...]:
        return tuple(one for one in self.found if not one.stays)


def sweep(of: Sweep, known: Sequence[Fingerprint]) -> int:
    """Look for what the clusters that are gone have left, and remove it on request.

    Returns how much was removed.
    """
    gone = _gone(of, known)
    if not gone:
        return 0
    others = [one for one in known if one.id not in {print_.id for print_ in gone}]
    of.keep([*others, *gone])
    seen = _list(of, gone)
    left = seen.removable
    if left and of.confirm(f"this would remove {_names(left)}"):
        left = _remove(of, gone, left)
    elif left:
        of.warn(f"{len(left)} of a cluster that is gone are left: {COMMAND} removes it")
    done = seen.whole and not left and not any(one.used for one in seen.found)
    of.keep(others if done else [*others, *gone])
    return len(seen.removable) - len(left)


def _gone(of: Sweep, known: Sequence[Fingerprint]) -> list[Fingerprint]:
    """Return the clusters that are proven to be gone, and since when."""
    mine = [one for one in known if one.project == of.project]
    there = of.google.clusters() if mine else ()
    if isinstance(there, Unread):
        reason = _reason(there, "container.clusters.list")
        of.warn(
            f"nobody can tell what the cluster has left, or if it is gone: {reason}"
        )
        return []
    ids = {one.id for one in there}
    for one in mine:
        if one.id in ids:
            of.warn(f"the cluster {one.cluster} in {one.location} is there still")
    now = datetime.now(UTC).isoformat()
    return [replace(one, ended=one.ended or now) for one in mine if one.id not in ids]


def _list(of: Sweep, gone: Sequence[Fingerprint]) -> _Seen:
    with step(of.emit, of.name, "left") as outcome:
        seen = _look(of, gone)
        for one in seen.found:
            stays = f"{one} stays, {one.stays}: {one.why}"
            left = f"left behind: {one}, {one.why}, {cost(of.prices, one)}"
            of.emit(Note(of.name, stays if one.stays else left))
        outcome.detail = f"{len(seen.removable) or 'nothing'} left behind"
    return seen


def _look(of: Sweep, gone: Sequence[Fingerprint]) -> _Seen:
    """Return all that is proven to be left."""
    emails = {one.account.email for one in gone if one.account}
    questions = [*KINDS, *sorted(emails)]

    def ask(question: str) -> tuple[list[Found], bool]:
        if question in KINDS:
            return _resources(of, gone, question)
        return _account(of, gone, question)

    answers = in_parallel(ask, questions, threading.Event())
    found = [one for several, _ in answers for one in several]
    return _Seen(_without_used(found, of.project), all(whole for _, whole in answers))


def _resources(
    of: Sweep, gone: Sequence[Fingerprint], kind: str
) -> tuple[list[Found], bool]:
    listed = of.google.left_behind(kind)
    if isinstance(listed, Unread):
        reason = _reason(listed, f"compute.{kind}.list")
        of.warn(f"nobody can tell what is left of {kind}: {reason}")
        return [], False
    judged = (judge(print_, one) for one in listed for print_ in gone)
    return [one for one in judged if one], True


def _account(
    of: Sweep, gone: Sequence[Fingerprint], email: str
) -> tuple[list[Found], bool]:
    account = of.google.service_account(email)
    if isinstance(account, Unread):
        reason = _reason(account, "iam.serviceAccounts.get")
        of.warn(f"nobody can tell whether {email} is left: {reason}")
        return [], False
    judged = (judge_account(print_, account) for print_ in gone if account)
    return [one for one in judged if one], True


def _reason(answer: Unread, permission: str) -> str:
    needs = f"; it needs the permission {permission}"
    return answer.message + (needs if answer.reason == "denied" else "")


def _without_used(found: Sequence[Found], project: str) -> tuple[Found, ...]:
    """Return the same, where what others use stays; what goes before it may use it."""
    going = {
        f"/projects/{project}/{path(one.what)}"
        for one in found
        if isinstance(one.what, CloudResource) and not one.stays
    }
    return tuple(_judged_by_use(one, going) for one in found)


def _judged_by_use(one: Found, going: Iterable[str]) -> Found:
    users = one.what.users if isinstance(one.what, CloudResource) else ()
    others = [user for user in users if not user.endswith(tuple(going))]
    if one.stays or not others:
        return one
    user = "/".join(others[0].split("/")[-2:])
    return replace(one, stays=f"it is used by {user}", used=True)


def _names(found: Sequence[Found]) -> str:
    shown = ", ".join(str(one) for one in found[:_MOST_NAMES])
    more = len(found) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _remove(
    of: Sweep, gone: Sequence[Fingerprint], agreed: Sequence[Found]
) -> tuple[Found, ...]:
    """Remove what was agreed to, and return what did not go.

    A person may take long to answer: only what is found once more, and is the same, is
    removed.
    """
    with step(of.emit, of.name, "sweep") as outcome:
        seen = _look(replace(of, emit=lambda _: None), gone)
        there = {_identity(one) for one in seen.found}
        ready = {_identity(one) for one in seen.removable}
        again = [one for one in agreed if _identity(one) in ready]
        # What is used by now, or cannot be read any more, is there still.
        left = [
            one
            for one in agreed
            if one not in again and (_identity(one) in there or not seen.whole)
        ]
        for kind in (*KINDS, ""):
            several = [one for one in again if _kind(one) == kind]
            went = in_parallel(lambda o: _removed(of, o), several, threading.Event())
            left += [one for one, gone_ in zip(several, went, strict=True) if not gone_]
        stays = f", {len(left)} left" if left else ""
        outcome.detail = f"{len(agreed) - len(left)} removed{stays}"
    return tuple(left)


def _kind(one: Found) -> str:
    return one.what.kind if isinstance(one.what, CloudResource) else ""


def _identity(one: Found) -> tuple[str, ...]:
    if isinstance(one.what, ServiceAccount):
        return (one.what.email, one.what.unique_id)
    return (path(one.what), one.what.created)


def _removed(of: Sweep, one: Found) -> bool:
    try:
        if isinstance(one.what, ServiceAccount):
            of.google.delete_service_account(one.what)
        else:
            of.google.delete(one.what)
    except FailedError as error:
        of.warn(f"{one} is left: {error}; {COMMAND} tries again")
        return False
    return True
