"""Events and answers as JSON, for programs."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any, TextIO

from ray_gke.errors import Problem, RayGkeError
from ray_gke.events import Event


def event_line(event: Event) -> str:
    """Return the event as one line of JSON; `event` says which it is, in snake_case."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
    return json.dumps({"event": kind, **asdict(event)}, ensure_ascii=False)


def error_line(error: RayGkeError) -> str:
    """Return the error as one line of JSON: `exit_code` and its `problems`."""
    problems = [problem_as_json(problem) for problem in error.problems]
    return json.dumps(
        {"event": "error", "exit_code": error.exit_code, "problems": problems},
        ensure_ascii=False,
    )


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """Return message, place and hint; what is not known is null."""
    place = asdict(problem.place) if problem.place else None
    return {"message": problem.message, "place": place, "hint": problem.hint}


class JsonLines:
    """Emits each event as a line, at once."""

    def __init__(self, stdout: TextIO) -> None:
        """`stdout` gets the lines."""
        self._stdout = stdout

    def __call__(self, event: Event) -> None:
        """Write the event."""
        self._stdout.write(event_line(event) + "\n")
        self._stdout.flush()
