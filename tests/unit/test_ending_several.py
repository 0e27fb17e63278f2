"""`down` of several runs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ray_gke import selection
from ray_gke.commands import running, targets
from ray_gke.errors import FailedError, InterruptedRun, RayGkeError, RefusedError
from ray_gke.events import Emit


class Place:
    """Ends runs, but those with an error."""

    def __init__(self, errors: dict[str, RayGkeError]) -> None:
        self.errors = errors
        self.tried: list[str] = []

    def names(self) -> list[str]:
        return ["a", "b", "c"]

    def down(self, name: str, _: Emit) -> None:
        self.tried.append(name)
        if name in self.errors:
            raise self.errors[name]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place({})
    choice = SimpleNamespace(platform=None)
    monkeypatch.setattr(selection, "choose", lambda _: choice)
    monkeypatch.setattr(targets, "place", lambda *_: "kubernetes")
    monkeypatch.setattr(targets, "places", lambda *_: [found])
    monkeypatch.setattr(targets, "chosen", lambda *_: found)
    return found


def test_when_one_does_not_go_the_others_do(place: Place) -> None:
    place.errors = {"a": FailedError("a stays"), "b": RefusedError("b stays", hint="x")}
    with pytest.raises(FailedError) as raised:
        running.down(everything=True)
    assert place.tried == ["a", "b", "c"]
    assert [one.message for one in raised.value.problems] == ["a stays", "b stays"]


def test_of_one_it_is_raised_as_it_is(place: Place) -> None:
    place.errors = {"a": RefusedError("a stays")}
    with pytest.raises(RefusedError):
        running.down("a")


def test_ctrl_c_ends_all(place: Place) -> None:
    place.errors = {"b": InterruptedRun("enough")}
    with pytest.raises(InterruptedRun):
        running.down(everything=True)
    assert place.tried == ["a", "b"]
