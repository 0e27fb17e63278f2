"""Errors for people and for continuous integration."""

from __future__ import annotations

from ray_gke.errors import Problem, RayGkeError


def as_text(error: RayGkeError) -> str:
    """Return the error as lines: what, where, and what to do next."""
    return "\n".join(line for p in error.problems for line in _lines(p))


def _lines(problem: Problem) -> list[str]:
    first, *rest = problem.message.splitlines() or [""]
    where = f"{problem.place}: " if problem.place else ""
    lines = [f"error: {where}{first}", *(f"  {line}" for line in rest)]
    if problem.hint:
        lines += [f"  hint: {line}" for line in problem.hint.splitlines()]
    return lines


def as_github(error: RayGkeError) -> str:
    """Return workflow commands that GitHub shows beside the lines of a pull request.

    Source: GitHub documentation, "Workflow commands", `::error file=,line=,col=::`.
    """
    return "\n".join(_annotation(problem) for problem in error.problems)


def _annotation(problem: Problem) -> str:
    message = problem.message + (f"\n{problem.hint}" if problem.hint else "")
    if not problem.place:
        return f"::error::{_data(message)}"
    place = problem.place
    if place.key:
        message = f"{place.key}: {message}"
    fields = {"file": place.file, "line": place.line, "col": place.column}
    known = ",".join(f"{k}={_property(str(v))}" for k, v in fields.items() if v)
    return f"::error {known}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
