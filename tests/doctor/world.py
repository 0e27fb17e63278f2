"""A platform file, Google's APIs on loopback, registries and Terraform as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ray_gke import selection
from ray_gke.commands import on_gke
from ray_gke.errors import RefusedError
from ray_gke.gke.image_names import ImageName
from ray_gke.targets.gke import doctor
from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.gke.doctor.findings import Finding, Report
from ray_gke.targets.gke.doctor.here import Here
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.client import Google
from ray_gke.targets.terraform.programs import Program
from ray_gke.targets.terraform.working_copy import WorkingCopy
from tests.google.apis import GoogleApis

PROJECT, REGION = "my-project", "us-central1"
HEAD = f"""\
apiVersion: ray-gke/v1
kind: Platform
metadata: {{name: demo}}
spec:
  target: gke
  project: {PROJECT}
  region: {REGION}
  namespace: ray
  catalogs: [{{path: catalog}}]
  blueprints: [{{blueprint: small}}]
"""
ZONES = "  zones: [us-central1-a, us-central1-b]\n"
GROUPS = """\
    - {name: l4, min_replicas: 1, max_replicas: 4, gpu: {accelerator: nvidia-l4}}
    - name: spot
      provisioning: spot
      max_replicas: 2
      machine_type: n1-standard-4
      gpu: {accelerator: nvidia-tesla-t4}
    - name: h100
      max_replicas: 8
      machine_type: a3-highgpu-8g
      gpu: {accelerator: nvidia-h100-80gb}
    - name: g4
      max_replicas: 1
      gpu: {accelerator: nvidia-rtx-pro-6000}
"""
"""One GPU each of: an own quota, Spot, a quota by family, a version of GKE."""


def write(folder: Path, platform: str = ZONES, groups: str = GROUPS) -> None:
    """Write the platform file, with these keys more, and its blueprint."""
    blueprint = folder / "catalog" / "small"
    blueprint.mkdir(parents=True, exist_ok=True)
    (folder / "ray-gke.yaml").write_text(HEAD + platform)
    (blueprint / "README.md").write_text("# Small\n")
    (blueprint / "blueprint.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Blueprint\n"
        "metadata: {name: small, summary: A bit of everything}\n"
        f"spec:\n  worker_groups:\n{groups}  cluster: {{}}\n"
    )


def no_terraform() -> Program:
    raise RefusedError("there is no Terraform on this machine", hint="install it")


def nobody() -> Google:
    raise RefusedError(
        "there are no credentials for Google Cloud: none were found",
        hint="log in with gcloud auth application-default login",
    )


def without_token() -> Google:
    """Return one that Google does not know, and refuses."""
    from google.auth.credentials import AnonymousCredentials

    return Google(Credentials(AnonymousCredentials()), PROJECT)


def counting_against_teams(patient: Patient) -> Callable[[], Google]:
    """Return how somebody logs in whose login names a project that he may not use."""
    from google.oauth2.credentials import Credentials as UserCredentials

    patient.google.state.not_for_quota = {"teams-project"}
    make: Any = UserCredentials  # without types of its own
    found = make("some-token", quota_project_id="teams-project")
    return lambda: Google(Credentials(found), PROJECT)


@dataclass
class Patient:
    """What `doctor` looks at. Nothing stands in its way at first.

    `missing` are images that a registry does not have, and those `hidden` it does not
    tell of. Sites in `silent` do not answer, with what they say instead. It was `told`
    what is waited for, by `sleep`.
    """

    folder: Path
    google: GoogleApis
    find: Callable[[], Program] = lambda: Program(("terraform",), "1.11.4")
    missing: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    silent: dict[str, str] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    sleep: Callable[[float], object] = lambda _: None
    login: Callable[[], Google] | None = None
    project: str = PROJECT

    @property
    def copy(self) -> WorkingCopy:
        """The folder of Terraform's stacks."""
        return WorkingCopy.beside(self.folder, "demo")

    def needs(self) -> doctor.Needs:
        """Return what the platform needs, as its files say now."""
        choice = selection.choose(self.folder / "ray-gke.yaml")
        whole, _ = on_gke.chosen(choice, None, (), None)
        return whole.needs()

    def world(self) -> doctor.World:
        """Return who is asked."""
        here = Here(self.copy, self.find, self.stored, self._reach)
        login = self.login or self._login
        return doctor.World(login, self._exists, here, self.told.append, self.sleep)

    def examine(self) -> Report:
        """Return what `doctor` finds."""
        return doctor.examine(self.needs(), self.world())

    def stored(self, url: str) -> bool | Unread:
        """Tell whether Cloud Storage has an object."""
        return (self.login or self._login)().object_exists(url)

    def find_one(self, check: str, subject: str) -> Finding:
        """Return the only finding about something."""
        found = [
            one
            for one in self.examine().findings
            if (one.check, one.subject) == (check, subject)
        ]
        assert len(found) == 1, found
        return found[0]

    def made(self, *resources: tuple[str, str]) -> None:
        """Let Terraform's state have these, by type and id."""
        file = self.copy.state("platform")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_state(resources))

    def apply_was_interrupted(self) -> None:
        """Let an apply of Terraform's have begun something, and not have ended."""
        log = self.copy.log("platform-apply")
        log.parent.mkdir(parents=True)
        resource = {"addr": "module.network.google_compute_network.this[0]"}
        begun = {
            "@level": "info",
            "@message": "Creating...",
            "@timestamp": "2026-01-02T03:04:05.678901Z",
            "type": "apply_start",
            "hook": {"resource": resource, "action": "create"},
        }
        log.write_text(json.dumps(begun) + "\n")

    def _login(self) -> Google:
        return Google(Credentials.default(), self.project)

    def _exists(self, name: ImageName) -> bool | None:
        if str(name) in self.hidden:
            return None
        return str(name) not in self.missing

    def _reach(self, url: str) -> str | None:
        self.reached.append(url)
        return next((why for host, why in self.silent.items() if host in url), None)


def _state(resources: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(
        {
            "version": 4,
            "resources": [
                {
                    "mode": "managed",
                    "type": kind,
                    "name": "this",
                    "instances": [{"attributes": {"id": identity}}],
                }
                for kind, identity in resources
            ],
        }
    )


@contextmanager
def patient(folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Patient]:
    """Give one, logged in, with a configuration of Terraform's that names nothing."""
    write(folder)
    configuration = folder / "terraform.rc"
    configuration.write_text("provider_installation {\n  direct {}\n}\n")
    with GoogleApis(project=PROJECT) as google, pytest.MonkeyPatch.context() as patch:
        for name, value in {**google.env(), **(env or {})}.items():
            patch.setenv(name, value)
        patch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "some-token")
        patch.setenv("TF_CLI_CONFIG_FILE", str(configuration))
        yield Patient(folder, google)
