"""From nothing to Ray pods on the nodes that the plan named, and back to nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gke.world import World

pytestmark = pytest.mark.cluster

PLATFORM = """
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: demo}
spec:
  target: gke
  project: my-project
  region: europe-west4
  zones: [europe-west4-a, europe-west4-b]
  cluster: {deletion_protection: false}
  kuberay: {namespace: kuberay-of-demo}
  teams:
    vision: {quota: {requests.nvidia.com/gpu: 16}}
  catalogs: [{path: catalog}]
  blueprints:
    - {blueprint: squares, team: vision}
    - {blueprint: slices, team: vision}
"""
SLICES = """
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: slices, summary: Workers on slices of an A100}
spec:
  worker_groups:
    - name: gpu
      min_replicas: 2
      max_replicas: 7
      cpu: 1500m
      memory: 9Gi
      gpu: {accelerator: nvidia-tesla-a100, partition: 1g.5gb}
  cluster: {}
"""


@pytest.fixture
def demo(gke: World) -> World:
    (gke.folder / "ray-gke.yaml").write_text(PLATFORM)
    folder = gke.folder / "catalog" / "slices"
    folder.mkdir(parents=True)
    (folder / "blueprint.yaml").write_text(SLICES)
    (folder / "README.md").write_text("# Slices\n")
    return gke


def test_up_and_down(demo: World) -> None:
    done = demo.ray_gke("up")
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    again = demo.ray_gke("up")
    print(again.stdout, again.stderr)
    print(demo.ray_gke("plan").stdout[-1500:])
    print(demo.ray_gke("status").stdout)
    print(demo.ray_gke("kubeconfig").stdout)
    down = demo.ray_gke("down")
    print(down.stdout, down.stderr)
    print([o.id for o in demo.cloud.objects()])
    assert 0
