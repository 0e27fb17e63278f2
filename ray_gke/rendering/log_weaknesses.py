"""What of Ray's environment keeps log files from where they go, or makes them too many.

Nothing is said of variables whose value comes from elsewhere, such as a Secret.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ray_gke.catalog.quantities import number
from ray_gke.planning.plan import Plan
from ray_gke.rendering import log_sizes
from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest

_STDERR = "RAY_LOG_TO_STDERR"
_UNWRITTEN = (
    f"with {_STDERR} Ray writes no log files, and nobody collects what it writes "
    "instead"
)


def faults(pod: Manifest, path: Path, plan: Plan) -> Iterator[Fault]:
    """Yield it for the pod of a head or worker, whose spec stands at `path`."""
    # Ray's is the first of them (pod.go, RayContainerIndex).
    container: Manifest = next(iter(pod.get("containers", ())), {})
    env = container.get("env", ())
    places: dict[str, Path] = {
        one["name"]: (*path, "containers", 0, "env", index, "value")
        for index, one in enumerate(env)
    }
    given = {one["name"]: one["value"] for one in env if "value" in one}
    # No other value turns it on (_private/node.py, should_redirect_logs).
    if given.get(_STDERR) == "1" and plan.day_two.logs.mode != "none":
        yield Fault(places[_STDERR], _UNWRITTEN, "leave it out")
    for name, what in _too_large(given, plan.day_two.logs.size_limit):
        yield Fault(places[name], what, f"leave {name} out, or raise logs.size_limit")


def _too_large(given: dict[str, str], size_limit: str) -> Iterator[tuple[str, str]]:
    size = log_sizes.most(size_limit, given)
    if not size > float(number(size_limit)):
        return
    takes = (
        "grow without end" if math.isinf(size) else f"may take {size / 2**30:.1f} GiB"
    )
    what = (
        f"log files and runtime environments {takes}, and logs.size_limit is "
        f"{size_limit}: the pod may be evicted"
    )
    for name, ours in log_sizes.env(size_limit).items():
        if given.get(name, ours) != ours:
            yield name, what
