"""Errors and warnings for people and for continuous integration."""

from __future__ import annotations

from typing import Literal

from ray_gke.errors import Problem, RayGkeError

Severity = Literal["error", "warning"]


def as_text(error: RayGkeError) -> str:
    """Return the error as lines: what, where, and what to do next."""
    return "\n".join(problem_as_text(p, "error") for p in error.problems)


def problem_as_text(problem: Problem, severity: Severity) -> str:
    """Return one problem as lines: what, where, and what to do next."""
    first, *rest = problem.message.splitlines() or [""]
    where = f"{problem.place}: " if problem.place else ""
    found = [f"{severity}: {where}{first}", *(f"  {line}" for line in rest)]
    if problem.hint:
        found += [f"  hint: {line}" for line in problem.hint.splitlines()]
    return "\n".join(found)


def as_github(error: RayGkeError) -> str:
    """Return workflow commands that GitHub shows beside the lines of a pull request."""
    return "\n".join(problem_as_github(problem, "error") for problem in error.problems)


def problem_as_github(problem: Problem, severity: Severity) -> str:
    """Return one problem as such a workflow command.

    Source: GitHub documentation, "Workflow commands", `::error file=,line=,col=::` and
    `::warning file=,line=,col=::`.
    """
    message = problem.message + (f"\n{problem.hint}" if problem.hint else "")
    if not problem.place:
        return f"::{severity}::{_data(message)}"
    place = problem.place
    if place.key:
        message = f"{place.key}: {message}"
    fields = {"file": place.file, "line": place.line, "col": place.column}
    known = ",".join(f"{k}={_property(str(v))}" for k, v in fields.items() if v)
    return f"::{severity} {known}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
