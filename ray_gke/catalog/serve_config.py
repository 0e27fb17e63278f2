"""The Serve config file that a service's blueprint names."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ray_gke.catalog.cross_checks import missing, text
from ray_gke.catalog.evaluation import Evaluation
from ray_gke.catalog.serve_schema import ServeConfig
from ray_gke.catalog.validation import Where, validate
from ray_gke.catalog.yaml_file import parse
from ray_gke.errors import InvalidError, Problem

_FIELD = ("spec", "service", "serve_config")


@dataclass(frozen=True)
class Asked:
    """What a Serve config is read with: the folder's files and the parameters."""

    files: Mapping[str, bytes]
    display: str
    values: Mapping[str, Any]
    open_names: frozenset[str]


def read(
    data: Mapping[str, Any], asked: Asked, where: Where
) -> tuple[Mapping[str, Any] | None, list[Problem]]:
    """Return the Serve config that the blueprint's data names, and what is wrong.

    `where` tells the places in the blueprint.
    """
    path = text(data, *_FIELD)
    if not path:
        return None, []
    problems = list(missing(path, asked.files, where, _FIELD))
    if problems:
        return None, problems
    try:
        document = parse(
            asked.files[posixpath.normpath(path)], f"{asked.display}/{path}"
        )
    except InvalidError as error:
        return None, list(error.problems)
    evaluation = Evaluation(asked.values, asked.open_names, document.place)
    config = evaluation.of(document.data)
    _, found = validate(ServeConfig, config, document.place, evaluation.unknown)
    return config, evaluation.problems + found
