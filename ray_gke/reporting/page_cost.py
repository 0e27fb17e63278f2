"""The picture of the cost: bars of what each item costs an hour, all to one scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from ray_gke.planning.capacity import Cost, CostItem
from ray_gke.reporting.amounts import money
from ray_gke.reporting.page_shapes import (
    WIDTH,
    Block,
    Label,
    Part,
    Picture,
    bar,
    colour,
    rounded,
)

_MOST = 7
"""Items with a colour of their own; the rest is one block."""
_TITLE = 18.0
_BAR = 30.0
_ROW = _TITLE + _BAR + 14.0

Amount = Callable[[CostItem], Decimal | None]


@dataclass(frozen=True)
class Bar:
    """One bar of the chart."""

    title: str
    amount: Amount
    warm: bool = False


def _on_demand(item: CostItem) -> Decimal | None:
    return item.maximum if item.on_demand is None else item.on_demand


def _spot(item: CostItem) -> Decimal | None:
    return _on_demand(item) if item.spot is None else item.spot


_BARS = (
    Bar("Idle", lambda item: item.idle),
    Bar("Minimum", lambda item: item.minimum, warm=True),
    Bar("Maximum", lambda item: item.maximum),
    Bar("Maximum, all on demand", _on_demand),
    Bar("Maximum, Spot where possible", _spot),
)


def letters(cost: Cost) -> dict[str, str]:
    """Return a letter for each item: A, B, … Z, AA, …, as the chart writes them."""
    return {item.what: _letter(index) for index, item in enumerate(cost.items)}


def looks(cost: Cost) -> dict[str, str]:
    """Return the CSS class of each item: the dearest have a colour of their own."""
    dearest = sorted(cost.items, key=lambda item: -_dearest(item))[:_MOST]
    own = [item.what for item in cost.items if item in dearest]
    return {
        item.what: colour(own.index(item.what)) if item.what in own else "other"
        for item in cost.items
    }


def chart(cost: Cost) -> Picture:
    """Return the chart."""
    most = max((_sum(cost, one.amount) for one in _BARS), default=Decimal(0))
    blocks: list[Block] = []
    labels: list[Label] = []
    for row, one in enumerate(_BARS):
        top = row * _ROW
        text = money(_sum(cost, one.amount), cost.currency, "h")
        labels += [
            Label(0, top + 12, one.title),
            Label(WIDTH, top + 12, text, end=True),
        ]
        blocks.append(Block(0, top + _TITLE, WIDTH, _BAR, "track"))
        size = (WIDTH, _BAR)
        blocks += bar(_parts(cost, one), float(most), 0, top + _TITLE, size)
    told = [
        f"{one.title} {money(_sum(cost, one.amount), cost.currency)}" for one in _BARS
    ]
    return Picture(
        title="Estimated cost an hour",
        description=f"{'; '.join(told)}. The table has every amount.",
        height=_ROW * len(_BARS) - 12,
        blocks=tuple(map(rounded, blocks)),
        labels=tuple(labels),
    )


def _parts(cost: Cost, one: Bar) -> Iterator[Part]:
    look, letter = looks(cost), letters(cost)
    own = [item for item in cost.items if look[item.what] != "other"]
    for item in own:
        amount = float(one.amount(item) or 0)
        warm = min(float(item.warm or 0), amount) if one.warm else 0.0
        yield Part(amount - warm, look[item.what], letter[item.what])
        yield Part(warm, f"{look[item.what]} balloon", letter[item.what])
    rest = [one.amount(item) or 0 for item in cost.items if item not in own]
    yield Part(float(sum(rest)), "other", "…")


def _sum(cost: Cost, amount: Amount) -> Decimal:
    return sum((amount(item) or Decimal(0) for item in cost.items), Decimal(0))


def _dearest(item: CostItem) -> Decimal:
    return max(item.maximum or Decimal(0), item.on_demand or Decimal(0))


def _letter(index: int) -> str:
    rest, last = divmod(index, 26)
    return (_letter(rest - 1) if rest else "") + chr(ord("A") + last)
