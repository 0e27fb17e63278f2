"""Answers are whole, however many pages they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ray_gke.targets.google.client import Google
from tests.google.apis import GoogleApis
from tests.google.questions import KINDS, REGION


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        ("networks", lambda google: google.networks()),
        ("routers", lambda google: google.routers(REGION)),
        ("subnetworks", lambda google: google.subnetworks(REGION)),
        ("repositories", lambda google: google.repositories(REGION)),
        *((kind, lambda google, kind=kind: google.left_behind(kind)) for kind in KINDS),
    ],
)
def test_all_pages_are_read(
    apis: GoogleApis, google: Google, kind: str, ask: Callable[[Google], Any]
) -> None:
    everywhere = {"networks", "firewalls"}
    for number in range(7):
        place = "global" if kind in everywhere else REGION
        apis.put(kind, place, {"name": f"one-{number}"})
    whole = ask(google)
    assert len(whole) == 7
    apis.asked.clear()
    apis.page_size = 3
    # An answer is whole, also when one of its pages has to be asked for again.
    apis.fail("*", 503, times=1)
    assert ask(google) == whole
    assert len(apis.asked) == 4


def test_types_are_read_from_all_pages(apis: GoogleApis, google: Google) -> None:
    accelerators = google.accelerator_zones(REGION)
    asked = ["e2-standard-4", "g2-standard-8"]
    machine_types = google.machine_type_zones(REGION, asked)
    apis.page_size = 40
    assert google.accelerator_zones(REGION) == accelerators
    assert google.machine_type_zones(REGION, asked) == machine_types
