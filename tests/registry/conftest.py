"""Two registries, and copying from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ray_gke.events import Event
from ray_gke.gke.image_names import mirrored, parse
from ray_gke.targets.registry import connections, mirror
from ray_gke.targets.registry.client import Registries
from tests.registry.fake import FakeRegistry


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wait hardly between attempts, and have no logins."""
    monkeypatch.setattr(connections, "PAUSE_SECONDS", 0.001)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture
def source() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def target() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


class Copying:
    """Copies images, and keeps what was told meanwhile."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.registries = Registries()

    def __call__(
        self,
        to: FakeRegistry,
        *images: str,
        platforms: Sequence[str] = ("linux/amd64",),
    ) -> list[mirror.Mirrored]:
        names = [parse(image) for image in images]
        pairs = [(name, mirrored(name, f"{to.host}/copies")) for name in names]
        return mirror.mirror(self.registries, pairs, self.events.append, platforms)


@pytest.fixture
def copy() -> Copying:
    return Copying()


def place(source: FakeRegistry, repository: str) -> str:
    """Return the repository of a copy, as the README tells it."""
    return f"copies/{source.host.replace(':', '-')}/{repository}"
