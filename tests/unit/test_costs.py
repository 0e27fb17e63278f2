from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ray_gke.planning.capacity import Cost, CostItem
from ray_gke.planning.need import Need
from ray_gke.planning.pools import capacity
from ray_gke.planning.runs import PlatformFacts, Run
from ray_gke.planning.site import Site
from tests.pool_plans import SHARE, SITE, SLICE, group, plan


def cost(need: Need, site: Site = SITE, regional: bool = True) -> Cost:
    worker = group("gpu", need, site)
    return capacity(
        [Run(plan("x", worker))], site, PlatformFacts(regional=regional)
    ).cost


def item(found: Cost, begin: str) -> CostItem:
    return next(each for each in found.items if each.what.startswith(begin))


def test_every_part_is_nodes_times_price() -> None:
    found = cost(SHARE)
    gpu = item(found, "n1-standard-16")
    # 0.80 the machine and 0.40 its T4; Spot 0.20 and 0.10.
    assert (gpu.idle, gpu.minimum) == (Decimal(0), Decimal("1.2"))
    assert gpu.maximum == Decimal("2.4")
    assert (gpu.on_demand, gpu.spot) == (Decimal("2.4"), Decimal("0.6"))
    system = item(found, "system")
    assert (system.idle, system.maximum) == (Decimal("0.3"), Decimal("0.3"))
    assert item(found, "cluster").idle == Decimal("0.1")


def test_boot_disks_are_priced_by_the_month() -> None:
    disks = item(cost(SHARE), "boot disks")
    # 0.10 a GiB and month: 10 a month for each of 3, 5 and 6 nodes.
    assert (disks.idle, disks.minimum, disks.maximum) == (
        Decimal("0.041096"),
        Decimal("0.068493"),
        Decimal("0.082192"),
    )


def test_totals_and_months_add_up() -> None:
    found = cost(SHARE)
    # Fee 0.1, system 0.3, head 0.1, and the pool's own, besides the disks.
    assert found.idle == Decimal("0.441096")
    assert found.minimum == Decimal("1.768493")
    assert found.maximum == Decimal("2.982192")
    assert abs(found.maximum_per_month - Decimal("2177.0")) < Decimal("0.001")
    assert found.unpriced == ()


def test_spot_is_counted_as_spot() -> None:
    found = item(cost(replace(SLICE, provisioning=("spot",))), "a2-highgpu-1g")
    assert (found.maximum, found.on_demand) == (Decimal("1.1"), Decimal("3.7"))


def test_what_has_no_price_is_named_and_left_out() -> None:
    need = replace(SLICE, machine_type="a2-highgpu-8g")
    found = cost(need)
    gpu = item(found, "a2-highgpu-8g")
    assert (gpu.minimum, gpu.maximum, gpu.spot) == (None, None, None)
    assert ["a2-highgpu-8g" in name for name in found.unpriced] == [True]
    assert found.maximum < 1


def told(found: Cost, words: str) -> bool:
    return any(words in note for note in found.notes)


def test_it_is_an_estimate_of_a_date_and_a_region() -> None:
    found = cost(SHARE)
    assert "not a quote" in found.notes[0]
    assert not told(found, "prices of europe-west4")
    elsewhere = cost(SHARE, replace(SITE, region="europe-west4"))
    assert told(elsewhere, "prices of europe-west4")


def test_what_the_figures_do_not_say_is_noted() -> None:
    flex = cost(replace(SLICE, provisioning=("flex-start",)))
    assert told(flex, "flex-start is counted as on demand")
    kept = cost(replace(SLICE, provisioning=("reservation",), reservation="ours"))
    assert told(kept, "whether its nodes are used or not")
    assert told(cost(SHARE), "Spot prices are hints")
    assert told(cost(SHARE, regional=False), "zonal cluster")
