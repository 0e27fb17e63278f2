"""Write Ray's Grafana dashboards as the pinned Ray generates them, offline.

    python tools/write_dashboards.py            writes ray_gke/rendering/dashboards/
    python tools/write_dashboards.py --check    exits 1 when what is there differs

They are the same but for their white space: one panel a line, so that a diff is small.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ray_gke import versions
from ray_gke.rendering.monitoring import DASHBOARDS

FOLDER = Path(__file__).parent.parent / "ray_gke" / "rendering" / "dashboards"


def main() -> int:
    """Write the dashboards, or with --check compare; return the exit status."""
    wanted = {f"{name}.json": text for name, text in dashboards()}
    if "--check" in sys.argv[1:]:
        there = {file.name: file.read_text("utf-8") for file in FOLDER.iterdir()}
        stale = [n for n in there | wanted if there.get(n) != wanted.get(n)]
        sys.stdout.writelines(
            f"{name} differs: python tools/write_dashboards.py\n" for name in stale
        )
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, "utf-8")
        sys.stdout.write(f"{name}: {len(text):,} bytes\n")
    return 0


def dashboards() -> Iterator[tuple[str, str]]:
    """Yield all of Ray's dashboards by our names for them."""
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        del os.environ[name]  # the generator takes filters and links from there
    import ray
    from ray.dashboard.modules.metrics import grafana_dashboard_factory as factory

    if ray.__version__ != versions.RAY_VERSION:
        sys.exit(f"this is Ray {ray.__version__}, and {versions.RAY_VERSION} is pinned")
    generators = {n for n in dir(factory) if n.startswith("generate_")}
    ours = {n: f"generate_{n.replace('-', '_')}_grafana_dashboard" for n in DASHBOARDS}
    if unknown := generators ^ set(ours.values()):
        sys.exit(f"DASHBOARDS does not name all that Ray has: {', '.join(unknown)}")
    for name, generator in ours.items():
        content, _ = getattr(factory, generator)()
        yield name, json_text(json.loads(content)) + "\n"


def json_text(part: dict[str, Any]) -> str:
    """Return a dashboard or a row of panels with a line for each of its parts."""
    lines = (f"{_compact(key)}:{_value(key, part[key])}" for key in part)
    return "{\n" + ",\n".join(lines) + "\n}"


def _value(key: str, value: Any) -> str:
    if key != "panels":
        return _compact(value)
    panels = (json_text(p) if p.get("panels") else _compact(p) for p in value)
    return "[\n" + ",\n".join(panels) + "\n]"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
