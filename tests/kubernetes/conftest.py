"""What tests of the target `kubernetes` share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.bed import Bed
from tests.kubernetes import desk as desks
from tests.kubernetes.desk import Desk


@pytest.fixture
def desk(cluster: Bed, tmp_path: Path) -> Iterator[Desk]:
    """A folder and a command line at a cluster that is whole."""
    with desks.at(cluster, tmp_path) as found:
        yield found


@pytest.fixture
def place(desk: Desk) -> str:
    """The name of a namespace that is not there yet."""
    return desk.new_namespace()
