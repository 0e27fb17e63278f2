"""What the parameters of a blueprint are set to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.parameters import Parameter, ParameterValue
from ray_gke.errors import InvalidError, Place, Problem, UsageError

AssignedAt = Callable[[str], Place]
_TEXTS = ("value", "1", "1Gi", "2.60.0", "nvidia-l4", "500m", "/")


def assign(
    parameters: Mapping[str, Parameter],
    assignments: Mapping[str, ParameterValue],
    assigned_at: AssignedAt | None = None,
    base: Path = Path(),
) -> dict[str, ParameterValue]:
    """Return the value of every parameter that has one.

    Text is read as the parameter's type, as from the command line, and a relative path
    is relative to `base`. Raises UsageError
    for what does not fit, or InvalidError when `assigned_at` tells the places in a
    file where the assignments stand.
    """
    problems = []
    values = {n: p.default for n, p in parameters.items() if p.default is not None}
    for name, given in assignments.items():
        place = (assigned_at or _on_command_line)(name)
        parameter = parameters.get(name)
        if parameter is None:
            message = f"there is no parameter {name[:60]!r}"
            problems.append(Problem(message, place, suggestion(name, parameters)))
            continue
        value = parameter.read(given) if isinstance(given, str) else given
        wrong = parameter.wrong(value)
        if wrong:
            problems.append(Problem(wrong, place, parameter.expected))
        values[name] = parameter.located(value, base)
    if problems:
        raise (InvalidError if assigned_at else UsageError).of(problems)
    return values


def stand_ins(parameter: Parameter) -> list[ParameterValue]:
    """Return some values of a parameter, of which one may fit where it is used."""
    if parameter.enum:
        return list(parameter.enum)
    if parameter.type == "boolean":
        return [False, True]
    if parameter.type in ("string", "path"):
        return [text for text in _TEXTS if not parameter.wrong(text)] or [_TEXTS[0]]
    numbers = dict.fromkeys((parameter.minimum, parameter.maximum, 1))
    return [n for n in numbers if n is not None and not parameter.wrong(n)]


def require(
    parameters: Mapping[str, Parameter], values: Mapping[str, ParameterValue]
) -> None:
    """Raise UsageError for the parameters that must be set and are not."""
    missing = [name for name in parameters if name not in values]
    if missing:
        raise UsageError.of(
            [
                Problem(
                    f"the parameter {name!r} must be set",
                    _on_command_line(name),
                    f"{parameters[name].description}: --set {name}=VALUE",
                )
                for name in missing
            ]
        )


def _on_command_line(name: str) -> Place:
    return Place("command line", key=f"--set {name}")
