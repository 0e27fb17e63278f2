"""A platform on GKE whose Google Cloud is a folder: Terraform's half of `up`, in
this process.

There is no Kubernetes: what the clusters would be asked for is not asked for.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ray_gke import selection
from ray_gke.commands import on_gke
from ray_gke.events import Emit, Event, Note
from ray_gke.targets.gke import up
from ray_gke.targets.gke.stacks import Outputs, Stacks
from ray_gke.targets.terraform.changes import Changes
from tests.google.apis import GoogleApis, endpoints
from tests.terraform import program
from tests.terraform.cloud import Cloud

PLATFORM = """\
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: demo}
spec:
  target: gke
  project: some-project
  region: us-central1
  zones: [us-central1-a]
  cluster: {location: zonal, deletion_protection: false}
  catalogs: [{path: catalog}]
  blueprints:
    - {blueprint: squares}
    - {blueprint: shared}
"""
_SHARED = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: shared, summary: Pods that take turns on a T4}
spec:
  worker_groups:
    - name: shared
      max_replicas: 4
      cpu: 1
      memory: 3Gi
      gpu:
        accelerator: nvidia-tesla-t4
        sharing: {strategy: time-sharing, max_shared_clients_per_gpu: 4}
  cluster: {}
"""
_NOWHERE = "127.0.0.1:1"
ASKED_AGAIN = ("google_project_service", "_iam_member")
"""What may be created twice: to ask for it again does no harm."""


@dataclass
class Site:
    """A folder with a platform file, its cloud, and all that `up` has told so far."""

    folder: Path
    cloud: Cloud
    events: list[Event] = field(default_factory=list)

    @classmethod
    def new(cls, folder: Path, platform: str = PLATFORM) -> Site:
        """Return one whose cloud is empty, or skip: it needs Terraform and Go."""
        blueprint = folder / "catalog" / "shared"
        blueprint.mkdir(parents=True)
        (blueprint / "blueprint.yaml").write_text(_SHARED)
        (blueprint / "README.md").write_text("# shared\n")
        (folder / "ray-gke.yaml").write_text(platform)
        try:
            program.terraform()
            cloud = Cloud(folder / "cloud")
        except program.MissingProgram as missing:
            pytest.skip(str(missing))
        authority = folder / "ca.pem"
        authority.write_text("none")
        cloud.serve_clusters_at(_NOWHERE, authority)
        return cls(folder, cloud)

    def copy(self, folder: Path) -> Site:
        """Return another one that is as far as this one."""
        shutil.copytree(self.folder, folder, symlinks=True)
        (folder / "cloud" / "calls.jsonl").unlink(missing_ok=True)
        return Site(folder, Cloud(folder / "cloud"))

    def copy_of_nothing(self, folder: Path) -> Site:
        """Return another one of which nothing is there but its providers."""
        copied = self.copy(folder)
        (copied.cloud.folder / "objects.json").unlink()
        kept = folder / ".ray-gke" / "demo"
        (kept / "outputs.json").unlink()
        for made in ("logs", "state"):
            shutil.rmtree(kept / made)
        return copied

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Let this process be called as a command is, logged in, in the folder.

        Google's APIs are not to be reached, until `google` opens them.
        """
        nowhere = endpoints(f"http://{_NOWHERE}")
        for name, value in (self.cloud.env() | nowhere).items():
            patch.setenv(name, value)
        patch.setenv("RAY_GKE_TERRAFORM", str(program.terraform()))
        patch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "some-token")
        patch.chdir(self.folder)

    @contextlib.contextmanager
    def google(self, patch: pytest.MonkeyPatch) -> Iterator[GoogleApis]:
        """Let this process reach Google's APIs, for as long as the block takes."""
        with GoogleApis(self.cloud, "some-project") as apis:
            for name, value in apis.env().items():
                patch.setenv(name, value)
            yield apis

    def whole(self) -> on_gke.Whole:
        """Return the platform as its file says now."""
        whole, _ = on_gke.chosen(selection.choose(None), None, (), None)
        return whole

    def stacks(self, again: str = "ray-gke up") -> Stacks:
        """Return the stacks, for what is not done by a whole `up`."""
        return self.whole().stacks(again)

    def up(
        self, confirm: Callable[[str], bool] = lambda _: True, emit: Emit | None = None
    ) -> Outputs:
        """Bring the cloud up as `ray-gke up` does, with --yes unless told otherwise."""
        whole = self.whole()
        stacks, emit = whole.stacks("ray-gke up"), emit or self.events.append
        platform = stacks.platform(whole.variables("platform"))
        planned = up.plan(stacks, platform, emit, confirm)
        return up.make(stacks, platform, planned, emit)

    def plan(self) -> Changes:
        """Return what an `up` would do in the cloud."""
        whole = self.whole()
        platform = whole.stacks("ray-gke plan").platform(whole.variables("platform"))
        return platform.plan(self.events.append, lock=False).changes

    def destroy(self, variables: Mapping[str, Any] | None = None) -> None:
        """Take away all that Terraform knows of, as the last step of `down` does."""
        platform = self.stacks("ray-gke down").platform(variables)
        planned = platform.plan(self.events.append, destroy=True)
        platform.apply(planned, self.events.append, "remove platform")

    def notes(self) -> list[str]:
        """Return what was told in words."""
        return [one.text for one in self.events if isinstance(one, Note)]

    def there(self) -> dict[str, dict[str, Any]]:
        """Return what the cloud has: values by type and id."""
        return {f"{one.type} {one.id}": one.values for one in self.cloud.objects()}

    def known(self) -> set[str]:
        """Return what the state has, as `there` names it."""
        file = self.folder / ".ray-gke" / "demo" / "state" / "platform.tfstate"
        if not file.is_file():
            return set()
        resources = json.loads(file.read_text())["resources"]
        return {
            f"{one['type']} {instance['attributes']['id']}"
            for one in resources
            if one["mode"] == "managed"
            for instance in one["instances"]
        }

    def made_twice(self) -> list[str]:
        """Return what was created more than once, but what may be."""
        done = [
            f"{call.type} {call.id}"
            for call in self.cloud.calls("create")
            if call.outcome == "done" and not call.type.endswith(ASKED_AGAIN)
        ]
        return sorted({one for one in done if done.count(one) > 1})
