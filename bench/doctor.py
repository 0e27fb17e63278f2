"""`doctor` on a platform of many pools, beside the slowest answer that it waits for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.measure import environment, run
from tests.google.apis import GoogleApis
from tests.registry import images
from tests.registry.fake import FakeRegistry
from tests.terraform import program
from tests.terraform.cloud import VERSIONS

ANSWER_SECONDS = 1.0
ROUNDS = 5
_MACHINES: Mapping[str, tuple[str, ...]] = {
    "nvidia-l4": tuple(f"g2-standard-{n}" for n in (4, 8, 12, 16, 32)),
    "nvidia-tesla-t4": (
        "n1-highmem-8",
        *(f"n1-standard-{n}" for n in (4, 8, 16, 32)),
    ),
}
_KINDS = ("standard", "spot")
POOLS = len(_KINDS) * sum(map(len, _MACHINES.values()))
Tell = Callable[..., None]


def platform(folder: Path, tell: Tell) -> None:
    """20 pools with GPUs, all of whose questions are answered late."""
    folder.mkdir(parents=True)
    with GoogleApis() as google, FakeRegistry() as registry:
        image = registry.put("ray", images.image(b"layer"), "2.60.0-gpu")
        env = environment(**google.env(), **_terraform(folder))
        _write(folder, image)
        file = str(folder / "ray-gke.yaml")
        argv = [sys.executable, "-m", "ray_gke", "doctor", "--file", file]
        at_once = min(run(argv, env).seconds for _ in range(ROUNDS))
        google.delay_seconds = ANSWER_SECONDS
        later = [run(argv, env) for _ in range(ROUNDS)]
    beside = min(one.seconds for one in later) - ANSWER_SECONDS
    print(f"doctor with {POOLS} GPU pools, answers at once: {at_once:.2f} s")
    what = f"doctor, beside the slowest answer of {ANSWER_SECONDS:g} s"
    tell(what, beside, "< 3", unit="s")
    tell("memory of doctor", max(one.own_mib for one in later), "-", unit="MiB")


def _terraform(folder: Path) -> dict[str, str]:
    """Return the environment of a Terraform whose providers are in a mirror."""
    mirror = folder / "mirror"
    for name, version in VERSIONS.items():
        provider = mirror / "registry.terraform.io" / "hashicorp" / name / version
        (provider / program.PLATFORM).mkdir(parents=True)
    configuration = folder / "terraform.rc"
    configuration.write_text(
        "provider_installation {\n  filesystem_mirror {\n"
        f"    path = {json.dumps(str(mirror))}\n  }}\n}}\n",
        encoding="utf-8",
    )
    return {
        "GOOGLE_OAUTH_ACCESS_TOKEN": "some-token",
        "RAY_GKE_TERRAFORM": str(program.terraform()),
        "TF_CLI_CONFIG_FILE": str(configuration),
    }


def _write(folder: Path, image: str) -> None:
    groups = "".join(
        f"    - {{name: {kind}-{machine}, max_replicas: 2, provisioning: {kind}, "
        f"machine_type: {machine}, gpu: {{accelerator: {accelerator}}}}}\n"
        for accelerator, machines in _MACHINES.items()
        for machine in machines
        for kind in _KINDS
    )
    blueprint = folder / "catalog" / "pools"
    blueprint.mkdir(parents=True)
    (blueprint / "blueprint.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: pools}\n"
        f"spec:\n  ray: {{version: 2.60.0, image: '{image}'}}\n"
        f"  worker_groups:\n{groups}  cluster: {{}}\n",
        encoding="utf-8",
    )
    (folder / "ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: bench}\nspec:\n"
        "  target: gke\n  project: my-project\n  region: us-central1\n"
        "  zones: [us-central1-a, us-central1-b]\n  namespace: bench\n"
        "  cluster: {ray_operator: true}\n  logs: {mode: none}\n"
        "  catalogs: [{path: catalog}]\n  blueprints: [{blueprint: pools}]\n",
        encoding="utf-8",
    )
