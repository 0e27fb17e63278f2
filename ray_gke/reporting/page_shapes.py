"""What pictures of the plan page are made of, and the bars in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

WIDTH = 320.0
"""Units across a picture: one is about a pixel of a phone; wide screens enlarge it."""

COLOURS = 8
_LEAST = 3.0
"""A block narrower than this cannot be told from its neighbours."""
_UNITS_PER_LETTER = 7.0
_MARGIN = 4.0
_GAP = 1.0
"""Between blocks, where they are wide enough for it."""


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
    """Give the blocks of a bar of `size` (width, height) that stands for `full`.

    Where equal blocks are too narrow for what is to be written on them, it stands on
    one more block in their middle, with how many they are.
    """
    width, height = size
    begun = 0.0
    for part in parts:
        left = max(full - begun, 0)
        wide = min(part.size * part.count, left) / full * width if full else 0
        if wide > 0:
            block = Block(x + begun / full * width, y, wide, height, part.look)
            yield from map(_apart, _divided(block, part))
        begun += part.size * part.count


def rounded(block: Block) -> Block:
    """Return the block with coordinates that are short, and no larger than it."""
    x, y = (math.ceil(at * 100) / 100 for at in (block.x, block.y))
    width = math.floor((block.x + block.width - x) * 100) / 100
    height = math.floor((block.y + block.height - y) * 100) / 100
    return replace(block, x=x, y=y, width=max(width, 0), height=max(height, 0))


def _divided(block: Block, part: Part) -> Iterator[Block]:
    """Give a block per count, or one for all where single ones are too narrow."""
    width = block.width / part.count
    several = f"{part.tag}\N{MULTIPLICATION SIGN}{part.count}"
    if part.count == 1:
        yield _tagged(block, part.tag)
        return
    if width < _LEAST:
        yield _tagged(block, several)
        return
    one = replace(block, width=width)
    fits = _tagged(one, part.tag).tag
    for index in range(part.count):
        yield replace(one, x=block.x + index * width, tag=fits)
    if part.tag and not fits and _room(several) <= block.width:
        yield _over(block, several)


def _apart(block: Block) -> Block:
    """Return the block with a gap after it."""
    gap = _GAP if block.width >= _LEAST else 0
    return replace(block, width=block.width - gap)


def _over(block: Block, tag: str) -> Block:
    """Return a small block in the middle of another, with the tag."""
    width = _room(tag)
    return Block(
        block.x + (block.width - width) / 2,
        block.y + block.height / 2 - 8,
        width,
        16,
        f"{block.look} over",
        tag,
    )


def _tagged(block: Block, tag: str) -> Block:
    return replace(block, tag=tag if tag and _room(tag) <= block.width else "")


def _room(tag: str) -> float:
    return len(tag) * _UNITS_PER_LETTER + _MARGIN
