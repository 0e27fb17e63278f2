"""Amounts as people read them: CPUs, GiB, money."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from ray_gke.gke.resources import GIB
from ray_gke.planning.capacity import Amounts

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
UNKNOWN = "-"


def cpus(millis: int) -> str:
    """Return thousandths of a core as CPUs: `1.5`, `0.25`."""
    return _short(Decimal(millis) / 1000, digits=2)


def gib(size: int) -> str:
    """Return bytes as GiB: `9 GiB`, `4.8 GiB`."""
    return f"{_short(Decimal(size) / GIB, digits=1)} GiB"


def money(amount: Decimal | None, currency: str, per: str = "") -> str:
    """Return a price: `$3.67/h` with `per` h; below 1 with three digits.

    A price that is not known is `-`.
    """
    if amount is None:
        return UNKNOWN
    digits = 3 if 0 < abs(amount) < 1 else 2
    step = Decimal(1).scaleb(-digits)
    number = f"{amount.quantize(step, rounding=ROUND_HALF_UP):,}"
    symbol = _SYMBOLS.get(currency)
    text = f"{symbol}{number}" if symbol else f"{number} {currency}"
    return f"{text}/{per}" if per else text


def of_pod(amounts: Amounts) -> str:
    """Return what a pod asks for: `1.5 CPU, 9 GiB, 1 nvidia.com/gpu`."""
    gpus = [f"{amounts.gpus} nvidia.com/gpu"] if amounts.gpus else []
    return ", ".join(
        [f"{cpus(amounts.cpu_millis)} CPU", gib(amounts.memory_bytes), *gpus]
    )


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 node`, `2 nodes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def limits(least: int, most: int) -> str:
    """Return `1 to 4`, or `4` where nothing scales."""
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _short(number: Decimal, digits: int) -> str:
    step = Decimal(1).scaleb(-digits)
    rounded = f"{number.quantize(step, rounding=ROUND_HALF_UP):,}"
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded
