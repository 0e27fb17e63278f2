"""A Google Cloud and a Kubernetes in a folder, for Terraform itself to work on.

`Cloud(folder)` gives Terraform stand-ins for the google, kubernetes and helm
providers, with their real schemas, from a mirror in the file system. What they
make, and what a test wants to go wrong, are files of the folder; `stand_in/` is
the program, `behaviours/` what it knows about each type.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.terraform import failures, program

HERE = Path(__file__).parent
VERSIONS: Mapping[str, str] = {
    "google": "7.45.0",
    "kubernetes": "3.2.1",
    "helm": "3.1.2",
}
"""The versions whose schemas are in `schemas/`."""

_FAULTS = ("refusals", "stalls", "deaths")
Leaves = Literal["", "orphan", "object"]


@dataclass(frozen=True)
class Object:
    """Something that the cloud has."""

    type: str
    id: str
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Call:
    """Something that a provider asked of the cloud.

    `outcome` is `done`, `refused` or `died` (nothing was done).
    """

    number: int
    operation: str
    type: str
    name: str
    id: str
    outcome: str


class Cloud:
    """The stand-in providers over one folder, which is made where it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._configuration = folder / "terraform.rc"
        _mirror(program.stand_in(), folder / "mirror")
        self._configuration.write_text(_configuration(folder / "mirror"))

    def env(self) -> dict[str, str]:
        """Return what a Terraform process needs in its environment, and no more.

        It is whole: the environment of this process is not looked at, besides
        PATH and HOME.
        """
        own = {
            name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
        }
        return own | {
            "CHECKPOINT_DISABLE": "1",
            # Short processes: what they collect is not worth the time.
            "GOGC": "off",
            "RAY_GKE_STAND_IN_CLOUD": str(self.folder),
            "RAY_GKE_STAND_IN_DATA": str(HERE),
            "TF_CLI_CONFIG_FILE": str(self._configuration),
            "TF_IN_AUTOMATION": "1",
        }

    def terraform(
        self, root: Path, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Terraform in `root` on this cloud, and return how it ended."""
        return subprocess.run(
            [str(program.terraform()), *arguments],
            cwd=root,
            env=self.env(),
            check=False,
            capture_output=True,
            text=True,
        )

    def objects(self, kind: str = "") -> list[Object]:
        """Return what is there, of one resource type or of all, in order of type."""
        there = self._read("objects.json").get("objects", {})
        return [
            Object(one["type"], one["id"], one["values"])
            for _, one in sorted(there.items())
            if kind in ("", one["type"])
        ]

    def calls(self, operation: str = "", kind: str = "") -> list[Call]:
        """Return what was asked so far, of one operation and resource type or all.

        Operations are `create`, `read`, `update` and `delete`.
        """
        file = self.folder / "calls.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        told = [Call(**json.loads(line)) for line in lines]
        return [
            call
            for call in told
            if operation in ("", call.operation) and kind in ("", call.type)
        ]

    def refuse(  # noqa: PLR0913 - what, how often, and with what result
        self,
        kind: str = "",
        name: str = "",
        *,
        error: str,
        operation: str = "",
        times: int = 0,
        leaves: Leaves = "",
    ) -> None:
        """Answer what matches with an error: always, or only the first `times` times.

        `kind` and `name` are patterns (`google_compute_*`); empty is any. A call
        that is refused does nothing, or `leaves` an `orphan` (made, but Terraform
        is not told) or an `object` (made, told, and marked by Terraform as tainted).
        """
        with self._faults() as faults:
            number = len(faults["refusals"])
            faults["refusals"].append(
                {
                    "key": f"{os.urandom(4).hex()}-{number}",
                    "type": kind,
                    "name": name,
                    "operation": operation,
                    "error": error,
                    "times": times,
                    "leaves": leaves,
                }
            )

    def lose_network(self, times: int = 0) -> None:
        """Answer all calls, or the first `times`, as where there is no network."""
        self.refuse(error=failures.network_lost(), times=times)

    def stall(
        self, kind: str = "", name: str = "", *, seconds: float, operation: str = ""
    ) -> None:
        """Answer what matches late: it is done at once, and told after `seconds`."""
        with self._faults() as faults:
            faults["stalls"].append(
                {"type": kind, "name": name, "operation": operation, "seconds": seconds}
            )

    def die_at(self, number: int, *, before: bool = False) -> None:
        """Let a provider end without an answer at the `number`-th change from now.

        A change is a create, update or delete of any provider. It is done, or,
        with `before`, not.
        """
        with self._faults() as faults:
            done = self._read("objects.json").get("calls", 0)
            faults["deaths"].append({"at": done + number, "before": before})

    def set_values(self, kind: str, values: Mapping[str, Any]) -> None:
        """Give objects of a type these computed values, by path, from now on."""
        with self._faults() as faults:
            faults["values"].setdefault(kind, {}).update(values)

    def serve_clusters_at(self, address: str, ca: Path) -> None:
        """Give each new GKE cluster this endpoint (HOST:PORT) and authority."""
        encoded = base64.b64encode(ca.read_bytes()).decode()
        auth = {"client_certificate": "", "client_key": ""}
        dns = "control_plane_endpoints_config.dns_endpoint_config"
        config = {"endpoint": address, "allow_external_traffic": True}
        self.set_values(
            "google_container_cluster",
            {
                "endpoint": address,
                "master_auth": [{**auth, "cluster_ca_certificate": encoded}],
                "control_plane_endpoints_config": [{"dns_endpoint_config": [config]}],
                dns: [config],
                f"{dns}.endpoint": address,
            },
        )

    def require_apis(self) -> None:
        """Refuse what belongs to an API without its `google_project_service`."""
        with self._faults() as faults:
            faults["apis_must_be_enabled"] = True

    def clear(self) -> None:
        """Take back refusals, stalls and deaths; all else stays as it is."""
        with self._faults() as faults:
            for name in _FAULTS:
                faults[name] = []

    def drift(self, kind: str, name: str, values: Mapping[str, Any] | None) -> None:
        """Change an object behind Terraform's back, or remove it (`None`).

        Each value replaces the one of that attribute or block.
        """
        with self._locked("objects.json") as there:
            found = [
                key
                for key, one in there.get("objects", {}).items()
                if one["type"] == kind and f"/{one['id']}".endswith(f"/{name}")
            ]
            if not found:
                raise LookupError(f"there is no {kind} called {name!r}")
            for key in found:
                if values is None:
                    del there["objects"][key]
                else:
                    there["objects"][key]["values"].update(values)

    def put(self, kind: str, identity: str, values: Mapping[str, Any]) -> None:
        """Add an object that Terraform did not make, as a controller in GKE does."""
        with self._locked("objects.json") as there:
            one = {"type": kind, "id": identity, "values": {"id": identity, **values}}
            there.setdefault("objects", {})[f"{kind}/{identity}"] = one

    def _read(self, name: str) -> dict[str, Any]:
        file = self.folder / name
        return dict(json.loads(file.read_text())) if file.exists() else {}

    @contextmanager
    def _faults(self) -> Iterator[dict[str, Any]]:
        with self._locked("faults.json") as faults:
            for name in _FAULTS:
                faults.setdefault(name, [])
            faults.setdefault("values", {})
            yield faults

    @contextmanager
    def _locked(self, name: str) -> Iterator[dict[str, Any]]:
        """Read a file, and write what is changed, while no provider does."""
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            held = self._read(name)
            yield held
            unfinished = self.folder / f"{name}.new"
            unfinished.write_text(json.dumps(held, indent=2))
            unfinished.replace(self.folder / name)


def _mirror(stand_in: Path, mirror: Path) -> None:
    """Write the folders that `filesystem_mirror` of Terraform reads."""
    for name, version in VERSIONS.items():
        folder = mirror / "registry.terraform.io" / "hashicorp" / name / version
        provider = folder / program.PLATFORM / f"terraform-provider-{name}_v{version}"
        if not provider.exists():
            provider.parent.mkdir(parents=True, exist_ok=True)
            _link(stand_in, provider)


def _link(source: Path, target: Path) -> None:
    """Link, as the program is large, or copy from another file system."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _configuration(mirror: Path) -> str:
    return (
        "provider_installation {\n"
        f"  filesystem_mirror {{\n    path = {json.dumps(str(mirror))}\n  }}\n"
        "}\n"
    )
