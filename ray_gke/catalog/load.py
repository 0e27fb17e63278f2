"""A blueprint's folder becomes a value in which everything is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from ray_gke.catalog import cross_checks, serve_config, workload_files
from ray_gke.catalog.assignments import AssignedAt, assign, require, stand_ins
from ray_gke.catalog.blueprint import Blueprint
from ray_gke.catalog.evaluation import Evaluation
from ray_gke.catalog.model import Model
from ray_gke.catalog.parameters import Parameter, ParameterName, ParameterValue
from ray_gke.catalog.source import read_blueprint
from ray_gke.catalog.validation import in_order, validate
from ray_gke.catalog.yaml_file import Document
from ray_gke.errors import InvalidError, Problem


@dataclass(frozen=True)
class Loaded:
    """A blueprint with its parameters' values and its files.

    `blueprint` has all expressions evaluated; `document` tells the places for errors
    that are found later. `files` are the workload's own, by their path in the folder;
    `serve_config` is the parsed Serve config of a service.
    """

    blueprint: Blueprint
    folder: Path
    parameters: Mapping[str, ParameterValue]
    files: Mapping[str, bytes]
    serve_config: Mapping[str, Any] | None
    document: Document


def load(
    folder: Path,
    assignments: Mapping[str, ParameterValue],
    *,
    complete: bool = True,
    display: str | None = None,
    assigned_at: AssignedAt | None = None,
    base: Path = Path(),
) -> Loaded:
    """Read the blueprint in `folder`, with these parameters set.

    Raises InvalidError with everything that is wrong with the files, and UsageError
    for an assignment that does not fit, or InvalidError when `assigned_at` tells the
    places in a file where assignments stand. A parameter that must be set and is not
    gets some value of its type unless the parameters must be `complete`. `display` is
    the folder's name in errors; assigned relative paths are relative to `base`.
    """
    source = _Source.read(folder, display or str(folder))
    if source.problems:
        raise InvalidError.of(_attempt(source, {}).problems)
    values = assign(source.parameters, assignments, assigned_at, base)
    if complete:
        require(source.parameters, values)
    first = _attempt(source, values)
    if first.problems:
        raise InvalidError.of(first.problems)
    for more in stand_ins(source.parameters, values):
        loaded = first.loaded or _attempt(source, more).loaded
        if loaded:
            return loaded
    require(source.parameters, values)
    raise AssertionError(folder)


class _Parameters(Model):
    parameters: dict[ParameterName, Parameter] = Field(default={})


@dataclass(frozen=True)
class _Source:
    """What the files of a blueprint say, before any parameter has a value."""

    folder: Path
    display: str
    document: Document
    parameters: Mapping[str, Parameter]
    problems: list[Problem]

    @classmethod
    def read(cls, folder: Path, display: str) -> _Source:
        document = read_blueprint(folder, display)
        declared = {k: v for k, v in document.data.items() if k == "parameters"}
        model, problems = validate(_Parameters, declared, document.place)
        parameters = model.parameters if model else {}
        return cls(folder, display, document, parameters, problems)

    @property
    def names(self) -> frozenset[str]:
        """The declared parameters, whether or not they are declared well."""
        declared = self.document.data.get("parameters")
        return frozenset(declared) if isinstance(declared, dict) else frozenset()


@dataclass(frozen=True)
class _Attempt:
    """What came of reading with some values; nothing, when too many are open."""

    loaded: Loaded | None
    problems: list[Problem]


def _attempt(source: _Source, values: Mapping[str, ParameterValue]) -> _Attempt:
    document, open_names = source.document, source.names - values.keys()
    evaluation = Evaluation(values, open_names, document.place)
    data = {
        key: evaluation.of(value, (key,)) if key == "spec" else value
        for key, value in document.data.items()
    }
    blueprint, problems = validate(Blueprint, data, document.place, evaluation.unknown)
    files, of_files = workload_files.read(source.folder, source.display)
    problems += source.problems + evaluation.problems + of_files
    problems += cross_checks.names(data, source.folder, document.place)
    serve = None
    if not of_files:
        problems += cross_checks.entrypoint(data, files, document.place)
        asked = serve_config.Asked(files, source.display, values, open_names)
        serve, of_serve = serve_config.read(data, asked, document.place)
        problems += of_serve
    if problems or blueprint is None:
        return _Attempt(None, in_order(problems))
    loaded = Loaded(blueprint, source.folder, values, files, serve, document)
    return _Attempt(loaded, [])
