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
from ray_gke.planning.capacity import Capacity, Cost
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
    """A table under a title, and notes below it; `folded` shows it on request only."""

    title: str
    rows: Rows
    notes: Sequence[str] = ()
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
    named = {section.title: section for section in plan_text.sections(capacity)}
    if before and not _comparable(capacity, before):
        before = None
    yield _Table(
        "Cost of a month, an estimate",
        _costs(capacity, before),
        tuple(_about_costs(capacity, before)),
        folded=False,
    )
    changes = list(_changes(pending)) if pending else []
    ending = [row for row in changes if row[""] == _ENDS]
    yield _Table("Ends what is there", ending, folded=False)
    yield _Table("Changes", changes, folded=len(changes) > _FOLDED_ROWS)
    warnings = [{"WARNING": line} for line in capacity.warnings]
    yield _Table("Warnings", warnings, folded=False)
    for title, heading in (
        ("Groups", "Fit: groups"),
        ("Node pools", "Fit: node pools"),
        ("Quota needed", "Quota needed"),
    ):
        if title in named:
            yield _Table(heading, named[title].rows, named[title].lines)
    # Its notes stand beside the cost of a month.
    yield _Table("Cost of an hour", plan_text.costs(capacity))


def _about_costs(capacity: Capacity, before: Capacity | None) -> Iterator[str]:
    """Yield what is to be known of the sums; what is true of both plans once."""
    after = tuple(plan_text.about_cost(capacity))
    was = tuple(plan_text.about_cost(before)) if before else after
    yield from (f"Before: {line}" for line in was if line not in after)
    yield from (line if line in was else f"After: {line}" for line in after)


def _costs(capacity: Capacity, before: Capacity | None) -> Rows:
    was = before.cost if before else None
    return [
        _cost(what, part, capacity.cost, was)
        for what, part in (
            ("Idle", "idle"),
            ("At minimum", "minimum"),
            ("At maximum", "maximum"),
        )
    ]


def _cost(what: str, part: str, after: Cost, before: Cost | None) -> dict[str, str]:
    if before is None:
        return {"COST": what, "AFTER": _month(after, part)}
    return {
        "COST": what,
        "BEFORE": _month(before, part),
        "AFTER": _month(after, part),
        "DIFFERENCE": _difference(after, before, part),
    }


def _month(cost: Cost, part: str) -> str:
    least = "" if _is_whole(cost, part) else "at least "
    return least + money(_sum(cost, part), cost.currency)


def _difference(after: Cost, before: Cost, part: str) -> str:
    amount = _sum(after, part) - _sum(before, part)
    sign = "+" if amount > 0 else "-"
    text = f"{sign}{money(abs(amount), after.currency)}" if amount else UNKNOWN
    if _is_whole(after, part) and _is_whole(before, part):
        return text
    return f"{text} of what has a price" if amount else "not known"


def _sum(cost: Cost, part: str) -> Decimal:
    found: Decimal = getattr(cost, f"{part}_per_month")
    return found


def _is_whole(cost: Cost, part: str) -> bool:
    """Tell whether all that a sum should have has a price."""
    return all(getattr(item, part) is not None for item in cost.items)


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
    notes = [{"NOTE": line} for line in table.notes]
    parts = [_cut(rows, most, width) for rows in (table.rows, notes) if rows]
    body = "\n\n".join(parts)
    if not table.folded:
        return f"#### {table.title}\n\n{body}"
    title = f"<summary>{table.title}: {len(table.rows):,}</summary>"
    return f"<details>{title}\n\n{body}\n\n</details>"


def _cut(rows: Rows, most: int, width: int) -> str:
    lines = [*_lines(rows[:most], width)]
    if (more := len(rows) - most) > 0:
        lines += ["", f"and {more:,} more"]
    return "\n".join(lines)


def _lines(rows: Sequence[dict[str, str]], width: int) -> Iterator[str]:
    names = dict.fromkeys(name for row in rows for name in row)
    headings = [name for name in names if any(row.get(name) for row in rows)]
    yield _line([name.capitalize() for name in headings])
    yield _line(["---"] * len(headings))
    for row in rows:
        yield _line([escaped(row.get(name, ""), width) for name in headings])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
