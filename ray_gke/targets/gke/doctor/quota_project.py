"""Whose API is off: the platform's project, or another whose quota is used.

Google checks the API in the project whose quota is used, and calls that one the
consumer. Source: Google Cloud "Troubleshoot your ADC setup".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ray_gke.targets.google.answers import Project, Unread


def told_apart(answers: Mapping[str, Any], project: str) -> dict[str, Any]:
    """Return the same answers, where an API is off in ours only if that is so.

    Then it has no `consumer`. It keeps one where the project's number is not known,
    so that nobody can tell whose it is.
    """
    found = answers["project"]
    number = found.number if isinstance(found, Project) else ""
    return {name: _told(one, project, number) for name, one in answers.items()}


def _told(answer: Any, project: str, number: str) -> Any:
    if not isinstance(answer, Unread) or answer.reason != "api_off":
        return answer
    if answer.consumer in {project, number}:
        return replace(answer, consumer="")
    unsure = not answer.consumer or (answer.consumer.isdecimal() and not number)
    return answer if unsure else replace(answer, reason="quota_project")
