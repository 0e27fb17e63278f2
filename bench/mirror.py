"""Mirroring an image beside `crane copy`, between the same two registries."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.measure import Measured, median_ratio, run
from tests.cluster import parts
from tests.cluster.registry import Registry
from tests.registry import images
from tests.registry.debian import DockerRegistry

MIB = 2**20
LAYERS_MIB = (512, 192, 64, 32, 16, 8, 4, 1)
ROUNDS = 5
Tell = Callable[..., None]

_RAY_GKE = str(Path(sys.executable).with_name("ray-gke"))


def image(folder: Path, tell: Tell) -> None:
    """Copy an image of random layers, one of which is most of it."""
    source = Registry(folder / "source")
    source.start()
    layers = (images.random_bytes(size * MIB, size) for size in LAYERS_MIB)
    images.push(source.host, "bench/image", images.image(*layers), "1")
    name = f"{source.host}/bench/image:1"
    pairs = [_pair(folder / f"round-{number}", name) for number in range(ROUNDS)]
    source.stop()
    ours, peers = zip(*pairs, strict=True)
    seconds = min(m.seconds for m in ours), min(m.seconds for m in peers)
    size = sum(LAYERS_MIB)
    print(f"{size} MiB: images mirror {seconds[0]:.1f} s, crane {seconds[1]:.1f} s")
    ratio = median_ratio([m.seconds for m in peers], [m.seconds for m in ours])
    tell("throughput of images mirror / crane copy", ratio, ">= 0.9")
    tell("memory of images mirror", max(m.own_mib for m in ours), "< 200", unit="MiB")


def _pair(folder: Path, name: str) -> tuple[Measured, Measured]:
    crane = str(parts.path("crane"))

    def ours(host: str) -> Sequence[str]:
        return [_RAY_GKE, "images", "mirror", name, "--to", host]

    def peers(host: str) -> Sequence[str]:
        return [crane, "copy", "--insecure", name, f"{host}/bench/image:1"]

    return _into_nothing(folder / "ours", ours), _into_nothing(folder / "peers", peers)


def _into_nothing(folder: Path, command: Callable[[str], Sequence[str]]) -> Measured:
    """Run a copy into a registry that has nothing yet."""
    target = DockerRegistry(folder)
    target.start()
    try:
        return run(command(target.host))
    finally:
        target.stop()
        shutil.rmtree(folder)
