"""A blueprint's folder becomes a value in which everything is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from ray_gke.catalog import cross_checks, serve_config, workload_files
from ray_gke.catalog.assignments import Assigned, assign, require, stand_ins
from ray_gke.catalog.blueprint import Blueprint, Metadata
from ray_gke.catalog.evaluation import Evaluation
from ray_gke.catalog.model import Model
from ray_gke.catalog.parameters import Parameter, ParameterName, ParameterValue
from ray_gke.catalog.source import read_blueprint
from ray_gke.catalog.validation import in_order, validate
from ray_gke.catalog.workloads import kinds
from ray_gke.catalog.yaml_file import Document
from ray_gke.errors import InvalidError, Problem

_MAX_ATTEMPTS = 64


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


@dataclass(frozen=True)
class Declared:
    """What a blueprint says of itself, whatever its parameters are set to.

    `kind` is cluster, job or service.
    """

    metadata: Metadata
    parameters: Mapping[str, Parameter]
    kind: str


def load(
    folder: Path,
    assignments: Mapping[str, ParameterValue],
    *,
    display: str | None = None,
    in_files: Sequence[Assigned] = (),
) -> Loaded:
    """Read the blueprint in `folder`, with these parameters set.

    `assignments` are those of the command line, and win over those `in_files`. Raises
    InvalidError with everything that is wrong with the files, and UsageError for an
    assignment of the command line. `display` is the folder's name in errors.
    """
    source = _Source.read(folder, display or str(folder))
    values = assign(source.parameters, assignments, in_files)
    require(source.parameters, values)
    return _loaded(source, values)


def check(folder: Path, *, display: str | None = None) -> Loaded | None:
    """Read the blueprint in `folder` before anybody sets its parameters.

    Raises InvalidError with everything that is wrong whatever they will be. A
    parameter without a default gets some value that fits; the result is None when no
    such value was found, which says nothing against the blueprint.
    """
    source = _Source.read(folder, display or str(folder))
    values = assign(source.parameters, {})
    _raise(_attempt(source, values).problems)
    return _fitting(source, values)


def declared(folder: Path, *, display: str | None = None) -> Declared:
    """Return what the blueprint in `folder` says of itself.

    Raises InvalidError as `check` does.
    """
    source = _Source.read(folder, display or str(folder))
    _raise(_attempt(source, assign(source.parameters, {})).problems)
    data = source.document.data
    metadata = Metadata.model_validate(data["metadata"])
    return Declared(metadata, source.parameters, "".join(kinds(data["spec"])[:1]))


class _Parameters(Model):
    parameters: dict[ParameterName, Parameter] = Field(default={})


@dataclass(frozen=True)
class _Source:
    """What the files of a blueprint say, before any parameter has a value."""

    folder: Path
    display: str
    document: Document
    parameters: Mapping[str, Parameter]
    files: Mapping[str, bytes]
    of_files: list[Problem]

    @classmethod
    def read(cls, folder: Path, display: str) -> _Source:
        """Read all files; raises InvalidError unless the parameters are declared well.

        The error has everything else that is wrong, too.
        """
        document = read_blueprint(folder, display)
        given = {k: v for k, v in document.data.items() if k == "parameters"}
        model, problems = validate(_Parameters, given, document.place)
        parameters = model.parameters if model else {}
        files, of_files = workload_files.read(folder, display)
        source = cls(folder, display, document, parameters, files, of_files)
        if problems:
            _raise(in_order(problems + _attempt(source, {}).problems))
        return source

    @property
    def names(self) -> frozenset[str]:
        """The declared parameters, whether or not they are declared well."""
        given = self.document.data.get("parameters")
        return frozenset(given) if isinstance(given, dict) else frozenset()


@dataclass(frozen=True)
class _Attempt:
    """What came of reading with some values; nothing, when too many are open."""

    loaded: Loaded | None
    problems: list[Problem]


def _raise(problems: list[Problem]) -> None:
    if problems:
        raise InvalidError.of(problems)


def _loaded(source: _Source, values: Mapping[str, ParameterValue]) -> Loaded:
    attempt = _attempt(source, values)
    if attempt.loaded is None:
        raise InvalidError.of(attempt.problems)
    return attempt.loaded


def _fitting(source: _Source, values: Mapping[str, ParameterValue]) -> Loaded | None:
    """Return what comes of some values for the open parameters, if any fit.

    They are set one after the other: while the others are open, what is wrong is
    wrong because of those that are set.
    """
    waiting = [values]
    for _ in range(_MAX_ATTEMPTS):
        if not waiting:
            break
        chosen = waiting.pop()
        attempt = _attempt(source, chosen)
        if attempt.problems:
            continue
        still_open = [name for name in source.parameters if name not in chosen]
        if not still_open:
            return attempt.loaded
        candidates = stand_ins(source.parameters[still_open[0]])
        waiting += [{**chosen, still_open[0]: value} for value in candidates[::-1]]
    return None


def _attempt(source: _Source, values: Mapping[str, ParameterValue]) -> _Attempt:
    document, open_names = source.document, source.names - values.keys()
    evaluation = Evaluation(values, open_names, document.place)
    data = {
        key: evaluation.of(value, (key,)) if key == "spec" else value
        for key, value in document.data.items()
    }
    blueprint, problems = validate(Blueprint, data, document.place, evaluation.unknown)
    files, of_files = source.files, source.of_files
    problems += evaluation.problems + of_files
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
