"""What machines cost: the type of a price file. Reading one is the catalog's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

HOURS_PER_MONTH = 730
"""Google's own pricing pages count a month as 730 hours."""


@dataclass(frozen=True)
class Price:
    """Per hour. `spot` is a hint: the real one may change daily."""

    on_demand: Decimal
    spot: Decimal | None = None


@dataclass(frozen=True)
class Prices:
    """An estimate of one region's prices on one day.

    `machine_types` include the GPUs that a machine type has built in, `accelerators`
    are those that are attached to N1 machines; both per hour. `disks` are per GiB and
    month by disk type, `cluster_fee` is GKE's per cluster and hour.
    """

    date: str
    source: str
    currency: str
    region: str
    machine_types: Mapping[str, Price]
    accelerators: Mapping[str, Price]
    disks: Mapping[str, Decimal]
    cluster_fee: Decimal
    _known: dict[tuple[str, str | None, int, bool], Decimal | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    def of(
        self, machine_type: str, accelerator: str | None, attached: int, *, spot: bool
    ) -> Decimal | None:
        """Return a machine's price per hour, or None when it is not known.

        `attached` counts GPUs that are not built into the machine type.
        """
        # A plan asks the same thousands of times.
        key = (machine_type, accelerator, attached, spot)
        if key not in self._known:
            self._known[key] = self._sum(machine_type, accelerator, attached, spot=spot)
        return self._known[key]

    def _sum(
        self, machine_type: str, accelerator: str | None, attached: int, *, spot: bool
    ) -> Decimal | None:
        found = self._one(self.machine_types.get(machine_type), spot=spot)
        if not attached or found is None:
            return found
        gpu = self._one(self.accelerators.get(accelerator or ""), spot=spot)
        return None if gpu is None else found + gpu * attached

    @staticmethod
    def _one(price: Price | None, *, spot: bool) -> Decimal | None:
        if price is None:
            return None
        return price.spot if spot else price.on_demand
