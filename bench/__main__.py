"""Run every measurement and print it beside its goal."""

from __future__ import annotations

import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import doctor, helm, mirror, on_cluster, on_gke
from bench.measure import environment, median_ratio, run, start_up

PYTHON = sys.executable
RAY_GKE = str(Path(PYTHON).with_name("ray-gke"))
ROOT = Path(__file__).resolve().parents[1]
CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ray-gke/bench"
)


def tell(what: str, measured: float, goal: str, *, unit: str = "x") -> None:
    """Print one line of the result."""
    print(f"{what:<58} {measured:8.2f} {unit:<4} goal {goal}", flush=True)


def starting() -> None:
    """`--help` and completion beside a Python that does nothing."""
    completing = environment(
        _RAY_GKE_COMPLETE="complete_bash", COMP_WORDS="ray-gke up ", COMP_CWORD="2"
    )
    for what, argv, env in (
        ("--help", [RAY_GKE, "--help"], None),
        ("completion of a blueprint", [RAY_GKE], completing),
    ):
        pairs = [
            (start_up(argv, env), start_up([PYTHON, "-c", "pass"])) for _ in range(25)
        ]
        ratio = median_ratio(*zip(*pairs, strict=True))
        tell(f"{what} / python -c pass", ratio, "<= 5")


def catalog(folder: Path, size: int) -> Path:
    """Write a catalog of `size` blueprints, each a little different."""
    text = (ROOT / "blueprints/squares/blueprint.yaml").read_text(encoding="utf-8")
    code = ROOT / "blueprints/squares/squares.py"
    for number in range(size):
        name = f"squares-{number:05}"
        blueprint = folder / name
        blueprint.mkdir(parents=True)
        changed = text.replace("name: squares", f"name: {name}", 1)
        (blueprint / "blueprint.yaml").write_text(changed, encoding="utf-8")
        shutil.copy(code, blueprint)
    return folder


def validating(folder: Path) -> None:
    """`validate` beside `helm template`, and its growth and memory."""
    executable = helm.build(CACHE)
    small = run([RAY_GKE, "validate", str(catalog(folder / "1000", 1_000))])
    if executable:
        chart = str(helm.chart(executable, CACHE))
        argv = [str(executable), "template", "squares", chart]
        once = sorted(start_up(argv) for _ in range(15))[7]
        faster = 1_000 * once / small.seconds
        tell(f"1,000 x helm template ({once * 1000:.0f} ms) / validate", faster, ">= 3")
    else:
        tell("1,000 x helm template (40 ms, no Go here)", 40 / small.seconds, ">= 3")
    large = run([RAY_GKE, "validate", str(catalog(folder / "10000", 10_000))])
    growth = large.seconds / small.seconds / 10
    tell("time per blueprint, 10,000 / 1,000", growth, "<= 1.1")
    tell("memory of validate with 10,000", large.own_mib, "< 300", unit="MiB")


def platform(folder: Path, size: int) -> Path:
    """Write a platform of `size` blueprints with four worker groups each."""
    shapes = (
        "gpu: {accelerator: nvidia-tesla-a100, partition: 1g.5gb}",
        "gpu: {memory: 9Gi}",
        "provisioning: [spot, standard], gpu: {accelerator: nvidia-l4}",
        "provisioning: spot",
    )
    for number in range(size):
        name = f"team-{number:04}"
        groups = "".join(
            f"    - {{name: g{index}, min_replicas: 0, max_replicas: "
            f"{2 + (number + index) % 40}, cpu: {1 + number % 3}, "
            f"memory: {4 + index}Gi, {shape}}}\n"
            for index, shape in enumerate(shapes)
        )
        blueprint = folder / "blueprints" / name
        blueprint.mkdir(parents=True)
        (blueprint / "blueprint.yaml").write_text(
            "apiVersion: ray-gke/v1\nkind: Blueprint\n"
            f"metadata: {{name: {name}}}\n"
            f"spec:\n  worker_groups:\n{groups}  cluster: {{}}\n",
            encoding="utf-8",
        )
    runs = "".join(f"    - {{blueprint: team-{n:04}}}\n" for n in range(size))
    file = folder / "ray-gke.yaml"
    file.write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: bench}\nspec:\n"
        "  target: gke\n  project: my-project\n  region: us-central1\n"
        f"  catalogs: [{{path: blueprints}}]\n  blueprints:\n{runs}",
        encoding="utf-8",
    )
    return file


def planning(folder: Path) -> None:
    """`plan`, which renders too, beside `helm template`; its growth and memory."""
    executable = helm.build(CACHE)
    argv = [RAY_GKE, "plan", "--output", "json", "--file"]
    small = [*argv, str(platform(folder / "plan-100", 100))]
    seconds = min(start_up(small) for _ in range(3))
    print(f"plan and render 100 blueprints, 400 groups: {seconds:.2f} s")
    if executable:
        chart = str(helm.chart(executable, CACHE))
        peer = [str(executable), "template", "squares", chart]
        once = sorted(start_up(peer) for _ in range(15))[7]
        ratio = seconds / (20 * once)
        tell(f"plan / 20 x helm template ({once * 1000:.0f} ms)", ratio, "< 1")
    else:
        tell("plan / 20 x helm template (40 ms, no Go here)", seconds / 0.8, "< 1")
    large = run([*argv, str(platform(folder / "plan-1000", 1_000))])
    growth = large.seconds / seconds / (10 * math.log(4_000) / math.log(400))
    tell("time of 4,000 groups / n log n from 400", growth, "<= 1")
    tell("memory of plan with 4,000 groups", large.own_mib, "-", unit="MiB")


def bringing_up(folder: Path) -> None:
    """`up squares` beside the same by hand."""
    env = environment(XDG_STATE_HOME=str(folder / "state"))
    by_hand = [PYTHON, "-m", "bench.by_hand", "1"]
    pairs = [(run([RAY_GKE, "up", "squares"], env), run(by_hand)) for _ in range(3)]
    ours, peers = zip(*pairs, strict=True)
    fastest = min(m.seconds for m in ours), min(m.seconds for m in peers)
    print(f"up squares {fastest[0]:.1f} s, by hand {fastest[1]:.1f} s")
    ratio = median_ratio([m.seconds for m in ours], [m.seconds for m in peers])
    tell("up squares / by hand", ratio, "<= 1.15")
    # What keeps a node by hand is `ray start --block`; all else beside Ray is ours.
    beside = min(m.all_mib for m in ours) - min(m.all_mib for m in peers)
    tell("memory of all processes, more than by hand", beside, "< 120", unit="MiB")
    tell("memory of the command itself", max(m.own_mib for m in ours), "-", unit="MiB")


def main() -> None:
    """Run all, or those that the arguments name."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        parts: dict[str, Callable[[], None]] = {
            "start": starting,
            "validate": lambda: validating(folder),
            "plan": lambda: planning(folder),
            "up": lambda: bringing_up(folder),
            "platform": lambda: on_cluster.platform(folder / "platform", tell),
            "ready": lambda: on_cluster.ready(folder / "ready", tell),
            "gke": lambda: on_gke.platform(folder / "gke", tell),
            "doctor": lambda: doctor.platform(folder / "doctor", tell),
            "mirror": lambda: mirror.image(folder / "mirror", tell),
        }
        for name in sys.argv[1:] or parts:
            parts[name]()


if __name__ == "__main__":
    main()
