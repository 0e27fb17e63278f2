"""Mirroring between registries that are not ours: crane's, and Docker's as in Debian.

A proxy before the source counts what is read, and breaks connections.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.cluster import parts
from tests.cluster.processes import eventually
from tests.cluster.registry import Registry
from tests.registry import images
from tests.registry.debian import DockerRegistry
from tests.registry.images import Image, image, index, random_bytes
from tests.registry.proxy import ReadingProxy

pytestmark = pytest.mark.cluster

MIB = 2**20
SMALL, LARGE = random_bytes(2 * MIB, 1), random_bytes(24 * MIB, 2)
Real = Registry | DockerRegistry


@pytest.fixture(scope="module")
def cranes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    registry = Registry(tmp_path_factory.mktemp("crane"))
    registry.start()
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def dockers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    try:
        registry = DockerRegistry(tmp_path_factory.mktemp("docker"))
    except (OSError, subprocess.CalledProcessError) as error:
        if os.environ.get("CI_REQUIRES_PACKAGES") == "1":
            raise
        pytest.skip(f"Debian's docker-registry cannot be had here: {error}")
    registry.start()
    yield registry
    registry.stop()


@pytest.fixture(params=["from crane", "from docker"])
def pair(
    request: pytest.FixtureRequest, cranes: Registry, dockers: DockerRegistry
) -> tuple[Real, Real]:
    """Source and target, either way round."""
    return (cranes, dockers) if request.param == "from crane" else (dockers, cranes)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A repository that no other test has."""
    text = str(request.node.name).lower()
    return "".join(c if c.isalnum() else "-" for c in text).strip("-")


class Command:
    """`ray-gke images mirror`, in a folder of its own; `begun` ends with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begun: list[subprocess.Popen[str]] = []

    def begin(self, *arguments: str, to: Real) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ray_gke", "images", "mirror", *arguments]
        process = subprocess.Popen(
            [*command, "--to", f"{to.host}/copies"],
            cwd=self.folder,
            env={**os.environ, "DOCKER_CONFIG": str(self.folder)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.begun.append(process)
        return process

    def __call__(self, *arguments: str, to: Real) -> str:
        process = self.begin(*arguments, to=to)
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
        return stdout


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path)
    yield command
    for process in command.begun:
        with process:
            process.kill()


def place(source: str, name: str) -> str:
    return f"copies/{source.replace(':', '-')}/{name}"


def unique(name: str) -> Image:
    return image(SMALL + name.encode(), LARGE + name.encode())


def crane(arguments: str) -> str:
    command = [str(parts.path("crane")), *arguments.split()]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def test_copies_are_whole_and_have_the_digests_of_the_originals(
    pair: tuple[Real, Real], name: str, mirror: Command
) -> None:
    source, target = pair
    one, arm = unique(name), image(b"arm" + name.encode(), architecture="arm64")
    everything = index([("linux/amd64", one), ("linux/arm64", arm)])
    images.push(source.host, name, everything, "1")
    of_tag, of_digest = f"{source.host}/{name}:1", f"{name}@{everything.digest}"
    told = mirror(of_tag, f"{source.host}/{of_digest}", to=target)
    where = place(source.host, name)
    assert told.splitlines() == [
        f"{of_tag} → {target.host}/{where}:1@{one.digest}",
        f"{source.host}/{of_digest} → {target.host}/{where}@{everything.digest}",
    ]
    assert images.pull(target.host, where, "1") == one.body
    assert images.pull(target.host, where, everything.digest) == everything.body
    for digest, data in everything.all_blobs.items():
        assert images.blob(target.host, where, digest) == data


def test_crane_finds_a_copy_of_its_own_image_valid(
    pair: tuple[Real, Real], name: str, mirror: Command, tmp_path: Path
) -> None:
    """Of an image in Docker's format, whose layer is compressed."""
    source, target = pair
    (tmp_path / "hello").write_bytes(SMALL)
    layer = tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        archive.add(tmp_path / "hello", "hello")
    original = f"{source.host}/{name}:1"
    crane(f"append --insecure -f {layer} -t {original}")
    mirror(original, to=target)
    copy = f"{target.host}/{place(source.host, name)}:1"
    crane(f"validate --insecure --remote {copy}")
    assert crane(f"digest --insecure {copy}") == crane(f"digest --insecure {original}")


def test_a_blob_in_another_repository_of_the_target_is_not_sent_again(
    pair: tuple[Real, Real], name: str, mirror: Command
) -> None:
    source, target = pair
    base = LARGE + name.encode()
    with ReadingProxy(source.host) as proxy:
        names = [f"{name}-{number}" for number in range(3)]
        for number, one in enumerate(names):
            images.push(source.host, one, image(base, bytes([number])), "1")
        mirror(*(f"{proxy.host}/{one}:1" for one in names), to=target)
        assert proxy.times[images.digest(base)] == 1
        for one in names:
            where = place(proxy.host, one)
            assert images.blob(target.host, where, images.digest(base)) == base


def test_broken_connections_cost_no_byte_that_was_read(
    pair: tuple[Real, Real], name: str, mirror: Command
) -> None:
    source, target = pair
    one = unique(name)
    images.push(source.host, name, one, "1")
    _, _, large = one.blobs
    with ReadingProxy(source.host) as proxy:
        proxy.ends_after[large] = [5 * MIB, 9 * MIB]
        mirror(f"{proxy.host}/{name}:1", to=target)
        assert proxy.times[large] == 3
        assert images.pull(target.host, place(proxy.host, name), "1") == one.body
        # A chunk that had not come whole is read again.
        assert proxy.sent[large] < len(one.blobs[large]) + 3 * MIB


def first_are_there(target: Real, where: str, digests: Sequence[str]) -> None:
    for digest in digests:
        path = f"blobs/{digest}"
        eventually(path, lambda: images.has(target.host, where, path))  # noqa: B023


def test_a_killed_process_copies_no_finished_blob_again(
    cranes: Registry, dockers: DockerRegistry, name: str, mirror: Command
) -> None:
    """Into Docker's registry: crane's takes one blob at a time."""
    one = unique(name)
    images.push(cranes.host, name, one, "1")
    config, small, large = one.blobs
    with ReadingProxy(cranes.host) as proxy:
        original, where = f"{proxy.host}/{name}:1", place(proxy.host, name)
        held = proxy.held[large]
        process = mirror.begin(original, to=dockers)
        first_are_there(dockers, where, [config, small])
        eventually("the large one", lambda: proxy.sent[large])
        process.kill()
        process.communicate()
        assert not images.has(dockers.host, where, "manifests/1")
        held.set()
        mirror(original, to=dockers)
        assert dict(proxy.times) == {config: 1, small: 1, large: 2}
        assert images.pull(dockers.host, where, "1") == one.body


def test_interrupted_it_leaves_nothing_half(
    cranes: Registry, dockers: DockerRegistry, name: str, mirror: Command
) -> None:
    one = unique(name)
    images.push(cranes.host, name, one, "1")
    config, small, large = one.blobs
    with ReadingProxy(cranes.host) as proxy:
        where = place(proxy.host, name)
        assert not proxy.held[large].is_set()
        process = mirror.begin(f"{proxy.host}/{name}:1", to=dockers)
        first_are_there(dockers, where, [config, small])
        eventually("the large one", lambda: proxy.sent[large])
        assert dockers.uploads(where)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert dockers.uploads(where) == []
        assert not images.has(dockers.host, where, "manifests/1")


def test_a_wrong_blob_is_refused_and_leaves_nothing(
    pair: tuple[Real, Real], name: str, mirror: Command
) -> None:
    source, target = pair
    one = unique(name)
    images.push(source.host, name, one, "1")
    _, _, large = one.blobs
    with ReadingProxy(source.host) as proxy:
        proxy.damaged.add(large)
        where = place(proxy.host, name)
        process = mirror.begin(f"{proxy.host}/{name}:1", to=target)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"contents of another digest than {large}" in stderr
    assert not images.has(target.host, where, "manifests/1")
    assert not images.has(target.host, where, f"blobs/{large}")
    if isinstance(target, DockerRegistry):
        assert target.uploads(where) == []


def test_memory_does_not_grow_with_the_image(
    pair: tuple[Real, Real], name: str, tmp_path: Path
) -> None:
    source, target = pair
    layers = [random_bytes(48 * MIB, seed) + name.encode() for seed in range(6)]
    images.push(source.host, name, image(*layers), "1")
    script = (
        "import atexit; from ray_gke import cli;"
        "atexit.register(lambda: print(open('/proc/self/status').read()));"
        "cli.main()"
    )
    command = [sys.executable, "-c", script, "images", "mirror"]
    image_name, to = f"{source.host}/{name}:1", f"{target.host}/copies"
    done = subprocess.run(
        [*command, image_name, "--to", to],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert int(peak) < 200 * 1024
