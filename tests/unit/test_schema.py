from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from ray_gke import assets
from ray_gke.catalog import schema
from ray_gke.catalog.yaml_file import parse
from ray_gke.errors import InvalidError

FAULTS = Path(__file__).parents[1] / "faults"
# What takes more than one value, another file, or arithmetic is the loader's to find.
ONLY_THE_LOADER = (
    "control-in-",
    "cpu-too-fine",
    "duplicate-groups",
    "expression-",
    "file-",
    "group-called-head",
    "memory-beyond-any-machine",
    "memory-too-little-for-ray",
    "memory-without-unit",
    "min-",
    "missing-",
    "name-is-not-the-folders",
    "name-too-long-",
    "no-workload",
    "own-variable-in-env",
    "parameter-called-like-a-keyword",
    "parameter-default-",
    "parameter-min",
    "parameter-pattern-",
    "ray-too-old",
    "script-outside",
    "serve-",
    "token-in-env",
    "two-workloads",
    "warm-more-than-max",
)


def _readable() -> list[str]:
    names = []
    for folder in FAULTS.iterdir():
        try:
            parse((folder / "blueprint.yaml").read_bytes(), folder.name)
        except InvalidError:
            continue
        names.append(folder.name)
    return sorted(names)


def _data(folder: Path) -> Any:
    return parse((folder / "blueprint.yaml").read_bytes(), folder.name).data


@pytest.mark.parametrize("name", _readable())
def test_verdict_on_faults(name: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(schema.blueprint())
    accepted = name.startswith(ONLY_THE_LOADER)
    assert validator.is_valid(_data(FAULTS / name)) is accepted


def test_accepts_what_ships() -> None:
    validator = jsonschema_rs.Draft202012Validator(schema.blueprint())
    folders = [f.parent for f in assets.folder("blueprints").glob("*/blueprint.yaml")]
    assert folders
    for folder in folders:
        assert [str(e) for e in validator.iter_errors(_data(folder))] == []


def test_every_value_below_spec_may_be_an_expression() -> None:
    validator = jsonschema_rs.Draft202012Validator(schema.blueprint())
    expression = "{{ count }}"
    data = {
        "apiVersion": "ray-gke/v1",
        "kind": "Blueprint",
        "metadata": {"name": "a"},
        "spec": {
            "ray": {"version": expression, "image": f"ray:{expression}"},
            "head": {"cpu": expression, "resources": {"disk": expression}},
            "worker_groups": [{"name": expression, "max_replicas": expression}],
            "autoscaler_options": {"upscaling_mode": expression},
            "job": {"entrypoint": expression, "entrypoint_num_cpus": expression},
        },
    }
    assert [str(e) for e in validator.iter_errors(data)] == []
    data["metadata"] = {"name": expression}
    assert not validator.is_valid(data)


def test_platform() -> None:
    validator = jsonschema_rs.Draft202012Validator(schema.platform())
    data: dict[str, Any] = {
        "apiVersion": "ray-gke/v1",
        "kind": "Platform",
        "metadata": {"name": "ours"},
        "spec": {"blueprints": [{"blueprint": "squares", "set": {"count": 3}}]},
    }
    assert validator.is_valid(data)
    data["spec"]["blueprint"] = []
    assert not validator.is_valid(data)


def test_both_are_schemas_with_descriptions() -> None:
    for document in (schema.blueprint(), schema.platform()):
        assert jsonschema_rs.meta.is_valid(document)
        assert document["$schema"].endswith("2020-12/schema")
    cpu = schema.blueprint()["$defs"]["Head"]["properties"]["cpu"]
    assert cpu["description"].startswith("CPU quantity, such as 2 or 500m")
