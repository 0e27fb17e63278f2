"""What the parameters of a blueprint are set to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.parameters import Parameter, ParameterValue
from ray_gke.errors import InvalidError, Place, Problem, UsageError

AssignedAt = Callable[[str], Place]
_TEXTS = ("value", "1", "1Gi", "2.60.0", "nvidia-l4", "500m", "/")


@dataclass(frozen=True)
class Assigned:
    """Values that stand in a file, each at its place.

    Relative paths among them are relative to `base`. A value of `shared` ones is for
    several blueprints: it is left out where no such parameter is declared.
    """

    values: Mapping[str, ParameterValue]
    place: AssignedAt
    base: Path
    shared: bool = False


def assign(
    parameters: Mapping[str, Parameter],
    assignments: Mapping[str, ParameterValue],
    in_files: Sequence[Assigned] = (),
    base: Path = Path(),
) -> dict[str, ParameterValue]:
    """Return the value of every parameter that has one.

    The command line's `assignments` win over those `in_files`, and of these later
    ones over earlier ones. Text is read as the parameter's type, and relative paths
    of the command line are relative to `base`. Raises InvalidError for what does not
    fit in the files, or else UsageError for the command line.
    """
    values = {n: p.default for n, p in parameters.items() if p.default is not None}
    wrong: list[Problem] = []
    for given in in_files:
        found, problems = _read(parameters, given)
        values |= found
        wrong += problems
    if wrong:
        raise InvalidError.of(wrong)
    found, wrong = _read(parameters, Assigned(assignments, _on_command_line, base))
    if wrong:
        raise UsageError.of(wrong)
    return values | found


def _read(
    parameters: Mapping[str, Parameter], given: Assigned
) -> tuple[dict[str, ParameterValue], list[Problem]]:
    values, problems = {}, []
    for name, written in given.values.items():
        parameter = parameters.get(name)
        if parameter:
            value = parameter.read(written) if isinstance(written, str) else written
            wrong = parameter.wrong(value)
            if wrong:
                problems.append(Problem(wrong, given.place(name), parameter.expected))
            values[name] = parameter.located(value, given.base)
        elif not given.shared:
            message = f"there is no parameter {name[:60]!r}"
            hint = suggestion(name, parameters)
            problems.append(Problem(message, given.place(name), hint))
    return values, problems


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
