"""Packages that are here already are not installed again."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.targets.local import runtime_env


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({}, {}),
        ({"pip": ["pydantic>=2"]}, {}),
        (
            {"pip": ["pydantic>=2", "PyYAML"], "env_vars": {"A": "b"}},
            {"env_vars": {"A": "b"}},
        ),
        ({"uv": {"packages": ["typer"]}}, {}),
        ({"pip": ["pydantic<1"]}, {"pip": ["pydantic<1"]}),
        ({"pip": ["no-such-package-here"]}, {"pip": ["no-such-package-here"]}),
        ({"pip": ["nothing; python_version < '3'"]}, {}),
        (
            {"pip": ["x @ https://example.com/x.whl"]},
            {"pip": ["x @ https://example.com/x.whl"]},
        ),
        ({"pip": "requirements.txt"}, {"pip": "requirements.txt"}),
        ({"pip": ["not a requirement"]}, {"pip": ["not a requirement"]}),
    ],
)
def test_what_is_here_is_left_out(given: dict[str, Any], left: dict[str, Any]) -> None:
    assert runtime_env.trimmed(given) == left


def test_applications_and_deployments_of_serve_are_trimmed_too() -> None:
    config = {
        "applications": [
            {
                "name": "a",
                "runtime_env": {"pip": ["typer"]},
                "deployments": [
                    {
                        "name": "D",
                        "ray_actor_options": {"runtime_env": {"pip": ["typer"]}},
                    },
                    {"name": "E"},
                ],
            }
        ]
    }
    assert runtime_env.serve_config(config) == {
        "applications": [
            {
                "name": "a",
                "runtime_env": {},
                "deployments": [
                    {"name": "D", "ray_actor_options": {"runtime_env": {}}},
                    {"name": "E"},
                ],
            }
        ]
    }
