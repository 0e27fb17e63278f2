"""A small platform that has all parts, and what is there of it.

Two undisturbed runs of `up` leave the same there, so that it can be compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.processes import ProgramError, eventually
from tests.gke.world import World
from tests.kubernetes.holdings import Holdings, holdings, is_there
from tests.kubernetes.lives import difference

NAME = "demo"
NAMESPACE = "vision"
OPERATOR_NAMESPACE = f"kuberay-of-{NAME}"
STACKS = ("platform", "addons")

_PLATFORM = f"""\
apiVersion: ray-gke/v1
kind: Platform
metadata: {{name: {NAME}}}
spec:
  target: gke
  project: my-project
  region: europe-west4
  zones: [europe-west4-a]
  cluster: {{deletion_protection: false, location: zonal}}
  kuberay: {{namespace: {OPERATOR_NAMESPACE}}}
  teams:
    {NAMESPACE}: {{quota: {{requests.nvidia.com/gpu: 4}}}}
  catalogs: [{{path: catalog}}]
  blueprints:
    - {{blueprint: small, team: {NAMESPACE}}}
"""
_BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: small, summary: A worker without a GPU and one with}
spec:
  worker_groups:
    - {name: cpu, min_replicas: 1, cpu: 1, memory: 2Gi}
    - {name: gpu, min_replicas: 1, cpu: 1, memory: 2Gi, gpu: {accelerator: nvidia-l4}}
  cluster: {}
"""


def write(gke: World) -> None:
    """Write the platform file, and the blueprint that it runs."""
    (gke.folder / "ray-gke.yaml").write_text(_PLATFORM)
    folder = gke.folder / "catalog" / "small"
    folder.mkdir(parents=True)
    (folder / "blueprint.yaml").write_text(_BLUEPRINT)
    (folder / "README.md").write_text("# Small\n")


@dataclass(frozen=True)
class There:
    """What is there: in the cloud, in Terraform's states, in the namespaces."""

    cloud: dict[str, dict[str, Any]]
    addresses: dict[str, list[str]]
    namespaces: dict[str, Holdings]

    @classmethod
    def of(cls, gke: World) -> There:
        """Return what is there now."""
        spaces = (NAMESPACE, OPERATOR_NAMESPACE)
        return cls(
            {f"{one.type} {one.id}": one.values for one in gke.cloud.objects()},
            {stack: addresses(gke, stack) for stack in STACKS},
            {space: holdings(gke.bed, space) for space in spaces},
        )


def comes_to(gke: World, wanted: There) -> None:
    """Wait until there is what is wanted, and nothing else; no process is left."""
    found: list[There] = []

    def same() -> bool:
        found[:] = [There.of(gke)]
        return found == [wanted]

    try:
        eventually("the same state", same, patience=30)
    except ProgramError:
        raise AssertionError(_difference(found[0], wanted)) from None
    all_is_known(gke)
    has_ended(gke)


def leaves_nothing(gke: World) -> None:
    """See to it that nothing is there, and no trace of it in the folder."""
    assert gke.cloud.objects() == []
    assert not is_there(gke.bed, NAMESPACE)
    assert not is_there(gke.bed, OPERATOR_NAMESPACE)
    assert sorted(one.name for one in gke.folder.iterdir()) == [
        "catalog",
        "ray-gke.yaml",
    ]
    has_ended(gke)


def has_ended(gke: World) -> None:
    """See to it that no process is left; a provider ends a moment after Terraform."""
    eventually("all processes to end", lambda: not gke.processes(), patience=10)


def nothing_came_twice(gke: World) -> None:
    """See to it that nobody asked for what was there: the cloud refuses it."""
    asked = gke.cloud.calls("create")
    assert [call for call in asked if call.outcome == "refused"] == []


def addresses(gke: World, stack: str) -> list[str]:
    """Return the addresses that Terraform's state of a stack has."""
    folder = gke.folder / ".ray-gke" / NAME / "terraform" / stack
    done = gke.cloud.terraform(folder, "state", "list")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def all_is_known(gke: World) -> None:
    """See to it that Terraform's states have all that is in Google's cloud."""
    known = set()
    for stack in STACKS:
        file = gke.folder / ".ray-gke" / NAME / "state" / f"{stack}.tfstate"
        state = json.loads(file.read_text()) if file.exists() else {"resources": []}
        for one in state["resources"]:
            if one["mode"] == "managed":
                ids = {each["attributes"]["id"] for each in one["instances"]}
                known |= {(one["type"], identity) for identity in ids}
    there = {(one.type, one.values["id"]) for one in gke.cloud.objects()}
    assert {one for one in there - known if one[0].startswith("google_")} == set()


def _difference(found: There, wanted: There) -> str:
    lines = []
    for name, now, then in (
        ("cloud", found.cloud, wanted.cloud),
        ("addresses", found.addresses, wanted.addresses),
    ):
        lines += [
            f"{name} {key}: {now.get(key)!r} and not {then.get(key)!r}"
            for key in sorted(now.keys() | then.keys())
            if now.get(key) != then.get(key)
        ]
    for space, then in wanted.namespaces.items():
        lines.append(f"{space}: {difference(found.namespaces[space], then)}")
    return "\n".join(lines)
