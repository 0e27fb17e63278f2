"""`up --on kubernetes` beside kubectl, on the test clusters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.measure import environment, median_ratio, start_up
from tests.cluster import bed, parts

RAY_GKE = str(Path(sys.executable).with_name("ray-gke"))
RUNS = 100
ROUNDS = 3
Tell = Callable[[str, float, str], None]


def ready(folder: Path, tell: Tell) -> None:
    """A cluster with a worker on the real node, until it is ready (needs root)."""
    if os.geteuid() != 0:
        print("up on a real node: not measured, it needs root")
        return
    blueprint = _blueprint(folder / "catalog", "bench")
    with bed.running(folder / "node", real=True) as cluster:
        env = environment(KUBECONFIG=str(cluster.kubeconfig))
        manifests = folder / "manifests"
        subprocess.run(
            [RAY_GKE, "render", str(blueprint), "--output-dir", str(manifests)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        ours, peers = [], []
        for _ in range(ROUNDS):
            ours.append(_up(blueprint, env))
            peers.append(_by_kubectl(manifests, env))
    print(f"ready: up {min(ours):.1f} s, kubectl {min(peers):.1f} s")
    tell(
        "up until ready / kubectl apply and wait", median_ratio(ours, peers), "<= 1.05"
    )


def _up(blueprint: Path, env: Mapping[str, str]) -> float:
    options = ["--on", "kubernetes"]
    seconds = start_up([RAY_GKE, "up", str(blueprint), *options], env)
    start_up([RAY_GKE, "down", blueprint.name, *options], env)
    return seconds


def _by_kubectl(manifests: Path, env: Mapping[str, str]) -> float:
    kubectl = str(parts.path("kubectl"))
    begin = time.perf_counter()
    start_up([kubectl, "apply", "--server-side", "-f", str(manifests)], env)
    for condition in ("HeadPodReady", "RayClusterProvisioned"):
        wait = ["wait", f"--for=condition={condition}", "--timeout=180s"]
        start_up([kubectl, *wait, "raycluster/bench"], env)
    seconds = time.perf_counter() - begin
    start_up([kubectl, "delete", "--wait", "-f", str(manifests)], env)
    pods = ["wait", "--for=delete", "pod", "-l", "ray-gke/run=bench"]
    start_up([kubectl, *pods, "--timeout=120s"], env)
    return seconds


def platform(folder: Path, tell: Tell) -> None:
    """A platform of many blueprints, until all is applied; and once more."""
    names = [f"bench-{number:03}" for number in range(RUNS)]
    for name in names:
        _blueprint(folder / "catalog", name)
    file = _platform(folder, names)
    with bed.running(folder / "cluster") as cluster:
        env = environment(KUBECONFIG=str(cluster.kubeconfig))
        by_hand = _each_by_kubectl(folder, names, env)
        applied = _applied(file, env)
        again = start_up([RAY_GKE, "up", "--file", str(file)], env)
    print(f"{RUNS} blueprints: applied {applied:.1f} s, kubectl {by_hand:.1f} s")
    tell(f"apply {RUNS} blueprints / {RUNS} kubectl apply", applied / by_hand, "<= 0.5")
    tell(f"up of {RUNS} blueprints again / the first", again / applied, "-")


def _each_by_kubectl(
    folder: Path, names: Sequence[str], env: Mapping[str, str]
) -> float:
    """Apply each blueprint as a user of kubectl would, in a namespace of its own."""
    kubectl = str(parts.path("kubectl"))
    for name in names:
        blueprint, where = folder / "catalog" / name, folder / "manifests" / name
        start_up([RAY_GKE, "render", str(blueprint), "--output-dir", str(where)])
    start_up([kubectl, "create", "namespace", "by-hand"], env)
    apply = [kubectl, "apply", "--server-side", "--namespace", "by-hand", "-f"]
    seconds = sum(
        start_up([*apply, str(folder / "manifests" / name)], env) for name in names
    )
    start_up([kubectl, "delete", "namespace", "by-hand"], env)
    return seconds


def _applied(file: Path, env: Mapping[str, str]) -> float:
    """Return the seconds from the command to the end of its step `apply`."""
    argv = [RAY_GKE, "up", "--file", str(file), "--output", "json"]
    begin = time.perf_counter()
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        seconds = 0.0
        for line in process.stdout:
            event = json.loads(line)
            if (event["event"], event.get("step")) == ("step_finished", "apply"):
                seconds = time.perf_counter() - begin
    if process.returncode or not seconds:
        raise RuntimeError(f"{' '.join(argv)}: {process.returncode}")
    return seconds


def _blueprint(catalog: Path, name: str) -> Path:
    folder = catalog / name
    folder.mkdir(parents=True)
    (folder / "blueprint.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Blueprint\n"
        f"metadata: {{name: {name}}}\nspec:\n"
        "  head: {cpu: 500m, memory: 2Gi}\n"
        "  worker_groups: [{name: cpu, min_replicas: 1, cpu: 500m, memory: 1Gi}]\n"
        # Both apply the same, on clusters with and without Prometheus' operator.
        "  metrics: {mode: none}\n"
        "  cluster: {}\n",
        encoding="utf-8",
    )
    (folder / "main.py").write_text("print('a file')\n", encoding="utf-8")
    return folder


def _platform(folder: Path, names: Sequence[str]) -> Path:
    runs = "".join(f"    - {{blueprint: {name}}}\n" for name in names)
    file = folder / "ray-gke.yaml"
    file.write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: bench}\nspec:\n"
        "  target: kubernetes\n  namespace: bench\n  catalogs: [{path: catalog}]\n"
        f"  blueprints:\n{runs}",
        encoding="utf-8",
    )
    return file
