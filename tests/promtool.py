"""Prometheus' own tool and program, as Debian packages them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml


def promtool(*arguments: str | Path) -> str:
    """Return what promtool says when it is content; else fail with what it says."""
    if shutil.which("promtool") is None:
        if os.environ.get("CI_REQUIRES_PACKAGES") == "1":
            pytest.fail("no promtool on PATH")
        pytest.skip("needs promtool on PATH: Debian's package prometheus")
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(file: Path, document: object) -> Path:
    """Write a document as YAML, and return its file."""
    file.write_text(yaml.safe_dump(document, sort_keys=False, width=1000))
    return file
