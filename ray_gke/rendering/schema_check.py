"""The check of rendered objects against the schemas of Kubernetes and KubeRay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from ray_gke import versions
from ray_gke.catalog.nearest import suggestion
from ray_gke.rendering import names
from ray_gke.rendering.templates import Manifest

Path = tuple[str | int, ...]

_LONGEST = 200


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field of an object, and what to do next."""

    path: Path
    message: str
    hint: str | None = None


def faults(one: Manifest, kuberay_version: str) -> Iterator[Fault]:
    """Yield what the schemas say against an object."""
    validator = _validator(str(one.get("kind")), kuberay_version)
    if validator is None:
        kinds = [name for name in _types(kuberay_version) if _is_kind(name)]
        hint = suggestion(str(one.get("kind")), kinds)
        yield Fault(("kind",), f"unknown kind {one.get('kind')}", hint)
        return
    for error in validator.iter_errors(one):
        yield from _faults(error, kuberay_version)


def _faults(error: Any, kuberay_version: str) -> Iterator[Fault]:
    path: Path = tuple(error.instance_path)
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        owner, known = _owner(error, kuberay_version)
        for key in kind.unexpected:
            yield _unknown((*path, key), owner, key, known, kuberay_version)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield Fault((*path, kind.property), "is required")
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Enum):
        hint = suggestion(str(error.instance), map(str, kind.options))
        yield Fault(path, f"{_short(error.instance)} is not one of its values", hint)
    elif name := _name_type(error):
        yield _misnamed(path, error, name)
    else:
        yield Fault(path, _middle_out(error.message))


def _name_type(error: Any) -> str | None:
    """The type of names whose pattern was not met, if it was one."""
    # The path leads through the references: $defs, the type, pattern.
    steps = error.schema_path
    return steps[1] if steps[-1] == "pattern" and steps[1] in names.HINTS else None


def _misnamed(path: Path, error: Any, name: str) -> Fault:
    hint = f"it consists of {names.HINTS[name]}"
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.PropertyNames):
        key = str(error.kind.error.instance)
        return Fault((*path, key), "Kubernetes refuses this key", hint)
    word = "value" if name == "LabelValue" else "name"
    message = f"Kubernetes refuses the {word} {_short(error.instance)}"
    return Fault(path, message, hint)


def _unknown(
    path: Path, owner: str, key: str, known: Mapping[str, Any], kuberay_version: str
) -> Fault:
    since = versions.KUBERAY_SINCE.get(f"{owner}.{key}")
    if since:
        message = f"KubeRay {kuberay_version} does not have this field"
        return Fault(path, message, f"use KubeRay {since} or later, or leave it out")
    return Fault(path, "unknown field", suggestion(key, known))


def _owner(error: Any, kuberay_version: str) -> tuple[str, Mapping[str, Any]]:
    """The Go type whose fields are closed there, if it has a name, and its fields."""
    steps = error.schema_path[:-1]
    schema: Any = {"$defs": _types(kuberay_version)}
    for step in steps:
        schema = schema[step]
    return (steps[1] if len(steps) == 2 else ""), schema["properties"]  # noqa: PLR2004


def _short(value: object) -> str:
    return _middle_out(json.dumps(value, default=str))


def _middle_out(text: str) -> str:
    """Shorten a text that begins with a value, which may be a whole object."""
    return text if len(text) <= _LONGEST else f"{text[:60]} ... {text[-60:]}"


@cache
def _validator(kind: str, kuberay_version: str) -> Any:
    types = _types(kuberay_version)
    if not _is_kind(kind) or kind not in types:
        return None
    return jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": types,
            "$ref": f"#/$defs/{kind}",
            "required": ["apiVersion", "kind", "metadata"],
            "properties": {"metadata": {"required": ["name"]}},
        }
    )


def _is_kind(name: str) -> bool:
    fields = _types(versions.KUBERAY_VERSIONS[0]).get(name, {}).get("properties", {})
    return {"apiVersion", "kind", "metadata"} <= set(fields)


@cache
def _types(kuberay_version: str) -> dict[str, Any]:
    types = _file(f"kubernetes-{versions.KUBERNETES_VERSION}")
    types |= _file(f"kuberay-{versions.KUBERAY_VERSIONS[0]}")
    # From the definitions of prometheus-operator v0.85.0, prometheus-engine v0.17.2.
    types |= _file("monitoring")
    return names.checked(_with_additions(types, kuberay_version))


def _with_additions(types: dict[str, Any], kuberay_version: str) -> dict[str, Any]:
    additions = _file("kuberay-additions")
    types = {**deepcopy(types), **additions["types"]}
    here = versions.parsed(kuberay_version)
    for name, schema in additions["fields"].items():
        owner, _, field = name.partition(".")
        if versions.parsed(versions.KUBERAY_SINCE[name]) <= here:
            types[owner]["properties"][field] = schema
    for name, since in additions["no_longer_required"].items():
        owner, _, field = name.partition(".")
        if versions.parsed(since) <= here:
            types[owner]["required"].remove(field)
    return types


def _file(name: str) -> dict[str, Any]:
    source = files("ray_gke.rendering") / "schemas" / f"{name}.json"
    data: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return data
