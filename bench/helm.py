"""The peer of rendering: helm, built from its Go module, over a chart."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

HELM_VERSION = "v3.19.0"


def build(cache: Path) -> Path | None:
    """Return a helm executable, built into `cache` once; None without Go."""
    helm = cache / f"helm-{HELM_VERSION}"
    if helm.exists():
        return helm
    source = cache / "helm-source"
    source.mkdir(parents=True, exist_ok=True)
    (source / "go.mod").write_text(
        f"module bench\n\ngo 1.24\n\nrequire helm.sh/helm/v3 {HELM_VERSION}\n",
        encoding="utf-8",
    )
    command = ["go", "build", "-o", str(helm), "helm.sh/helm/v3/cmd/helm"]
    env = {**os.environ, "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    try:
        subprocess.run(command, cwd=source, env=env, check=True)
    except FileNotFoundError:
        return None
    return helm


def chart(helm: Path, cache: Path) -> Path:
    """Return the chart to render: $RAY_CLUSTER_CHART, or helm's own sample."""
    given = os.environ.get("RAY_CLUSTER_CHART")
    if given:
        return Path(given)
    sample = cache / "sample"
    if not sample.exists():
        subprocess.run([helm, "create", sample], check=True, stdout=subprocess.DEVNULL)
    return sample
