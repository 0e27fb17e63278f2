"""The images of a real node: Ray as `rayproject/ray` has it, and programs that wait.

The pause container is one. Fluent Bit is another: no package has it, so what stands
under its name waits to be ended, as it would, and ships nothing.

They are built from Debian packages and Python wheels into one archive of the form that
`docker save` writes, which containerd imports and crane pushes. The archive is kept
in the cache of the parts, by a digest of what it is made from.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ray_gke import versions
from tests.cluster import packages, parts

RAY = f"docker.io/{versions.IMAGE}"
RAY_GPU = f"docker.io/{versions.image(versions.RAY_VERSION, gpu=True)}"
"""The same image: what else the one for GPUs has is of no use without them."""
PAUSE = versions.PAUSE_IMAGE
FLUENT_BIT = f"docker.io/{versions.FLUENT_BIT_IMAGE}"

_REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "up.txt"
_SUITE = "bookworm"
_PYTHON = "3.11"
# What the image of the Ray project has, of what KubeRay and blueprints call.
_PACKAGES = ("ca-certificates", "procps", "python-is-python3", "python3-pip", "wget")
# bookworm has glibc 2.36; manylinux2014 brings its elders.
_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(5, 37)]
_PLATFORMS += ["manylinux2014_x86_64"]
_NOT_IN_THE_IMAGE = (
    *("usr/share/doc", "usr/share/locale", "usr/share/man"),
    *("var/cache/apt", "var/lib/apt/lists", "var/log"),
)
_RAY_CONFIG = {
    "User": "1000:100",
    "WorkingDir": "/home/ray",
    "Env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/home/ray",
        "LANG=C.UTF-8",
    ],
    "Cmd": ["/bin/bash"],
}
_PAUSE_CONFIG = {"User": "65535:65535", "Entrypoint": ["/pause"]}
_PAUSE_SOURCE = """\
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	<-ends
}
"""
_LAST_LINES = 15


class ImageError(Exception):
    """An image cannot be built; the message has the end of what the builder said."""


def archive() -> Path:
    """Return the archive with both images, built first where the cache has none."""
    built = parts.cache() / "images" / f"{_digest()}.tar"
    if not built.exists():
        packages.install(packages.IMAGE)
        built.parent.mkdir(parents=True, exist_ok=True)
        with (built.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not built.exists():
                _build(built)
    return built


def _digest() -> str:
    recipe = Path(__file__).read_bytes() + _REQUIREMENTS.read_bytes()
    return hashlib.sha256(recipe).hexdigest()[:16]


def _build(built: Path) -> None:
    sys.stderr.write(f"building the Ray image (once) into {built}\n")
    folder = built.with_suffix(".unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _ray_root(folder / "ray")
    _pause_root(folder / "pause")
    images: dict[tuple[str, ...], tuple[Path, Mapping[str, Any]]] = {
        (RAY, RAY_GPU): (_layer(folder / "ray"), _RAY_CONFIG),
        (PAUSE, FLUENT_BIT): (_layer(folder / "pause"), _PAUSE_CONFIG),
    }
    _write_archive(folder / "images.tar", images)
    (folder / "images.tar").rename(built)
    shutil.rmtree(folder)


def _ray_root(root: Path) -> None:
    """Make a Debian with the Python packages that `ray-gke up` uses on this machine."""
    include = f"--include={','.join(_PACKAGES)}"
    _run(["debootstrap", "--variant=minbase", include, _SUITE, root])
    _run([*_chroot(root), "useradd", "--uid=1000", "--gid=100", "--create-home", "ray"])
    _download_wheels(root / "wheels")
    wheels = [f"/wheels/{file.name}" for file in (root / "wheels").iterdir()]
    pip = [*_chroot(root), "python3", "-m", "pip", "install", "--quiet", "--no-index"]
    own = ["--no-deps", "--break-system-packages", "--root-user-action=ignore"]
    _run([*pip, *own, *wheels])
    shutil.rmtree(root / "wheels")


def _chroot(root: Path) -> list[str | Path]:
    # Without what the host's environment says about Python, pip and certificates.
    clean = ["env", "--ignore-environment", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    return ["chroot", root, *clean]


def _download_wheels(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"]
    python = [f"--python-version={_PYTHON}", "--implementation=cp"]
    platforms = [f"--platform={platform}" for platform in _PLATFORMS]
    wheels = ["--only-binary=:all:", "--no-deps", f"--dest={folder}"]
    wanted = folder.with_name("requirements.txt")
    wanted.write_text(_with_wheels(_REQUIREMENTS.read_text()))
    _run([*pip, *python, *platforms, *wheels, f"--requirement={wanted}"])
    wanted.unlink()


def _with_wheels(requirements: str) -> str:
    """Leave out what no pod needs: Google's clients, and what has no wheel."""
    of_them = re.compile(
        r"^(python-terraform|google-cloud-[a-z-]+)==.*\n(^    .*\n)*", re.MULTILINE
    )
    return of_them.sub("", requirements)


def _pause_root(root: Path) -> None:
    """Make a root with nothing but a program that waits for the signal to end."""
    source = root.with_name("pause.go")
    source.write_text(_PAUSE_SOURCE)
    flags = ["-trimpath", "-ldflags=-s -w"]
    _run(["go", "build", *flags, "-o", root / "pause", source], {"CGO_ENABLED": "0"})


def _layer(root: Path) -> Path:
    """Pack the files of an image, without what nobody reads in a container."""

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if member.name.startswith(_NOT_IN_THE_IMAGE) else member

    layer = root.with_name(f"{root.name}.layer.tar")
    with tarfile.open(layer, "w") as packed:
        for entry in sorted(root.iterdir()):
            packed.add(entry, entry.name, filter=kept)
    shutil.rmtree(root)
    return layer


def _write_archive(
    file: Path,
    images: Mapping[tuple[str, ...], tuple[Path, Mapping[str, Any]]],
) -> None:
    manifests = []
    with tarfile.open(file, "w") as packed:
        for references, (layer, config) in images.items():
            with layer.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            packed.add(layer, f"{digest}.tar")
            text = _image_config(config, digest)
            name = f"{hashlib.sha256(text).hexdigest()}.json"
            _add(packed, name, text)
            manifests.append(
                {"Config": name, "RepoTags": references, "Layers": [f"{digest}.tar"]}
            )
        _add(packed, "manifest.json", json.dumps(manifests).encode())


def _image_config(config: Mapping[str, Any], layer_digest: str) -> bytes:
    """Return an image's configuration; without its platform containerd drops it."""
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]}
    whole = {"os": "linux", "architecture": "amd64", "config": config, "rootfs": rootfs}
    return json.dumps(whole).encode()


def _add(packed: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    packed.addfile(member, io.BytesIO(content))


def _run(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # debootstrap tells its errors on stdout.
        last = "\n".join((done.stdout + done.stderr).splitlines()[-_LAST_LINES:])
        raise ImageError(f"`{' '.join(map(str, command))}` failed:\n{last}")
