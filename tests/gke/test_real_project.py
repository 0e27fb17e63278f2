"""The same on GKE itself: only with --gke, in a project that is named.

It makes a zonal cluster with small nodes, and a T4 on Spot for a minute, runs a job on
each, looks whether a second `up` changes anything, and takes all of it away.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gke.world import World

PLATFORM = """
apiVersion: ray-gke/v1
kind: Platform
metadata: {{name: ray-gke-test}}
spec:
  target: gke
  project: {project}
  region: {region}
  zones: [{zone}]
  cluster: {{location: zonal, deletion_protection: false}}
  {operator}
  labels: {{purpose: ray-gke-test}}
  namespace: test
  catalogs: [{{path: catalog}}]
  blueprints:
    - {{blueprint: squares}}
    - {{blueprint: look-at-gpu}}
"""
LOOK_AT_GPU = """
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: look-at-gpu, summary: What a worker sees of a shared GPU}
spec:
  worker_groups:
    - name: gpu
      min_replicas: 1
      cpu: 1
      memory: 4Gi
      gpu:
        accelerator: nvidia-tesla-t4
        sharing: {strategy: time-sharing, max_shared_clients_per_gpu: 2}
      provisioning: spot
  job:
    entrypoint: python look.py
"""
LOOK = """
import subprocess
import ray

@ray.remote(num_gpus=1)
def look():
    return subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout

print(ray.get(look.remote()))
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.gke
def test_a_platform_in_a_project_of_google_cloud(tmp_path: Path) -> None:
    project, zone = (os.environ.get(f"RAY_GKE_TEST_{k}") for k in ("PROJECT", "ZONE"))
    if not (project and zone):
        pytest.fail("name them: make test-gke PROJECT=my-project ZONE=europe-west4-a")
    write(tmp_path, project, zone, "")
    said = story(tmp_path, lambda *words: _run(tmp_path, *words))
    assert "Tesla T4" in said


@pytest.mark.cluster
def test_the_same_in_the_cloud_for_tests(gke: World) -> None:
    """So that what costs money fails for no mistake of its own."""
    operator = "kuberay: {namespace: kuberay-of-the-test}"
    write(gke.folder, "my-project", "europe-west4-a", operator)
    story(gke.folder, gke.ray_gke)
    assert gke.cloud.objects() == []


def write(folder: Path, project: str, zone: str, operator: str) -> None:
    region = zone.rpartition("-")[0]
    (folder / "ray-gke.yaml").write_text(
        PLATFORM.format(project=project, region=region, zone=zone, operator=operator)
    )
    blueprint = folder / "catalog" / "look-at-gpu"
    blueprint.mkdir(parents=True)
    (blueprint / "blueprint.yaml").write_text(LOOK_AT_GPU)
    (blueprint / "look.py").write_text(LOOK)


def story(folder: Path, ray_gke: Run) -> str:
    """Bring it up twice and take it away; return what the jobs have written."""
    try:
        first = _well(ray_gke("up", "--timeout", "40m"))
        assert json.loads(_well(ray_gke("status", "-o", "json")))
        _well(ray_gke("plan", "--detailed-exitcode"))
        _well(ray_gke("up"))
    finally:
        _well(ray_gke("down"))
    assert not (folder / ".ray-gke").exists()
    return first


def _well(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command, and let its progress be seen: it takes up to half an hour."""
    return subprocess.run(
        [sys.executable, "-m", "ray_gke", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
