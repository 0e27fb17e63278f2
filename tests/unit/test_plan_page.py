"""The page of the plan, as bytes: pictures to scale, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from ray_gke.planning.capacity import Capacity, NodePool
from ray_gke.reporting.page_cost import chart
from ray_gke.reporting.page_nodes import node, strip
from ray_gke.reporting.page_shapes import Block, Picture
from ray_gke.reporting.plan_page import page
from tests.page import example

WIDTH = 320
GAP = 1


def blocks(picture: Picture, look: str) -> list[Block]:
    return [block for block in picture.blocks if look in block.look.split()]


def pool(capacity: Capacity, name: str) -> NodePool:
    return next(pool for pool in capacity.pools if pool.name.startswith(name))


def drawn(found: NodePool, kind: int = 0) -> Picture:
    alike = found.maximum[kind]
    tags = {(pods.run, pods.group): n for n, pods in enumerate(alike.pods, 1)}
    return node(found, alike, tags)


@pytest.mark.parametrize("capacity", [example.rich(), example.smallest()])
def test_the_same_plan_gives_the_same_bytes(capacity: Capacity) -> None:
    assert page(capacity) == page(replace(capacity))


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    text = page(example.rich())
    assert not re.search(r"<script|\son\w+=|\sstyle=|\ssrc=|@import|javascript:", text)
    assert set(re.findall(r"url\(([^)]*)\)", text)) == {"#hatch"}
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', text))
    assert example.HOSTILE not in text
    assert "R&amp;D &lt;script&gt;" in text


def test_the_policy_allows_only_the_style_of_the_page() -> None:
    text = page(example.smallest())
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text


def test_every_link_has_its_target() -> None:
    text = page(example.rich())
    targets = re.findall(r'\sid="([^"]*)"', text)
    assert len(targets) == len(set(targets))
    assert {link[1:] for link in re.findall(r'href="(#[^"]*)"', text)} <= set(targets)


def test_every_picture_says_what_it_shows() -> None:
    pictures = re.findall(r"<svg.*?</svg>", page(example.rich()), re.DOTALL)
    for picture in map(ET.fromstring, pictures):
        assert picture.get("aria-hidden") or (
            picture.findtext("title") and picture.findtext("desc")
        )


def test_equal_nodes_are_drawn_once() -> None:
    text = page(example.rich())
    assert text.count("11 nodes alike") == 1
    assert len(page(example.huge())) < 400_000


def test_pods_stand_to_scale_on_cpu_and_memory() -> None:
    pods = blocks(drawn(pool(example.rich(), "a100")), "c0")
    gpu, cpu, memory = pods[:7], pods[7:14], pods[14:]
    assert {round(block.width, 1) for block in cpu} == {WIDTH * 1.5 / 12 - GAP}
    # 9 of 85 GiB.
    assert {round(block.width, 1) for block in memory} == {32.9}
    assert len(gpu) == 7
    assert {block.tag for block in pods} == {"1"}


def test_slices_stand_to_scale_of_memory_and_leave_the_rest() -> None:
    """An A100 has 40 GB, and its seven slices 4.75 GiB each."""
    picture = drawn(pool(example.rich(), "a100"))
    (gpu,) = blocks(picture, "gpu")
    slices = blocks(picture, "slice")
    assert gpu.width == WIDTH
    widths = [block.width for block in slices]
    assert widths == pytest.approx([40.8 - 1.5] * 7, abs=0.05)
    assert max(block.x + block.width for block in slices) < 7 * 40.8


def test_shares_are_equal_and_free_ones_are_shown() -> None:
    picture = drawn(pool(example.rich(), "t4"))
    taken = blocks(picture, "c0")[:4]
    free = blocks(picture, "free")
    assert [block.tag for block in free] == ["free"] * 4
    widths = [block.width for block in (*taken, *free)]
    assert max(widths) - min(widths) < 0.05


def test_what_is_stranded_and_what_the_system_keeps_is_to_scale() -> None:
    """Of 8 CPUs 1.06 are stranded, and 0.94 the system's."""
    picture = drawn(pool(example.rich(), "t4"))
    stranded, reserved = (blocks(picture, k)[0] for k in ("stranded", "reserved"))
    assert stranded.width == pytest.approx(WIDTH * 1.06 / 8 - GAP, abs=0.05)
    assert reserved.width == pytest.approx(WIDTH * 0.94 / 8 - GAP, abs=0.05)
    assert (stranded.tag, reserved.tag) == ("1.06", "0.94")


def test_balloons_are_hatched() -> None:
    found = pool(example.rich(), "a100")
    (alike,) = found.minimum
    picture = node(found, alike, {("stable-diffusion", "gpu"): 1})
    assert len(blocks(picture, "balloon")) == 3 * 2
    assert 'class="hatch"' in page(example.rich())


@pytest.mark.parametrize("capacity", [example.rich(), example.huge(3)])
def test_blocks_stay_inside_their_picture(capacity: Capacity) -> None:
    tags = {
        (pods.run, pods.group): 1
        for found in capacity.pools
        for alike in (*found.minimum, *found.maximum)
        for pods in alike.pods
    }
    pictures = [
        chart(capacity.cost),
        *map(strip, capacity.pools),
        *(node(p, alike, tags) for p in capacity.pools for alike in p.maximum),
    ]
    for picture in pictures:
        for block in picture.blocks:
            assert min(block.x, block.y, block.width, block.height) >= 0
            assert block.x + block.width <= picture.width
            assert block.y + block.height <= picture.height


def test_blocks_too_narrow_for_a_number_have_it_together() -> None:
    """48 clients share one GPU: each is drawn, and one number says who they are."""
    found = pool(example.rich(), "t4")
    alike = found.maximum[0]
    many = replace(alike.pods[0], pods=48, pod=example.amounts(0.1, 0.5, 1))
    found = replace(
        found,
        devices_per_node=48,
        max_shared_clients_per_gpu=48,
        maximum=(replace(alike, pods=(many,), stranded=example.amounts(2.26, 2)),),
    )
    over = blocks(drawn(found), "over")
    assert over[0].tag == "1\N{MULTIPLICATION SIGN}48"
    assert len(blocks(drawn(found), "c0")) > 48


def test_cost_is_called_an_estimate_with_its_date_and_its_gaps() -> None:
    text = page(example.rich())
    assert ">estimate<" in text
    assert '<time datetime="2026-06-23">' in text
    assert "Without a price, and not in the sums: h100-8-1c22f0." in text
    assert "What has no Spot price is counted on demand" in text


def test_the_cost_chart_is_to_scale() -> None:
    """36.00 of 167.21 an hour, the dearest bar."""
    cost = example.rich().cost
    tracks = blocks(chart(cost), "track")
    (spot,) = [
        block
        for block in chart(cost).blocks
        if block.tag == "F" and block.y == tracks[2].y
    ]
    assert len(tracks) == 5
    assert spot.width == pytest.approx(WIDTH * 36 / 167.21 - GAP, abs=0.2)


def test_a_plan_without_any_price_is_a_page_too() -> None:
    small = example.smallest()
    items = tuple(
        replace(item, idle=None, minimum=None, maximum=None, on_demand=None, spot=None)
        for item in small.cost.items
    )
    zero = Decimal(0)
    cost = replace(small.cost, items=items, minimum=zero, maximum=zero)
    unpriced = tuple(replace(p, price=None) for p in small.pools)
    text = page(replace(small, cost=cost, pools=unpriced))
    assert "no price known" in text
