"""The picture of a node's GPUs: slices to scale of memory, shares equal in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.planning.capacity import NodePool
from ray_gke.reporting.page_shapes import WIDTH, Block, Part, bar

_PER_ROW = (8, 4, 2, 1)
_PER_DEVICE = 20.0
"""Units that a device needs, so that its number can be read."""
_GAP = 5.0
_HEIGHT = 34.0
_STEP = _HEIGHT + 6.0


@dataclass(frozen=True)
class Owner:
    """Who has a device: how it looks and what is written on it."""

    look: str
    tag: str = ""


FREE = Owner("free", "free")


def height(pool: NodePool) -> float:
    """Return how much room the GPUs of a node take."""
    rows = -(-pool.gpus_per_node // _columns(pool))
    return rows * _STEP


def blocks(pool: NodePool, owners: Sequence[Owner], top: float) -> Iterator[Block]:
    """Give the GPUs of one node with their slices or shares, `owners` in turn."""
    columns = _columns(pool)
    width = (WIDTH - _GAP * (columns - 1)) / columns
    each = pool.devices_per_node // pool.gpus_per_node
    everybody = [*owners, *[FREE] * pool.devices_per_node]
    for gpu in range(pool.gpus_per_node):
        row, column = divmod(gpu, columns)
        box = Block(column * (width + _GAP), top + row * _STEP, width, _HEIGHT, "gpu")
        yield box
        yield from _divided(pool, box, everybody[gpu * each : (gpu + 1) * each])


def _columns(pool: NodePool) -> int:
    """Return how many GPUs stand in a row."""
    each = pool.devices_per_node // pool.gpus_per_node
    fit = [n for n in _PER_ROW if n * each * _PER_DEVICE <= WIDTH]
    return min(max(fit, default=1), pool.gpus_per_node)


def _divided(pool: NodePool, box: Block, owners: Sequence[Owner]) -> Iterator[Block]:
    """Give the slices of a GPU; what no slice has stays the GPU's own colour."""
    clients = pool.max_shared_clients_per_gpu or 1
    slices = max(len(owners) // clients, 1)
    memory, whole = _memory(pool, slices)
    width = box.width * memory / whole
    for index in range(slices):
        slice_ = Block(
            box.x + index * width + 0.75,
            box.y + 1.5,
            width - 1.5,
            box.height - 3,
            "slice",
        )
        yield slice_
        yield from _shares(slice_, owners[index * clients : (index + 1) * clients])


def _shares(slice_: Block, owners: Sequence[Owner]) -> Iterator[Block]:
    parts = [
        Part(1, owner.look, owner.tag, len(list(alike)))
        for owner, alike in groupby(owners)
    ]
    size = (slice_.width, slice_.height)
    yield from bar(parts, max(len(owners), 1), slice_.x, slice_.y, size)


def _memory(pool: NodePool, slices: int) -> tuple[int, int]:
    """Return the memory of a slice and of its GPU, in bytes."""
    if not pool.partition or not pool.accelerator:
        return 1, slices
    accelerator = ACCELERATORS[pool.accelerator]
    one = accelerator.partitions[pool.partition].memory_bytes
    return one, max(accelerator.memory_bytes, one * slices)
