"""What pictures of the plan page are made of, and the bars in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

WIDTH = 400.0
"""Units across a picture: it is made for phones, and grows on wide screens."""

COLOURS = 8
_LEAST = 3.0
"""A block narrower than this cannot be told from its neighbours."""
_UNITS_PER_LETTER = 10.0


@dataclass(frozen=True)
class Block:
    """A rectangle. `look` are its CSS classes, `tag` what is written on it."""

    x: float
    y: float
    width: float
    height: float
    look: str
    tag: str = ""


@dataclass(frozen=True)
class Label:
    """Text beside blocks, from `x` on, or up to it."""

    x: float
    y: float
    text: str
    end: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawing with the words for those who do not see it."""

    title: str
    description: str
    height: float
    blocks: tuple[Block, ...]
    labels: tuple[Label, ...] = ()
    width: float = field(default=WIDTH)


@dataclass(frozen=True)
class Part:
    """`count` equal parts of a bar, each of `size` in the bar's own measure."""

    size: float
    look: str
    tag: str = ""
    count: int = 1


def colour(index: int) -> str:
    """Return the CSS class of the thing with this number."""
    return f"c{index % COLOURS}"


def bar(
    parts: Iterable[Part], full: float, x: float, y: float, size: tuple[float, float]
) -> Iterator[Block]:
    """Give the blocks of a bar of `size` (width, height) that stands for `full`."""
    width, height = size
    begun = 0.0
    for part in parts:
        for one in _visible(part, width / full if full else 0):
            wide = min(one.size, max(full - begun, 0)) / full * width if full else 0
            if wide > 0:
                block = Block(x + begun / full * width, y, wide, height, one.look)
                yield _tagged(block, one.tag)
            begun += one.size


def rounded(block: Block) -> Block:
    """Return the block with coordinates that are short, and no larger than it."""
    x, y = (math.ceil(at * 100) / 100 for at in (block.x, block.y))
    width = math.floor((block.x + block.width - x) * 100) / 100
    height = math.floor((block.y + block.height - y) * 100) / 100
    return replace(block, x=x, y=y, width=max(width, 0), height=max(height, 0))


def _visible(part: Part, scale: float) -> Sequence[Part]:
    """Return the part once per count, or as one where single ones are too narrow."""
    if part.count <= 1 or part.size * scale >= _LEAST:
        return [replace(part, count=1)] * part.count
    tag = f"{part.tag} x{part.count}" if part.tag else ""
    return [replace(part, size=part.size * part.count, count=1, tag=tag)]


def _tagged(block: Block, tag: str) -> Block:
    fits = tag and len(tag) * _UNITS_PER_LETTER <= block.width
    return replace(block, tag=tag) if fits else block
