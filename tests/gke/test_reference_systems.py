"""The talk's two reference systems, from nothing to pods and back to nothing.

What their platforms are made of is looked at in `tests/test_reference_systems.py`.
"""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from tests.gke.seen import kubectl, planned_pools, pools_of_pods, run
from tests.gke.world import World
from tests.reference_systems import systems

pytestmark = pytest.mark.cluster

NAMESPACES = {
    "kuberay_example": {
        "l4-cluster": "demo",
        "stable-diffusion": "demo",
        "slices-and-spot": "demo",
    },
    "ai_on_gke": {"ada-cluster": "ada", "grace-cluster": "grace"},
}
QUOTAS = {"kuberay_example": {}, "ai_on_gke": {"ada": "2", "grace": "2"}}


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_reference_system_comes_up_and_goes(gke: World, name: str) -> None:
    _write(gke, name)
    plan = json.loads(run(gke, "plan", "-o", "json"))
    lines = run(gke, "up", "-o", "json", "--timeout", "90s").splitlines()
    ready = {e["name"] for e in map(json.loads, lines) if e["event"] == "ready"}
    assert ready == set(NAMESPACES[name])
    for one, namespace in NAMESPACES[name].items():
        assert pools_of_pods(gke, namespace, one) == planned_pools(plan, one)
    for namespace, gpus in QUOTAS[name].items():
        (quota,) = kubectl(gke, "resourcequota", "-n", namespace)["items"]
        assert quota["spec"]["hard"] == {"requests.nvidia.com/gpu": gpus}
    run(gke, "down")
    assert gke.cloud.objects() == []
    assert not (gke.folder / ".ray-gke").exists()


def _write(world: World, name: str) -> None:
    """Copy a system for the test cluster, whose operator is there and is older."""
    source = systems.HERE / name
    shutil.copytree(source, world.folder, dirs_exist_ok=True)
    file = world.folder / "ray-gke.yaml"
    platform = yaml.safe_load(file.read_text())
    world.apis.state.project = platform["spec"]["project"]
    platform["spec"]["kuberay"] = {"namespace": "kuberay-of-the-platform"}
    file.write_text(yaml.safe_dump(platform))
