"""Answers of commands: as a table or text for people, as JSON for programs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from ray_gke.events import Emit, Event, Note
from ray_gke.reporting import rows
from ray_gke.reporting.json_lines import JsonLines, problem_as_json
from ray_gke.reporting.problems import (
    as_github,
    as_text,
    problem_as_github,
    problem_as_text,
)


@contextmanager
def telling(output: str, then: str = "") -> Iterator[Emit]:
    """Give an `Emit` that tells events as `output` (text or json) asks.

    `then` are the options that commands need which are told to come next.
    """
    if output == "json":
        yield JsonLines(sys.stdout)
        return
    from ray_gke.reporting.terminal import Terminal

    terminal = Terminal(then=then)
    try:
        yield terminal
    finally:
        terminal.close()


def table(
    values: Sequence[Any],
    output: str,
    columns: Callable[[Sequence[Any]], rows.Rows],
    *,
    nothing: str,
) -> None:
    """Print dataclasses as a JSON list, or as the table that `columns` makes of them.

    Without values the text form says `nothing`, on stderr: there is no answer.
    """
    if output == "json":
        document([as_data(value) for value in values])
    elif values:
        from ray_gke.reporting.terminal import print_table

        print_table(columns(values))
    else:
        sys.stderr.write(nothing + "\n")


def paths(written: Sequence[Path], output: str) -> None:
    """Print the paths of files that were written."""
    if output == "json":
        document([str(path) for path in written])
    else:
        sys.stdout.writelines(f"{path}\n" for path in written)


def warnings(lines: Sequence[str]) -> None:
    """Write warnings to stderr: they are not part of the answer."""
    sys.stderr.writelines(f"warning: {line}\n" for line in lines)


def notes(lines: Iterable[str]) -> None:
    """Write what explains an answer to stderr."""
    sys.stderr.writelines(f"{line}\n" for line in lines)


def note(event: Event) -> None:
    """Write what is to be known while an answer is looked for."""
    if isinstance(event, Note):
        notes([event.text])


def mapping(values: Mapping[str, str], output: str) -> None:
    """Print names and values, one a line."""
    if output == "json":
        document(dict(values))
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        sys.stdout.write(f"{name:<{width}}  {value}\n")


def run(described: Any, output: str) -> None:
    """Print one run."""
    if output == "json":
        document(as_data(described))
    else:
        mapping(rows.facts_of_run(described), output)


def opened(found: Any, output: str) -> None:
    """Print where things answer, and wait for Ctrl-C where that is only while we do."""
    where = {"url": found.urls["dashboard"], "token": found.token}
    if "service" in found.urls:
        where["service"] = found.urls["service"]
    mapping({key: value for key, value in where.items() if value}, output)
    sys.stdout.flush()
    if not found.lasting:
        sys.stderr.write("open until Ctrl-C\n")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def explanation(found: Any, output: str) -> None:
    """Print why something waits or fails: the cause, what shows it, what to do."""
    if output == "json":
        document(as_data(found))
        return
    sys.stdout.write(f"{found.state}\n")
    for cause in found.causes:
        sys.stdout.write(f"\n{cause.what}\n")
        sys.stdout.writelines(f"  {line}\n" for line in cause.evidence)
        if cause.fix:
            sys.stdout.write(f"hint: {cause.fix}\n")
    for pending in found.pending:
        _pending(pending)
    sys.stdout.writelines(f"\n{note}\n" for note in found.notes)


def _pending(found: Any) -> None:
    """Print which nodes there are for pods that wait for one."""
    wanted = ", ".join(f"{key} {value}" for key, value in found.wanted.items())
    sys.stdout.write(f"\n{', '.join(found.pods)}: {wanted}\n")
    sys.stdout.writelines(f"  {finding}\n" for finding in found.findings)
    for near in found.nearest:
        sys.stdout.write(f"  node {near.node} lacks {', '.join(near.lacks)}\n")


def confirmed(question: str) -> bool:
    """Ask on a terminal, with no as the answer of silence; elsewhere it is no."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question}. Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def blueprint(description: Any, output: str) -> None:
    """Print what there is to know of a blueprint."""
    if output == "json":
        document(as_data(description))
        return
    from ray_gke.reporting.terminal import print_table

    sys.stdout.write(f"{description.name}: {description.summary}\n\n")
    facts = {"runs": description.kind, **description.groups}
    mapping({**facts, "folder": str(description.folder)}, output)
    if description.parameters:
        sys.stdout.write("\n")
        sys.stdout.flush()
        print_table(rows.parameters(list(description.parameters.items())))


def document(data: Any) -> None:
    """Print data as JSON, with the order of its keys kept."""
    # json.dumps takes several times as long for the plan of a large platform.
    sys.stdout.write(to_json(data, indent=2).decode() + "\n")


def as_data(value: Any) -> Any:
    """Return a dataclass as what JSON can say; paths become text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_data(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, BaseModel):
        return as_data(value.model_dump(mode="json", exclude_none=True))
    if isinstance(value, Mapping):
        return {str(name): as_data(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_data(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, Path) else value


def findings(found: Iterable[Any], output: str, annotations: str) -> bool:
    """Print what `validate` found, and tell whether all is valid.

    As JSON a list; as text the number of valid files, or annotations for github. What
    is wrong or weak goes to stderr, for people.
    """
    all_found = list(found)
    faults = [one.error for one in all_found if one.error]
    # A platform's blueprint may have been checked on its own as well.
    weak = list(dict.fromkeys(w for one in all_found for w in one.warnings))
    if output == "json":
        document([_finding(one) for one in all_found])
    elif annotations == "github":
        sys.stdout.writelines(as_github(error) + "\n" for error in faults)
        sys.stdout.writelines(problem_as_github(one, "warning") + "\n" for one in weak)
    elif not faults:
        sys.stdout.write(f"{len(all_found)} valid\n")
    sys.stdout.flush()
    sys.stderr.writelines(as_text(error) + "\n" for error in faults)
    sys.stderr.writelines(problem_as_text(one, "warning") + "\n" for one in weak)
    return not faults


def _finding(one: Any) -> dict[str, Any]:
    problems = one.error.problems if one.error else ()
    return {
        "path": str(one.path),
        "valid": one.error is None,
        "problems": [problem_as_json(problem) for problem in problems],
        "warnings": [problem_as_json(warning) for warning in one.warnings],
    }
