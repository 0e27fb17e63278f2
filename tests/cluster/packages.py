"""Debian packages that a real node is made of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NODE = (
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "iproute2",
    "iptables",
    "runc",
    "util-linux",
)
"""What containerd, kubelet and kube-proxy need."""
IMAGE = ("debian-archive-keyring", "debootstrap")
"""What the Ray image is built with."""

_LAST_LINES = 15
_ANSWERS_WHETHER_SERVICES_START = Path("/usr/sbin/policy-rc.d")
_NO = "#!/bin/sh\nexit 101\n"


class PackagesError(Exception):
    """Packages are missing and cannot be installed; the message says what to do."""


def install(names: Sequence[str]) -> None:
    """Install those packages that are missing, without starting their services."""
    missing = [name for name in names if not _is_installed(name)]
    if not missing:
        return
    try:
        _apt("update")
        with _services_stay_down():
            _apt("install", "--yes", "--no-install-recommends", *missing)
    except OSError as error:
        raise PackagesError(
            f"a real node needs {', '.join(missing)}, and installing these needs "
            f"root on Debian: {error}"
        ) from None


def _is_installed(name: str) -> bool:
    asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return done.stdout == "installed"


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """Let Debian answer "no" to a package that would start its service."""
    if _ANSWERS_WHETHER_SERVICES_START.exists():
        yield
        return
    _ANSWERS_WHETHER_SERVICES_START.write_text(_NO)
    try:
        _ANSWERS_WHETHER_SERVICES_START.chmod(0o755)
        yield
    finally:
        _ANSWERS_WHETHER_SERVICES_START.unlink()


def _apt(*arguments: str) -> None:
    command = ["apt-get", "--quiet", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).splitlines()[-_LAST_LINES:])
        raise PackagesError(f"`{' '.join(command)}` failed:\n{last}")
