"""Blueprints and what they are rendered to, byte for byte.

`goldens/CASE/NAME/` is the blueprint, `goldens/CASE/manifests.yaml` what comes of it.
A case called kuberay-VERSION is rendered for that version, others for our own. What
each is about is said, and tested, in test_contracts.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ray_gke import versions
from ray_gke.catalog.load import load
from ray_gke.planning.build import build
from ray_gke.rendering import documents
from ray_gke.rendering.render import render

GOLDENS = Path(__file__).parent / "goldens"
CASES = sorted(path.name for path in GOLDENS.iterdir() if path.is_dir())


def manifests(case: str) -> str:
    (folder,) = (path for path in (GOLDENS / case).iterdir() if path.is_dir())
    version = case.removeprefix("kuberay-")
    kuberay = version if version != case else versions.KUBERAY_VERSION
    plan = build(load(folder, {}))
    return documents.stream(render(plan, kuberay_version=kuberay, namespace="ml"))


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, request: pytest.FixtureRequest) -> None:
    golden = GOLDENS / case / "manifests.yaml"
    if request.config.getoption("--update-goldens"):
        golden.write_text(manifests(case))
    assert manifests(case) == golden.read_text(), "if this is meant: make goldens"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_bytes_do_not_depend_on_the_process(seed: str) -> None:
    script = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('goldens', {__file__!r})\n"
        "goldens = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(goldens)\n"
        "sys.stdout.write(''.join(map(goldens.manifests, goldens.CASES)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": seed},
    )
    texts = ((GOLDENS / case / "manifests.yaml").read_text() for case in CASES)
    assert done.stdout == "".join(texts)
