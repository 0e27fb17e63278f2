"""The plan as a summary for a pull request, in the Markdown that GitHub renders.

No name and no sentence that a user wrote can be more than text in it: each is in a
cell of a table, with every character escaped that Markdown or GitHub reads.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ray_gke.errors import InvalidError, Place
from ray_gke.planning.capacity import Capacity
from ray_gke.reporting import plan_text
from ray_gke.reporting.amounts import UNKNOWN, money
from ray_gke.reporting.rows import Rows

LIMIT = 60_000
"""Characters of a summary; a comment on GitHub has 65,536 at most."""

_SIZES = ((1000, 500), (200, 200), (50, 100), (10, 60), (2, 40))
"""Rows of a table and characters of a cell, until the summary is short enough."""

_FOLDED_ROWS = 10
_PLAIN = frozenset(string.ascii_letters + string.digits + " ,.-/")
# GitHub reads names of people and numbers of issues in finished text.
_NOTIFYING = "@#"
_ZERO_WIDTH_SPACE = "&#8203;"
_ENDS = "⚠️ ends what is there"


@dataclass(frozen=True)
class _Table:
    """A table under a title; `folded` shows it on request only."""

    title: str
    rows: Rows
    folded: bool = True


def read(path: Path) -> Capacity:
    """Return the plan that `plan --output json` wrote. Raises InvalidError."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Capacity).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        raise InvalidError(
            f"no plan to compare with: {reason}",
            place=Place(str(path)),
            hint="ray-gke plan --output json > FILE writes one",
        ) from None


def text(capacity: Capacity, pending: Any, before: Capacity | None) -> str:
    """Return the summary, whatever the plan at most LIMIT characters.

    `pending` is what would change where that is known, `before` the plan of what is
    there now.
    """
    tables = list(_tables(capacity, pending, before))
    for rows, width in _SIZES:
        title = escaped(plan_text.headline(capacity), width)
        parts = [f"### ray-gke plan: {title}", *_about(capacity, pending, before)]
        parts += [_shown(one, rows, width) for one in tables if one.rows]
        found = "\n\n".join(parts)
        if len(found) < LIMIT:
            break
    return found + "\n"


def escaped(text: str, width: int) -> str:
    """Return a text of somebody else as one line that is nothing but text."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    cut = plain if len(plain) <= width else f"{plain[: width - 1]}…"
    return "".join(map(_escaped_character, cut))


def _escaped_character(character: str) -> str:
    if character in _PLAIN or not character.isascii():
        return character
    breaking = _ZERO_WIDTH_SPACE if character in _NOTIFYING else ""
    return f"&#{ord(character)};{breaking}"


def _about(capacity: Capacity, pending: Any, before: Capacity | None) -> Iterator[str]:
    """Yield the sentences above the tables; they are all ours."""
    if pending is None:
        yield "What would change in Google Cloud is not known here."
    elif pending.todo:
        yield f"**{_counts(pending)}**"
    else:
        yield "Nothing would change."
    if pending and not pending.whole:
        yield "The cluster is new: what runs in it is created too."
    if before and not _comparable(capacity, before):
        yield "Costs are not compared: they are in different currencies."


def _comparable(capacity: Capacity, before: Capacity) -> bool:
    return capacity.cost.currency == before.cost.currency


def _counts(pending: Any) -> str:
    words = {"update": "change", "prune": "delete"}
    counts: dict[str, int] = {}
    for row in _changes(pending):
        word = words.get(row["ACTION"], row["ACTION"])
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{n:,} to {word}" for word, n in counts.items())


def _tables(
    capacity: Capacity, pending: Any, before: Capacity | None
) -> Iterator[_Table]:
    yield _Table("Cost of a month, an estimate", _costs(capacity, before), folded=False)
    changes = list(_changes(pending)) if pending else []
    ending = [row for row in changes if row[""] == _ENDS]
    yield _Table("Ends what is there", ending, folded=False)
    yield _Table("Changes", changes, folded=len(changes) > _FOLDED_ROWS)
    warnings = [{"WARNING": line} for line in capacity.warnings]
    yield _Table("Warnings", warnings, folded=False)
    named = {section.title: section for section in plan_text.sections(capacity)}
    for title, heading in (
        ("Groups", "Fit: groups"),
        ("Node pools", "Fit: node pools"),
        ("Quota needed", "Quota needed"),
        ("Cost, an estimate", "Cost of an hour"),
    ):
        if title in named:
            yield _Table(heading, named[title].rows)


def _costs(capacity: Capacity, before: Capacity | None) -> Rows:
    comparable = before and _comparable(capacity, before)
    after, was = capacity.cost, before.cost if before and comparable else None
    every = (
        ("Idle", "idle_per_month"),
        ("At minimum", "minimum_per_month"),
        ("At maximum", "maximum_per_month"),
    )
    return [
        _cost(what, getattr(after, name), getattr(was, name, None), after.currency)
        for what, name in every
    ]


def _cost(
    what: str, after: Decimal, before: Decimal | None, currency: str
) -> dict[str, str]:
    row = {"COST": what}
    if before is not None:
        row["BEFORE"] = money(before, currency)
    row["AFTER"] = money(after, currency)
    if before is not None:
        row["DIFFERENCE"] = _difference(after - before, currency)
    return row


def _difference(amount: Decimal, currency: str) -> str:
    if not amount:
        return UNKNOWN
    return f"{'+' if amount > 0 else '-'}{money(abs(amount), currency)}"


def _changes(pending: Any) -> Iterator[dict[str, str]]:
    """Yield a row for whatever would be done, to be marked where it ends something."""
    for one in (*pending.cloud.todo, *pending.addons.todo):
        yield _row(one.action, one.address, one.attributes, ends=one.ends)
    for run in pending.runs:
        for change in run.changes:
            if change.writes:
                what = f"{change.ref} in namespace {change.ref.namespace}"
                means = [change.edit.note] if change.edit else change.fields
                yield _row(change.action, what, means, ends=change.ends)


def _row(action: str, what: str, means: Iterable[str], *, ends: bool) -> dict[str, str]:
    return {
        "": _ENDS if ends else "",
        "ACTION": action,
        "WHAT": what,
        "MEANS": ", ".join(means),
    }


def _shown(table: _Table, most: int, width: int) -> str:
    lines = [*_lines(table.rows[:most], width)]
    if (more := len(table.rows) - most) > 0:
        lines += ["", f"and {more:,} more"]
    body = "\n".join(lines)
    if not table.folded:
        return f"#### {table.title}\n\n{body}"
    title = f"<summary>{table.title}: {len(table.rows):,}</summary>"
    return f"<details>{title}\n\n{body}\n\n</details>"


def _lines(rows: Sequence[dict[str, str]], width: int) -> Iterator[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    headings = [name for name in names if any(row.get(name) for row in rows)]
    yield _line([name.capitalize() for name in headings])
    yield _line(["---"] * len(headings))
    for row in rows:
        yield _line([escaped(row.get(name, ""), width) for name in headings])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
