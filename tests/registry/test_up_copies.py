"""Where nodes pull copies, `up` makes those that are missing, and no others."""

from __future__ import annotations

from ray_gke.events import Event, StepStarted
from ray_gke.gke.image_names import mirrored, parse
from ray_gke.targets.gke.up import copy_images
from ray_gke.targets.registry.client import Registries
from tests.registry.conftest import place
from tests.registry.fake import FakeRegistry
from tests.registry.test_mirror import one


def test_what_is_missing_is_copied_and_what_is_there_stays(
    source: FakeRegistry, target: FakeRegistry
) -> None:
    names = [source.put(path, one(seed), "1") for seed, path in ((1, "a"), (9, "b"))]
    pairs = [(parse(n), mirrored(parse(n), f"{target.host}/copies")) for n in names]
    told: list[Event] = []
    copy_images(Registries(), pairs[:1], told.append)
    there = target.tags(place(source, "a"))
    assert set(there) == {"1"}
    # A tag that means something else by now is for who asks for it.
    source.put("a", one(20), "1")
    copy_images(Registries(), pairs, told.append)
    assert target.tags(place(source, "a")) == there
    assert set(target.tags(place(source, "b"))) == {"1"}
    assert sum(isinstance(event, StepStarted) for event in told) == 2
    asked = len(source.asked)
    copy_images(Registries(), pairs, told.append)
    assert len(source.asked) == asked
