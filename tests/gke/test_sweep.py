"""What a cluster left behind is found and removed; what only looks like it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ray_gke.catalog import prices
from ray_gke.events import Event, Note, StepFinished
from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.gke.fingerprint import Fingerprint
from ray_gke.targets.gke.sweep import Sweep, sweep
from ray_gke.targets.google.client import Google
from ray_gke.testing import RayGke
from tests.gke.leftovers import (
    ACCOUNT,
    ACCOUNT_LEFT,
    CLUSTER_ID,
    DURING,
    FINGERPRINT,
    OURS,
    PROJECT,
    REGION,
    RETAINED,
    VOLUMES,
    ZONE,
    Leftover,
    disk,
    look_alikes,
    url,
)
from tests.google.apis import GoogleApis

_KINDS = ("forwardingRules", "addresses", "networkEndpointGroups", "firewalls", "disks")
_DISK = next(one for one in OURS if one.kind == "disks")
_GONE = Fingerprint.of(FINGERPRINT)


@dataclass
class Desk:
    """A project, what is known of its clusters, and what a sweep said of it."""

    apis: GoogleApis
    known: Sequence[Fingerprint] = (_GONE,)
    events: list[Event] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def plant(self, leftovers: Iterable[Leftover]) -> None:
        for one in leftovers:
            self.apis.put(one.kind, one.place, one.values)

    def sweep(self, confirm: Callable[[], bool] = lambda: True) -> int:
        """Sweep once, and return how much was removed."""

        def asked(question: str) -> bool:
            self.questions.append(question)
            return confirm()

        def keep(prints: Sequence[Fingerprint]) -> None:
            self.known = tuple(prints)

        self.events, google = [], Google(Credentials.default(), PROJECT)
        whole = (PROJECT, "demo", self.events.append, asked, keep, prices.load())
        return sweep(Sweep(google, *whole), self.known)

    @property
    def notes(self) -> list[str]:
        return [one.text for one in self.events if isinstance(one, Note)]

    @property
    def warnings(self) -> str:
        found = (one for one in self.events if isinstance(one, Note) and one.warning)
        return "\n".join(one.text for one in found)

    def there(self) -> set[tuple[str, str, str]]:
        """Return the keys of all leftovers that there are."""
        return {
            (kind, _place(told), told["name"])
            for kind in _KINDS
            for told in self.apis.there(kind)
        }

    def deleted(self) -> list[str]:
        """Return the collections of what was asked to be deleted, in that order."""
        lines = [one for one in self.apis.asked if one.startswith("DELETE ")]
        return [line.split("/")[-2] for line in lines]


def _place(told: dict[str, Any]) -> str:
    where = told.get("zone") or told.get("region") or "global"
    return str(where).rpartition("/")[2]


def _keys(leftovers: Iterable[Leftover]) -> set[tuple[str, str, str]]:
    return {one.key for one in leftovers}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with GoogleApis(project=PROJECT) as apis:
        monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "a-token")
        for name, value in apis.env().items():
            monkeypatch.setenv(name, value)
        yield Desk(apis)


def test_all_that_a_cluster_left_is_found_and_removed(desk: Desk) -> None:
    desk.plant([*OURS, ACCOUNT_LEFT])
    desk.apis.page_size = 3
    assert desk.sweep() == len(OURS) + 1
    assert desk.there() == set()
    assert desk.apis.there("serviceAccounts") == []
    assert not desk.known
    order = [*_KINDS, "serviceAccounts"]
    asked = desk.deleted()
    assert sorted(asked, key=order.index) == asked
    assert len(desk.questions) == 1
    told = {note.partition(", ")[0]: note for note in desk.notes}
    assert told[f"left behind: disk {VOLUMES[0]} in {ZONE}"].endswith(
        f"the disk of the cluster's volume {VOLUMES[0]}, about 10.00 USD a month"
    )
    # The price file does not know disks in two zones.
    assert "its price is unknown" in told[f"left behind: disk {VOLUMES[1]} in {REGION}"]
    assert "costs nothing" in told["left behind: firewall rule gke-demo-0712d06d-all"]
    assert f"left behind: service account {ACCOUNT}" in told
    assert len(told) == len(OURS) + 1


def test_of_more_than_200_look_alikes_none_is_touched(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    """Those of the same name are there one after the other: names are unique."""
    planted = list(look_alikes())
    assert len(planted) > 200
    rounds: dict[int, list[Leftover]] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for _, one in planted:
        number = seen[one.key] = seen.get(one.key, -1) + 1
        rounds.setdefault(number, []).append(one)
    touched = []
    for several in rounds.values():
        names = _keys(several)
        ours = [one for one in OURS if one.key not in names]
        with GoogleApis(project=PROJECT) as apis:
            for name, value in apis.env().items():
                monkeypatch.setenv(name, value)
            here = Desk(apis)
            here.plant([*several, *ours])
            assert here.there() == names | _keys(ours)
            assert here.sweep() == len(ours)
            touched += sorted(names - here.there())
            assert here.there() <= names
    assert touched == []


def test_the_account_of_another_is_not_ours_by_its_name(desk: Desk) -> None:
    desk.plant([ACCOUNT_LEFT.but(uniqueId="999999999999999999999")])
    assert desk.sweep() == 0
    assert len(desk.apis.there("serviceAccounts")) == 1


def test_nothing_goes_that_nobody_agreed_to(desk: Desk) -> None:
    desk.plant(OURS)
    assert desk.sweep(lambda: False) == 0
    assert desk.there() == _keys(OURS)
    assert "ray-gke down --sweep" in desk.warnings
    assert [one.id for one in desk.known] == [CLUSTER_ID]
    assert desk.sweep() == len(OURS)
    assert desk.there() == set()


def test_nothing_left_is_said_and_forgotten(desk: Desk) -> None:
    assert desk.sweep() == 0
    assert not desk.known
    assert desk.questions == []
    (done,) = [one for one in desk.events if isinstance(one, StepFinished)]
    assert done.detail == "nothing left behind"


def test_what_may_not_be_read_is_a_warning_with_the_permission(desk: Desk) -> None:
    desk.plant([*OURS, ACCOUNT_LEFT])
    desk.apis.deny("GET */aggregated/disks", "GET */serviceAccounts/*")
    disks = {one.key for one in OURS if one.kind == "disks"}
    assert desk.sweep() == len(OURS) - len(disks)
    assert desk.there() == disks
    assert "compute.disks.list" in desk.warnings
    assert "iam.serviceAccounts.get" in desk.warnings
    assert [one.id for one in desk.known] == [CLUSTER_ID]


def test_an_api_that_is_off_is_named(desk: Desk) -> None:
    desk.apis.turn_off("compute.googleapis.com")
    assert desk.sweep() == 0
    assert "Compute Engine API" in desk.warnings
    assert desk.known


def test_what_does_not_go_is_told_and_the_rest_goes(desk: Desk) -> None:
    desk.plant(OURS)
    name = "k8s1-b713ed67-vision-web-8000-a8ab1877"
    reason = "already being used by 'projects/my-project/global/backendServices/web'"
    desk.apis.refuse_deletion(f"*/{ZONE}/networkEndpointGroups/{name}", reason)
    assert desk.sweep() == len(OURS) - 1
    assert desk.there() == {("networkEndpointGroups", ZONE, name)}
    assert f"network endpoint group {name} in {ZONE} is left" in desk.warnings
    assert reason in desk.warnings
    desk.apis.state.refused_deletions.clear()
    assert desk.sweep() == 1
    assert desk.there() == set()
    assert not desk.known


def test_who_may_not_delete_hears_it(desk: Desk) -> None:
    desk.plant([_DISK])
    desk.apis.deny("DELETE *")
    assert desk.sweep() == 0
    assert desk.there() == {_DISK.key}
    assert f"disk {VOLUMES[0]} in {ZONE} is left" in desk.warnings
    assert desk.known


def test_of_a_cluster_that_is_there_nothing_is_looked_for(desk: Desk) -> None:
    desk.plant(OURS)
    desk.apis.put("clusters", REGION, {"name": "demo", "id": CLUSTER_ID})
    assert desk.sweep() == 0
    assert desk.there() == _keys(OURS)
    assert "is there still" in desk.warnings
    assert desk.known == (_GONE,)


def test_another_cluster_of_the_name_does_not_keep_ours_from_being_gone(
    desk: Desk,
) -> None:
    desk.plant(OURS)
    desk.apis.put("clusters", REGION, {"name": "demo", "id": CLUSTER_ID[::-1]})
    assert desk.sweep() == len(OURS)


def test_without_proof_that_the_cluster_is_gone_nothing_is(desk: Desk) -> None:
    desk.plant(OURS)
    desk.apis.deny("GET */clusters")
    assert desk.sweep() == 0
    assert desk.there() == _keys(OURS)
    assert "container.clusters.list" in desk.warnings
    assert desk.known == (_GONE,)


def test_a_cluster_of_another_project_is_not_looked_for_here(desk: Desk) -> None:
    desk.plant(OURS)
    elsewhere = Fingerprint.of({**FINGERPRINT, "project": "their-project"})
    desk.known = (elsewhere,)
    assert desk.sweep() == 0
    assert desk.there() == _keys(OURS)
    assert desk.known == (elsewhere,)


def test_what_is_made_after_the_first_look_is_somebody_elses(desk: Desk) -> None:
    """The end of a cluster is when it was first known to be gone, and stays that."""
    desk.known = (Fingerprint.of({**FINGERPRINT, "ended": ""}),)
    desk.plant([_DISK])
    assert desk.sweep(lambda: False) == 0
    (once,) = desk.known
    assert once.ended
    desk.plant([_DISK.but(creationTimestamp="2200-01-01T00:00:00Z")])
    assert desk.sweep() == 0
    assert desk.there() == {_DISK.key}
    assert not desk.known


def test_what_is_kept_or_used_is_told_and_stays(desk: Desk) -> None:
    user = url("instances", f"zones/{ZONE}", "rescue")
    used = _DISK.but(users=[user])
    kept = disk(RETAINED, creationTimestamp=DURING)
    desk.plant([used, kept])
    assert desk.sweep() == 0
    assert desk.there() == _keys([used, kept])
    assert desk.questions == []
    said = "\n".join(desk.notes)
    assert f"disk {RETAINED} in {ZONE} stays, its reclaim policy is Retain" in said
    assert f"disk {VOLUMES[0]} in {ZONE} stays, it is used by instances/rescue" in said
    # It may go later; what somebody wants to keep does not.
    assert desk.known
    desk.plant([_DISK])
    assert desk.sweep() == 1
    assert desk.there() == {kept.key}
    assert not desk.known


def test_an_address_that_only_a_load_balancer_of_ours_uses_goes_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = next(one for one in OURS if one.kind == "forwardingRules")
    address = next(one for one in OURS if one.kind == "addresses")
    place = f"regions/{REGION}"
    user = url("forwardingRules", place, rule.values["name"])
    desk.plant([rule, address.but(users=[user])])
    remove = desk.apis.state.remove

    def let_go(thing: Any) -> None:
        """Google takes a user that is gone from what it used."""
        remove(thing)
        if thing.kind == "forwardingRules":
            desk.plant([address])

    monkeypatch.setattr(desk.apis.state, "remove", let_go)
    assert desk.sweep() == 2
    assert desk.deleted() == ["forwardingRules", "addresses"]


@pytest.mark.parametrize(
    "now",
    [
        pytest.param({"users": [url("instances", f"zones/{ZONE}", "new")]}, id="used"),
        pytest.param({"creationTimestamp": "2026-03-06T00:00:00Z"}, id="made anew"),
        pytest.param({"creationTimestamp": "2026-03-04T00:00:00Z"}, id="another"),
        pytest.param({"description": "mine now"}, id="described anew"),
    ],
)
def test_what_changes_while_somebody_is_asked_stays(
    desk: Desk, now: dict[str, Any]
) -> None:
    desk.plant([_DISK])

    def agree() -> bool:
        desk.plant([_DISK.but(**now)])
        return True

    desk.sweep(agree)
    assert desk.deleted() == []
    assert desk.there() == {_DISK.key}


def test_what_goes_while_somebody_is_asked_is_no_failure(desk: Desk) -> None:
    desk.plant([_DISK])

    def agree() -> bool:
        (thing,) = desk.apis.state.things("disks", PROJECT)
        desk.apis.state.remove(thing)
        return True

    desk.sweep(agree)
    assert desk.warnings == ""
    assert not desk.known


@pytest.mark.parametrize("words", [("squares",), ("--all",), ("--on", "local")])
def test_nothing_but_a_whole_platform_is_swept(
    ray_gke: RayGke, words: tuple[str, ...]
) -> None:
    assert "--sweep" in ray_gke("down", *words, "--sweep", exit_code=2).stderr
