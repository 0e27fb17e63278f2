"""The platform file, ray-gke.yaml: which blueprints run where, from which catalogs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ray_gke import versions
from ray_gke.catalog import git
from ray_gke.catalog.assignments import AssignedAt
from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model
from ray_gke.catalog.parameters import ParameterValue
from ray_gke.catalog.quantities import Name
from ray_gke.catalog.validation import in_order, validate
from ray_gke.catalog.yaml_file import Document, read
from ray_gke.catalog.yaml_values import Steps
from ray_gke.errors import InvalidError


def _known_kuberay(version: str) -> str:
    if version not in versions.KUBERAY_VERSIONS:
        message = f"KubeRay {version[:20]} is not known"
        raise fault(message, hint=f"use {' or '.join(versions.KUBERAY_VERSIONS)}")
    return version


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


class KubeRay(Model):
    """Which KubeRay the rendered objects are for."""

    version: Annotated[str, AfterValidator(_known_kuberay)] | None = Field(
        default=None, description=f"One of {', '.join(versions.KUBERAY_VERSIONS)}"
    )


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


class Run(Model):
    """A blueprint that runs on the platform."""

    blueprint: str = Field(min_length=1, description="Its name in a catalog, or a path")
    name: Name | None = Field(
        default=None, description="Name of the run; the blueprint's without"
    )
    set: dict[str, ParameterValue] = Field(
        default={}, description="Values of its parameters"
    )


def _distinct(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    names = [run.name or run.blueprint for run in runs]
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"two runs are called {name!r}"
            at = (index, "name" if runs[index].name else "blueprint")
            raise fault(message, hint="give each its own name", at=at)
    return runs


class PlatformSpec(Model):
    """What runs where."""

    target: Literal["local"] = Field(default="local", description="Where it runs")
    kuberay: KubeRay = Field(default=KubeRay(), description="Which KubeRay")
    catalogs: tuple[CatalogSource, ...] = Field(
        default=(), strict=False, description="Catalogs; later ones win"
    )
    blueprints: Annotated[tuple[Run, ...], AfterValidator(_distinct)] = Field(
        default=(), strict=False, description="What runs"
    )


class PlatformMetadata(Model):
    """What the platform is called."""

    name: Name = Field(description="Name of the platform")


class PlatformFile(Model):
    """The whole file."""

    api_version: Literal["ray-gke/v1"] = Field(alias="apiVersion")
    kind: Literal["Platform"]
    metadata: PlatformMetadata = Field(description="What the platform is called")
    spec: PlatformSpec = Field(description="What runs where")


@dataclass(frozen=True)
class Platform:
    """A platform file, checked; relative paths in it are relative to `folder`."""

    name: str
    spec: PlatformSpec
    folder: Path
    document: Document

    def assigned_at(self, index: int) -> AssignedAt:
        """Return what tells the place of a parameter of the run number `index`."""
        path: Steps = ("spec", "blueprints", index, "set")
        return lambda name: self.document.place((*path, name))


def load(path: Path) -> Platform:
    """Read a platform file. Raises InvalidError with everything that is wrong."""
    document = read(path, str(path))
    file, problems = validate(PlatformFile, document.data, document.place)
    if file is None:
        raise InvalidError.of(in_order(problems))
    return Platform(file.metadata.name, file.spec, path.absolute().parent, document)
