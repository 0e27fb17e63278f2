"""A world for each test of the target `gke`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.bed import Bed
from tests.gke import world
from tests.gke.world import World
from tests.terraform import program


@pytest.fixture
def gke(cluster: Bed, tmp_path: Path) -> Iterator[World]:
    """Google and Kubernetes; without Terraform or Go there is none."""
    try:
        program.terraform()
        program.stand_in()
    except program.MissingProgram as missing:
        pytest.skip(str(missing))
    with world.opened(cluster, tmp_path) as found:
        yield found
