"""The platform file, ray-gke.yaml: which blueprints run where, from which catalogs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ray_gke.catalog import git, gke_keys
from ray_gke.catalog.assignments import Assigned
from ray_gke.catalog.cloud_labels import CloudLabels
from ray_gke.catalog.day_two import Logs, Metrics
from ray_gke.catalog.faults import fault
from ray_gke.catalog.image_registry import ImageRegistry
from ray_gke.catalog.locations import (
    MAX_CLUSTER_NAME,
    Cluster,
    Project,
    Region,
    Zones,
)
from ray_gke.catalog.model import Model
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.networks import Network
from ray_gke.catalog.parameters import ParameterValue
from ray_gke.catalog.platform_runs import KubeRay, Run, distinct
from ray_gke.catalog.quantities import Name
from ray_gke.catalog.state import State
from ray_gke.catalog.teams import Namespace, Team
from ray_gke.catalog.validation import in_order, validate
from ray_gke.catalog.yaml_file import Document, read
from ray_gke.catalog.yaml_values import Steps
from ray_gke.errors import InvalidError, Place, Problem


def _git_url(url: str) -> str:
    wrong = git.wrong_url(url)
    if wrong:
        raise fault(wrong, hint="for example https://github.com/team/blueprints")
    return url


def _commit(commit: str) -> str:
    wrong = git.wrong_commit(commit)
    if wrong:
        raise fault(wrong, hint="give all 40 digits, as git rev-parse prints them")
    return commit


class CatalogSource(Model):
    """Where a catalog is: a folder, or a git repository at a commit."""

    path: str | None = Field(
        default=None,
        min_length=1,
        description="Folder, beside this file; of a git repository, a folder in it",
    )
    git: Annotated[str, AfterValidator(_git_url)] | None = Field(
        default=None, description="URL of a git repository"
    )
    commit: Annotated[str, AfterValidator(_commit)] | None = Field(
        default=None, description="Full hash of the commit"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> CatalogSource:
        if self.git is None and self.path is None:
            message = "a catalog needs path, or git and commit"
            raise fault(message, hint="for example path: ../our-blueprints")
        if self.git is not None and self.commit is None:
            message = "a git catalog needs commit"
            raise fault(message, hint="pin it: commit: 40 digits", at=("git",))
        if self.git is None and self.commit is not None:
            message = "commit does not go without git"
            raise fault(message, hint="remove it, or add git", at=("commit",))
        if self.git is not None and self.path is not None:
            _inside(self.path)
        return self


def _inside(path: str) -> None:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        message = f"{path[:80]!r} leads out of the repository"
        raise fault(message, hint="give a folder inside it", at=("path",))


class PlatformSpec(Model):
    """What runs where."""

    target: Literal["local", "kubernetes", "gke"] = Field(
        default="local", description="Where it runs"
    )
    project: Project | None = Field(default=None, description="Google Cloud project")
    region: Region | None = Field(
        default=None, description="Region, such as europe-west4"
    )
    zones: Zones = Field(
        default=(),
        strict=False,
        description="Zones of nodes; GKE chooses without",
        json_schema_extra={"minItems": 1, "uniqueItems": True},
    )
    cluster: Cluster = Field(default=Cluster(), description="The GKE cluster")
    network: Network = Field(
        default=Network(), description="Its address ranges, or a network that is there"
    )
    state: State | None = Field(
        default=None,
        description="Where Terraform's state is; a folder beside this file without",
    )
    image_registry: ImageRegistry = Field(
        default=ImageRegistry(), description="How images come to the nodes"
    )
    labels: CloudLabels = Field(
        default={}, description="Labels in Google Cloud of everything, for bills"
    )
    prices: str | None = Field(
        default=None, min_length=1, description="Price file, beside this file"
    )
    namespace: Namespace | None = Field(
        default=None, description="Namespace of what has no other"
    )
    teams: dict[Namespace, Team] = Field(
        default={}, description="Teams, by name, and their defaults"
    )
    kuberay: KubeRay = Field(default=KubeRay(), description="Which KubeRay")
    logs: Logs = Field(
        default=Logs(), description="Where log files go if a blueprint does not say it"
    )
    metrics: Metrics = Field(
        default=Metrics(),
        description="Who reads the metrics if a blueprint does not say it",
    )
    catalogs: tuple[CatalogSource, ...] = Field(
        default=(), strict=False, description="Catalogs; later ones win"
    )
    blueprints: Annotated[tuple[Run, ...], AfterValidator(distinct)] = Field(
        default=(), strict=False, description="What runs"
    )

    @model_validator(mode="after")
    def _checked(self) -> PlatformSpec:
        gke_keys.check_location(self)
        gke_keys.check_target(self)
        gke_keys.check_operator(self)
        gke_keys.check_teams(self)
        return self


class PlatformMetadata(Model):
    """What the platform is called."""

    name: Name = Field(description="Name of the platform")


class PlatformFile(Model):
    """The whole file."""

    api_version: Literal["ray-gke/v1"] = Field(alias="apiVersion")
    kind: Literal["Platform"]
    metadata: PlatformMetadata = Field(description="What the platform is called")
    spec: PlatformSpec = Field(description="What runs where")

    @model_validator(mode="after")
    def _cluster_has_a_name(self) -> PlatformFile:
        name, spec = self.metadata.name, self.spec
        too_long = len(name) > MAX_CLUSTER_NAME
        if spec.target == "gke" and spec.cluster.name is None and too_long:
            message = (
                f"{name[:20]!r}… is longer than {MAX_CLUSTER_NAME} characters, the "
                "most of a cluster's name"
            )
            hint = "shorten it, or give spec.cluster.name"
            raise fault(message, hint=hint, at=("metadata", "name"))
        return self


@dataclass(frozen=True)
class Platform:
    """A platform file, checked; relative paths in it are relative to `folder`."""

    name: str
    spec: PlatformSpec
    folder: Path
    document: Document

    @property
    def prices(self) -> Path | None:
        """Return the file of the prices, if the platform has its own."""
        given = self.spec.prices
        # Path.expanduser() raises for a user that is not there.
        return self.folder / os.path.expanduser(given) if given else None  # noqa: PTH111

    def namespace(self, run: Run) -> str | None:
        """Return the run's own namespace, or its team's, or that of the platform."""
        if run.namespace or run.team is None:
            return run.namespace or self.spec.namespace
        return self.spec.teams[run.team].namespace or run.team

    def assigned(self, index: int) -> tuple[Assigned, ...]:
        """Return what the file assigns to the run number `index`, later ones win."""
        run = self.spec.blueprints[index]
        own = self._assigned(run.set, ("spec", "blueprints", index, "set"))
        if run.team is None:
            return (own,)
        given, path = self.spec.teams[run.team].set, ("spec", "teams", run.team, "set")
        return (self._assigned(given, path, shared=True), own)

    def set_for_nothing(
        self, declared: Mapping[int, Collection[str]]
    ) -> Iterator[Problem]:
        """Yield what a team sets and no blueprint of it declares.

        `declared` are the parameters of the runs by number. Nothing is said about a
        team of which some run is not known, or which has none.
        """
        for team, defaults in self.spec.teams.items():
            runs = enumerate(self.spec.blueprints)
            mine = [index for index, run in runs if run.team == team]
            if not mine or not declared.keys() >= set(mine):
                continue
            known = {name for index in mine for name in declared[index]}
            for name in defaults.set:
                if name not in known:
                    message = f"no blueprint of this team has a parameter {name[:60]!r}"
                    place = self.document.place(("spec", "teams", team, "set", name))
                    yield Problem(message, place, suggestion(name, known))

    def _assigned(
        self, values: Mapping[str, ParameterValue], path: Steps, *, shared: bool = False
    ) -> Assigned:
        def place(name: str) -> Place:
            return self.document.place((*path, name))

        return Assigned(values, place, self.folder, shared)


def load(path: Path) -> Platform:
    """Read a platform file. Raises InvalidError with everything that is wrong."""
    document = read(path, str(path))
    file, problems = validate(PlatformFile, document.data, document.place)
    if file is None:
        raise InvalidError.of(in_order(problems))
    return Platform(file.metadata.name, file.spec, path.absolute().parent, document)
