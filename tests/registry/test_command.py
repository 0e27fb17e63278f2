"""`ray-gke images mirror` as a process: what it prints, how it ends, how it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ray_gke.commands.image_mirror import mirror
from ray_gke.errors import UsageError
from tests.cluster.processes import eventually
from tests.registry import images
from tests.registry.conftest import place
from tests.registry.fake import FakeRegistry
from tests.registry.images import Image, image, random_bytes

PLATFORM = """\
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: demo}
spec:
  target: gke
  project: some-project
  region: us-central1
  blueprints:
    - {blueprint: squares}
"""


def begin(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ray_gke", "images", "mirror", *arguments]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "DOCKER_CONFIG": str(folder)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = begin(folder, *arguments)
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr


class Held:
    """An image whose large layer stops in the middle; the small one passes."""

    def __init__(self, source: FakeRegistry) -> None:
        self.small, self.large = random_bytes(50_000, 1), random_bytes(900_000, 2)
        self.image = image(self.small, self.large)
        self.name = source.put("app", self.image, "1")
        self.go_on = threading.Event()
        source.faults.held[self.stuck] = self.go_on

    @property
    def stuck(self) -> str:
        return images.digest(self.large)

    def first_are_there(self, target: FakeRegistry) -> bool:
        """Tell whether all but the large layer are whole, and that is on its way."""
        there = {digest for _, digest in target.blobs}
        return there == set(self.image.blobs) - {self.stuck} and bool(target.uploads)


@pytest.fixture
def held(source: FakeRegistry) -> Iterator[Held]:
    one = Held(source)
    yield one
    one.go_on.set()


def test_a_line_for_each_image_and_progress_on_stderr(
    source: FakeRegistry, target: FakeRegistry, tmp_path: Path
) -> None:
    ones: list[Image] = [image(bytes([n])) for n in range(2)]
    names = [source.put(f"app-{n}", one, "1") for n, one in enumerate(ones)]
    code, stdout, stderr = run(tmp_path, *names, "--to", f"{target.host}/copies")
    assert code == 0, stderr
    assert stdout.splitlines() == [
        f"{name} → {target.host}/{place(source, f'app-{n}')}:1@{ones[n].digest}"
        for n, name in enumerate(names)
    ]
    assert "images: copy images …" in stderr
    assert "(2 of 2)" in stderr


def test_as_json(source: FakeRegistry, target: FakeRegistry, tmp_path: Path) -> None:
    one = image(b"a")
    name = source.put("app", one, "1")
    to = f"{target.host}/copies"
    code, stdout, _ = run(tmp_path, name, name, "--to", to, "--output", "json")
    assert code == 0
    copy = f"{target.host}/{place(source, 'app')}:1"
    assert json.loads(stdout) == [
        {"source": name, "target": copy, "digest": one.digest}
    ]


def test_an_image_that_is_missing_is_a_refusal(
    source: FakeRegistry, target: FakeRegistry, tmp_path: Path
) -> None:
    code, stdout, stderr = run(tmp_path, f"{source.host}/app:1", "--to", target.host)
    assert (code, stdout) == (4, "")
    assert f"the registry {source.host} has no such image" in stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "which IMAGE?"),
        (["python:3.11"], "where should the images go?"),
        (["a b", "--to", "localhost:1"], "is no name of an image"),
    ],
)
def test_what_is_missing_on_the_command_line_is_told(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    code, _, stderr = run(tmp_path, *arguments)
    assert code in {2, 3}
    assert told in stderr
    assert "hint:" in stderr


@pytest.mark.parametrize(
    "to",
    [
        "",
        "/",
        "http://registry.example.com/x",
        "registry.example.com/X",
        "registry.example.com/a b",
        "registry.example.com/é",
        "registry.example.com/x:1",
        "registry.example.com//x",
        "registry.example.com/" + "a" * 300,
    ],
)
def test_where_no_copy_can_be_is_a_mistake_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    # An empty one is not the platform's own.
    (tmp_path / "ray-gke.yaml").write_text(PLATFORM)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^--to '.*' is no repository that can have"):
        mirror(["python:3.11"], to=to)


@pytest.mark.parametrize("named", ["", "linux/amd64", "amd64,arm64", "AMD64"])
def test_what_is_no_architecture_is_a_mistake_on_the_command_line(named: str) -> None:
    with pytest.raises(UsageError, match=f"^--architecture '{named}' is no arch"):
        mirror(["python:3.11"], to="localhost:1", architectures=["arm64", named])


def test_a_platform_says_which_images_and_where_to(tmp_path: Path) -> None:
    (tmp_path / "ray-gke.yaml").write_text(PLATFORM)
    script = (
        "import sys; from ray_gke.targets.registry import mirror;"
        "mirror.mirror = lambda _, pairs, *rest:"
        " print(*map(str, sum(pairs, ()))) or [];"
        "sys.argv = ['ray-gke', 'images', 'mirror'];"
        "from ray_gke.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    words = done.stdout.split()
    prefix = "us-central1-docker.pkg.dev/some-project/demo-images/"
    assert words[0].startswith("docker.io/rayproject/ray:")
    assert words[1] == prefix + words[0].removeprefix("docker.io/")
    assert all(word.startswith(prefix) for word in words[1::2])


def test_a_killed_process_copies_no_finished_blob_again(
    source: FakeRegistry, target: FakeRegistry, tmp_path: Path, held: Held
) -> None:
    to = f"{target.host}/copies"
    process = begin(tmp_path, held.name, "--to", to)
    eventually("the small blobs", lambda: held.first_are_there(target))
    process.kill()
    process.communicate()
    assert not target.manifests
    held.go_on.set()
    code, _, stderr = run(tmp_path, held.name, "--to", to)
    assert code == 0, stderr
    assert target.tags(place(source, "app")) == {"1": held.image.digest}
    for digest, data in held.image.blobs.items():
        finished = digest != held.stuck
        assert source.times("GET", digest) == (1 if finished else 2)
        assert target.times("PUT", digest[7:]) == 1
        if finished:
            assert source.sent[digest] == len(data)
    assert target.times("PATCH", "/blobs/") == len(held.image.blobs) + 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_no_upload(
    source: FakeRegistry,
    target: FakeRegistry,
    tmp_path: Path,
    held: Held,
    how: signal.Signals,
) -> None:
    process = begin(tmp_path, held.name, "--to", f"{target.host}/copies")
    eventually("the small blobs", lambda: held.first_are_there(target))
    process.send_signal(how)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stdout == ""
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert not target.uploads
    assert not target.manifests
