"""One whom nothing ails, for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor.world import Patient
from tests.doctor.world import patient as opened


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    with opened(tmp_path) as found:
        yield found
