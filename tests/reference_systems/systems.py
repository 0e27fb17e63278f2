"""The reference systems as the commands of ray-gke see them, for tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from ray_gke.testing import RayGke

Object = dict[str, Any]

HERE = Path(__file__).parent
GIB = 2**30
RUNS = {
    "kuberay_example": {"l4-cluster", "stable-diffusion", "slices-and-spot"},
    "ai_on_gke": {"ada-cluster", "grace-cluster"},
}
_HOST = "-docker.pkg.dev/my-project-1/"
REPOSITORIES = {
    "kuberay_example": f"europe-west4{_HOST}demo-cluster",
    "ai_on_gke": f"us-central1{_HOST}ml-cluster",
}
"""What the names of a system's repositories in Artifact Registry begin with."""


@dataclass(frozen=True)
class System:
    """What the commands make of a platform file."""

    name: str
    commands: RayGke
    folder: Path

    @cached_property
    def plan(self) -> Object:
        found: Object = json.loads(self._run("plan", "-o", "json"))
        return found

    @cached_property
    def manifests(self) -> list[Object]:
        files = sorted(self.rendered.glob("*.yaml"))
        return [one for f in files for one in yaml.safe_load_all(f.read_text())]

    @cached_property
    def rendered(self) -> Path:
        self._run("render", "--output-dir", "out")
        return self.folder / "out"

    def variables(self, stack: str) -> Path:
        return self.rendered / "terraform" / f"{stack}.tfvars.json"

    def kind(self, kind: str) -> dict[str, Object]:
        return {
            one["metadata"]["name"]: one
            for one in self.manifests
            if one["kind"] == kind
        }

    def clusters(self) -> dict[str, Object]:
        """The specs of RayClusters, by run."""
        services = self.kind("RayService").items()
        return {
            **{name: one["spec"] for name, one in self.kind("RayCluster").items()},
            **{name: one["spec"]["rayClusterConfig"] for name, one in services},
        }

    def groups(self) -> Iterator[tuple[str, str, Object]]:
        """Run, name and spec of each worker group."""
        for run, spec in self.clusters().items():
            for group in spec["workerGroupSpecs"]:
                yield run, group["groupName"], group

    def pods(self) -> Iterator[tuple[str, Object]]:
        """Run and pod spec of heads and workers."""
        for run, spec in self.clusters().items():
            yield run, spec["headGroupSpec"]["template"]["spec"]
        for run, _, group in self.groups():
            yield run, group["template"]["spec"]

    def pool(self, pod: Object) -> Object:
        """The variables of the node pool that a pod selects."""
        pools = json.loads(self.variables("platform").read_text())["node_pools"]
        found: Object = pools[pod["nodeSelector"]["cloud.google.com/gke-nodepool"]]
        return found

    def validate(self) -> str:
        return self._run("validate")

    def _run(self, *arguments: str) -> str:
        return self.commands(*arguments, cwd=self.folder).stdout


def copies(folder: Path) -> dict[str, System]:
    """Return all systems, each a copy.

    What an `up` of the originals leaves beside them would show in a plan.
    """
    commands = RayGke(folder)
    ours = shutil.ignore_patterns(".ray-gke")
    return {
        name: System(
            name,
            commands,
            Path(shutil.copytree(HERE / name, folder / name, ignore=ours)),
        )
        for name in RUNS
    }


def requests(pod: Object) -> tuple[int, int, int]:
    """Thousandths of CPUs, bytes, and GPUs that a pod asks for.

    Sidecars are init containers that go on, so they count as well.
    """
    containers = [*pod["containers"], *pod.get("initContainers", [])]
    asked = [one["resources"]["requests"] for one in containers]
    return (
        sum(_millis(one["cpu"]) for one in asked),
        sum(_size(one["memory"]) for one in asked),
        sum(int(one.get("nvidia.com/gpu", 0)) for one in asked),
    )


def _millis(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000


def _size(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 2**20, "Gi": GIB}[quantity[-2:]]
