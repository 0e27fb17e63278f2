"""`up` of a platform on GKE: what of its time is our own, beside Terraform's."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.measure import median_ratio
from tests.cluster import bed
from tests.gke import world
from tests.gke.world import World
from tests.terraform import program

RUNS = 20
ROUNDS = 5
ANSWER_SECONDS = 0.2
Tell = Callable[[str, float, str], None]

# The processor's time of the command itself, and apart from it that of doctor, which
# works while Terraform plans; whoever waits takes none.
_OWN_TIME = """\
import sys, time
from ray_gke import cli
from ray_gke.targets.gke import up
file, examine, doctors = sys.argv.pop(), up.examine, []
def timed(*about):
    begin = time.process_time()
    examine(*about)
    doctors.append(time.process_time() - begin)
up.examine = timed
try:
    cli.main()
finally:
    doctor = sum(doctors)
    open(file, "w").write(f"{time.process_time() - doctor} {doctor}")
"""


def platform(folder: Path, tell: Tell) -> None:
    """A platform of many blueprints from nothing, and again without a change.

    Again once with a cloud that answers at once, and once with one that takes as long
    for each question as Google's takes at least.
    """
    with (
        bed.running(folder / "cluster") as cluster,
        world.opened(cluster, folder) as gke,
    ):
        _write(gke.folder)
        seconds = folder / "seconds"
        _run(gke, [sys.executable, "-c", _OWN_TIME, "up", str(seconds)])
        at_once = _again(gke)
        gke.cloud.stall(operation="read", seconds=ANSWER_SECONDS)
        later = _again(gke)
    own, doctor = map(float, seconds.read_text().split())
    tell(f"our own seconds of up with {RUNS} blueprints", own, "< 2")
    tell("those of doctor, while Terraform plans", doctor, "-")
    for ours, peers in (at_once, later):
        print(f"up again {min(ours):.2f} s, two terraform plans {min(peers):.2f} s")
    tell("up again / two plans, a cloud that answers at once", _ratio(at_once), "-")
    what = f"up again / two plans, {ANSWER_SECONDS} s an answer"
    tell(what, _ratio(later), "<= 1.2")


def _again(gke: World) -> tuple[list[float], list[float]]:
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours.append(_run(gke, [sys.executable, "-m", "ray_gke", "up"]))
        peers.append(sum(_plan(gke, stack) for stack in ("platform", "addons")))
    return ours, peers


def _ratio(found: tuple[list[float], list[float]]) -> float:
    return median_ratio(*found)


def _plan(gke: World, stack: str) -> float:
    folder = gke.folder / ".ray-gke" / "bench" / "terraform" / stack
    command = [str(program.terraform()), f"-chdir={folder}", "plan", "-input=false"]
    return _run(gke, command, KUBE_TOKEN=gke.bed.control_plane.token)


def _run(gke: World, command: Sequence[str], **more: str) -> float:
    """Return how many seconds a command takes in the platform's folder."""
    env: Mapping[str, str] = {**gke.env(), **more}
    begin = time.perf_counter()
    done = subprocess.run(
        command, cwd=gke.folder, env=env, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return time.perf_counter() - begin


def _write(folder: Path) -> None:
    """Write a platform of many blueprints, with a head and CPU and GPU groups each."""
    names = [f"bench-{number:02}" for number in range(RUNS)]
    for number, name in enumerate(names):
        blueprint = folder / "catalog" / name
        blueprint.mkdir(parents=True)
        (blueprint / "blueprint.yaml").write_text(
            "apiVersion: ray-gke/v1\nkind: Blueprint\n"
            f"metadata: {{name: {name}}}\nspec:\n  worker_groups:\n"
            "    - {name: cpu, min_replicas: 1, cpu: 1, memory: 2Gi}\n"
            f"    - {{name: gpu, max_replicas: {1 + number}, cpu: 1, memory: 4Gi, "
            "gpu: {accelerator: nvidia-tesla-a100, partition: 1g.5gb}}\n"
            "  cluster: {}\n",
            encoding="utf-8",
        )
    runs = "".join(f"    - {{blueprint: {name}}}\n" for name in names)
    (folder / "ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: bench}\nspec:\n"
        "  target: gke\n  project: my-project\n  region: europe-west4\n"
        "  zones: [europe-west4-a]\n  namespace: bench\n"
        "  cluster: {deletion_protection: false}\n  kuberay: {namespace: operator}\n"
        f"  catalogs: [{{path: catalog}}]\n  blueprints:\n{runs}",
        encoding="utf-8",
    )
