"""Kubeconfig files: how a program or a user reaches a test cluster, and as whom."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml

CONTEXT = "ray-gke-test"
"""The name of the cluster and of the context in all of these files."""


def write(
    file: Path,
    *,
    url: str,
    ca: Path,
    token: str | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> Path:
    """Write a kubeconfig that needs no other file, readable by its owner only."""
    user: dict[str, str] = {"token": token} if token else {}
    if certificate:
        user["client-certificate-data"] = _encoded(certificate[0])
        user["client-key-data"] = _encoded(certificate[1])
    cluster = {"server": url, "certificate-authority-data": _encoded(ca)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": file.stem, "user": user}],
        "contexts": [
            {"name": CONTEXT, "context": {"cluster": CONTEXT, "user": file.stem}}
        ],
        "current-context": CONTEXT,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(document))
    return file


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
