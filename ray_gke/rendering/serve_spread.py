"""The Serve config of a service, whose replicas one lost worker must not take along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.planning.recovery_rules import most_per_node


def serve_config(plan: Plan) -> Mapping[str, Any]:
    """Return it with max_replicas_per_node where a highly available one lacks it."""
    given = plan.serve_config or {}
    if not plan.day_two.highly_available:
        return given
    return {
        **given,
        "applications": [_spread(one, plan) for one in given.get("applications", ())],
    }


def _spread(application: Mapping[str, Any], plan: Plan) -> Mapping[str, Any]:
    if not application.get("deployments"):
        return application
    return {
        **application,
        "deployments": [
            {**one, "max_replicas_per_node": most_per_node(one, plan.worker_groups)}
            for one in application["deployments"]
        ],
    }
