"""`ray-gke plan` and `ray-gke gpus` as a user meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from ray_gke import cli

ROOT = Path(__file__).parents[1]
OURS = sorted(p.parent.name for p in ROOT.glob("blueprints/*/blueprint.yaml"))
GIB = 2**30

Object = dict[str, Any]
Answer = Callable[..., Any]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Answer:
    """Run a command in an empty folder; return (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ray-gke", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        out = capsys.readouterr()
        return int(code or 0), out.out, out.err

    return command


@pytest.fixture
def planned(run: Answer) -> Answer:
    """Return the plan of a blueprint with these worker groups, as JSON."""

    def plan(
        *options: str,
        groups: str = "[]",
        more: str = "",
        workload: str = "cluster: {}",
    ) -> Object:
        write(Path("demo"), groups, more, workload)
        code, out, err = run("plan", "./demo", "-o", "json", *options)
        assert code == 0, err
        found: Object = json.loads(out)
        return found

    return plan


def write(
    folder: Path, groups: str, more: str = "", workload: str = "cluster: {}"
) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "blueprint.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Blueprint\n"
        f"metadata: {{name: {folder.name}}}\nspec:\n  worker_groups: {groups}\n"
        f"{more}  {workload}\n"
    )


def group(found: Object, name: str = "g") -> Object:
    (one,) = (g for g in found["groups"] if g["group"] == name)
    return dict(one)


def pool(found: Object, name: str = "g") -> Object:
    wanted = group(found, name)["pool"]
    (one,) = (p for p in found["pools"] if p["name"] == wanted)
    return dict(one)


@pytest.mark.parametrize("name", OURS)
def test_every_blueprint_of_the_catalog_has_a_plan(run: Answer, name: str) -> None:
    code, out, _ = run("plan", name, "-o", "json")
    assert code == 0
    found = json.loads(out)
    _, schema, _ = run("schema", "plan")
    jsonschema_rs.validator_for(json.loads(schema)).validate(found)
    code, text, _ = run("plan", name)
    assert code == 0
    assert "stimate" in text
    assert found["cost"]["prices_date"] in text
    assert f"{name}/headgroup" in text


def test_a_platform_with_all_of_them_shares_pools(run: Answer) -> None:
    runs = [{"blueprint": name} for name in OURS]
    Path("ray-gke.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "ray-gke/v1",
                "kind": "Platform",
                "metadata": {"name": "all"},
                "spec": {
                    "target": "gke",
                    "project": "my-project",
                    "region": "europe-west4",
                    "zones": ["europe-west4-a", "europe-west4-b"],
                    "blueprints": runs,
                },
            }
        )
    )
    code, out, err = run("plan", "-o", "json")
    assert code == 0, err
    found = json.loads(out)
    assert {g["run"] for g in found["groups"]} == set(OURS)
    heads = {g["pool"] for g in found["groups"] if g["role"] == "head"}
    assert len(heads) < len(OURS)
    assert (found["platform"], found["region"]) == ("all", "europe-west4")
    assert all(q["region"] in {"europe-west4", None} for q in found["quotas"])
    system = next(p for p in found["pools"] if p["name"] == "system")
    assert (system["nodes_at_minimum"], system["zones"]) == (
        2,
        ["europe-west4-a", "europe-west4-b"],
    )
    assert run("plan", "-o", "json")[1] == out
    code, manifests, err = run("render", "-o", "json")
    assert code == 0, err
    assert all(
        head["node_selector"]["cloud.google.com/gke-nodepool"] in heads
        for head in selectors(json.loads(manifests))
    )


def selectors(objects: list[Object]) -> list[Object]:
    found = []
    for one in objects:
        spec = one.get("spec", {})
        inner = spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec
        if "headGroupSpec" in inner:
            pod = inner["headGroupSpec"]["template"]["spec"]
            found.append({"node_selector": pod["nodeSelector"]})
    return found


@pytest.mark.parametrize(
    ("partition", "slots"), [("1g.5gb", 7), ("2g.10gb", 3), ("3g.20gb", 2)]
)
def test_an_a100_is_divided_as_gke_divides_it(
    planned: Answer, partition: str, slots: int
) -> None:
    gpu = f"{{accelerator: nvidia-tesla-a100, partition: {partition}}}"
    shape = f"machine_type: a2-highgpu-1g, gpu: {gpu}"
    found = planned(groups=f"[{{name: g, max_replicas: {slots}, {shape}}}]")
    assert group(found)["slots_per_node"] == slots
    assert group(found)["limit"] == "nvidia.com/gpu"
    assert pool(found)["devices_per_node"] == slots
    assert pool(found)["nodes_at_maximum"] == 1
    # 3.673385 an hour, and so many slots of it.
    assert group(found)["price_per_slot"] == pytest.approx(3.673385 / slots, abs=1e-6)


def test_only_four_of_eight_shares_fit_the_node_of_stable_diffusion(
    planned: Answer, run: Answer
) -> None:
    sharing = "{strategy: time-sharing, max_shared_clients_per_gpu: 8}"
    gpu = f"{{accelerator: nvidia-tesla-t4, sharing: {sharing}}}"
    shape = f"cpu: 3, memory: 12G, machine_type: n1-standard-16, gpu: {gpu}"
    found = planned(groups=f"[{{name: g, min_replicas: 1, max_replicas: 8, {shape}}}]")
    told = group(found)
    assert (told["slots_per_node"], told["limit"]) == (4, "cpu")
    assert "only 4 of the 8 shares of a node can be used" in told["notes"][0]
    assert pool(found)["devices_per_node"] == 8
    assert pool(found)["nodes_at_maximum"] == 2
    (alike,) = pool(found)["maximum"]
    assert alike["stranded"]["gpus"] == 4
    assert "only 4 of the 8" in " ".join(run("plan", "./demo")[1].split())


def test_a_pod_gets_a_safe_share_of_the_node(planned: Answer) -> None:
    gpu = "{accelerator: nvidia-tesla-a100, partition: 1g.5gb}"
    found = planned(
        groups="[{name: g, max_replicas: 7, machine_type: a2-highgpu-1g, "
        f"gpu: {gpu}}}]"
    )
    # Seven pods fit with at most 1.5 CPU and 10 GiB each, their sidecars among it.
    assert group(found)["pod"] == {
        "cpu_millis": 1500,
        "memory_bytes": 10 * GIB,
        "gpus": 1,
    }
    assert group(found)["slots_per_node"] == 7


def test_need_takes_the_cheapest_and_says_why(planned: Answer) -> None:
    gpu = "gpu: {memory: 9Gi}"
    found = planned(
        groups=f"[{{name: g, max_replicas: 1, cpu: 1, memory: 4Gi, {gpu}}}]"
    )
    # One T4 with the smallest N1 that holds the pod: 0.095 + 0.35 an hour.
    assert pool(found)["accelerator"] == "nvidia-tesla-t4"
    assert pool(found)["price"] == pytest.approx(0.445)
    assert "cheapest" in group(found)["reason"]
    assert 1 <= len(group(found)["runners_up"]) <= 5
    many = planned(
        groups=f"[{{name: g, max_replicas: 70, cpu: 1, memory: 4Gi, {gpu}}}]"
    )
    assert pool(many)["total_max_node_count"] == pool(many)["nodes_at_maximum"] > 1


SIDECAR = (
    "{name: sidecar, image: 'example/sidecar:1', restartPolicy: Always, "
    "resources: {requests: {cpu: 3, memory: 1Gi}}}"
)
# A list in a patch replaces ours, and with it the sidecar that ships the logs.
LOGS = "  logs: {mode: none}\n"
HEAD = f"headGroupSpec: {{template: {{spec: {{initContainers: [{SIDECAR}]}}}}}}"


@pytest.mark.parametrize(
    ("workload", "patch"),
    [
        ("cluster: {}", f"{{kind: RayCluster, patch: {{spec: {{{HEAD}}}}}}}"),
        (
            "job: {entrypoint: 'true'}",
            f"{{kind: RayJob, patch: {{spec: {{rayClusterSpec: {{{HEAD}}}}}}}}}",
        ),
    ],
)
def test_patches_count(planned: Answer, workload: str, patch: str) -> None:
    """A sidecar that a patch adds takes room on the node."""
    plain = planned(more=LOGS, workload=workload)
    patched = planned(more=f"{LOGS}  patches: [{patch}]\n", workload=workload)
    before, after = group(plain, "headgroup"), group(patched, "headgroup")
    assert after["pod"]["cpu_millis"] - before["pod"]["cpu_millis"] == 3000
    assert after["pod"]["memory_bytes"] - before["pod"]["memory_bytes"] == GIB
    assert after["pool"] != before["pool"]


def test_what_never_fits_is_refused_with_pod_machine_and_resource(run: Answer) -> None:
    write(Path("demo"), "[{name: g, cpu: 500}]")
    code, _, err = run("plan", "./demo")
    assert code == 3
    assert "demo/blueprint.yaml:5" in err
    assert "500.05 CPU" in err
    assert "CPU is missing" in err
    # On a cluster of one's own there may be such nodes.
    assert run("render", "./demo")[0] == 0


def test_more_warm_than_the_pool_holds_is_refused(run: Answer) -> None:
    gpu = "gpu: {accelerator: nvidia-l4}, machine_type: g2-standard-8"
    write(
        Path("demo"),
        f"[{{name: g, min_replicas: 3, max_replicas: 4, warm_replicas: 2, {gpu}}}]",
    )
    code, _, err = run("plan", "./demo")
    assert code == 3
    assert "warm_replicas" in err
    assert "at most 1" in err


def test_warm_capacity_has_a_price(planned: Answer) -> None:
    gpu = "gpu: {accelerator: nvidia-l4}, machine_type: g2-standard-8"
    limits = "min_replicas: 0, max_replicas: 4, warm_replicas: 2"
    found = planned(groups=f"[{{name: g, {limits}, {gpu}}}]")
    # Two nodes of 0.91 an hour, and their disks of 100 GiB at 0.1 a GiB and month.
    assert found["cost"]["warm"] == pytest.approx(2 * (0.91 + 10 / 730), abs=1e-5)
    assert pool(found)["nodes_at_minimum"] == 2
    (alike,) = pool(found)["minimum"]
    assert (alike["nodes"], alike["pods"][0]["balloons"]) == (2, True)


def test_quota_of_spot_and_of_families(planned: Answer) -> None:
    spot = "provisioning: spot, gpu: {accelerator: nvidia-tesla-a100, count: 2}"
    h100 = "gpu: {accelerator: nvidia-h100-80gb, count: 8}"
    found = planned(
        groups=f"[{{name: a, max_replicas: 3, machine_type: a2-highgpu-2g, {spot}}}, "
        f"{{name: b, min_replicas: 0, max_replicas: 2, {h100}}}]"
    )
    quotas = {(q["metric"], *q["dimensions"].values()): q for q in found["quotas"]}
    a100 = quotas[("PREEMPTIBLE_NVIDIA_A100_GPUS",)]
    assert (a100["at_minimum"], a100["at_maximum"]) == (2, 6)
    family = quotas[("GPUS-PER-GPU-FAMILY-per-project-region", "NVIDIA_H100")]
    assert (family["at_minimum"], family["at_maximum"]) == (0, 16)
    assert quotas[("PREEMPTIBLE_CPUS",)]["at_maximum"] == 72
    assert ("NVIDIA_A100_GPUS",) not in quotas
    # Whether Spot GPUS count everywhere, Google's documents do not agree.
    everywhere = [q for q in found["quotas"] if q["metric"] == "GPUS_ALL_REGIONS"]
    assert {q["certain"]: q["at_maximum"] for q in everywhere} == {True: 16, False: 6}


def test_prices_of_one_s_own_decide(planned: Answer, run: Answer) -> None:
    Path("prices.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Prices\n"
        "metadata: {date: 2026-11-01, source: our contract}\n"
        "spec:\n  currency: EUR\n  region: europe-west4\n  cluster_fee: 0\n"
        "  machine_types:\n    g2-standard-8: {on_demand: 0.01}\n"
    )
    gpu = "gpu: {memory: 9Gi}"
    found = planned(
        "--prices", "prices.yaml", groups=f"[{{name: g, cpu: 1, memory: 4Gi, {gpu}}}]"
    )
    assert pool(found)["machine_type"] == "g2-standard-8"
    assert (found["cost"]["currency"], found["cost"]["prices_date"]) == (
        "EUR",
        "2026-11-01",
    )
    assert any("e2-standard" in name for name in found["cost"]["unpriced"])
    code, _, err = run("plan", "./demo", "--prices", "none.yaml")
    assert (code, "none.yaml" in err) == (2, True)


def test_gpus_lists_slices_with_prices(run: Answer) -> None:
    code, out, _ = run("gpus", "--accelerator", "nvidia-tesla-a100", "-o", "json")
    assert code == 0
    sizes = {one["partition"]: one for one in json.loads(out)}
    assert set(sizes) == {None, "1g.5gb", "2g.10gb", "3g.20gb", "7g.40gb"}
    smallest = sizes["1g.5gb"]
    assert (smallest["machine_type"], smallest["slots"]) == ("a2-highgpu-1g", 7)
    assert smallest["price_per_slot"] == pytest.approx(0.524769)
    assert smallest["spot_price_per_slot"] == pytest.approx(0.157431)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--memory", "60Gi"], "nvidia-a100-80gb"),
        (["--zone", "us-east4-c", "--accelerator", "nvidia-a100-80gb"], "1g.10gb"),
        (["--memory", "5Gi", "--isolation", "none"], "time-sharing"),
        (["--memory", "5Gi", "--isolation", "software"], "mps"),
        (["--spot"], "nvidia-tesla-t4"),
    ],
)
def test_gpus_filters(run: Answer, options: list[str], expected: str) -> None:
    code, out, err = run("gpus", *options)
    assert code == 0
    assert expected in out
    assert "estimate" in err


@pytest.mark.parametrize(
    ("options", "told", "hint"),
    [
        (["--accelerator", "nvidia-l5"], "no accelerator nvidia-l5", "nvidia-l4"),
        (["--memory", "much"], "--memory", "10Gi"),
        (["--zone", "here"], "--zone", "europe-west4-a"),
        (["--region", "Europe"], "--region", "europe-west4"),
    ],
)
def test_gpus_refuses(run: Answer, options: list[str], told: str, hint: str) -> None:
    code, _, err = run("gpus", *options)
    assert code == 2
    assert told in err
    assert hint in err


def test_up_on_gke_without_a_login_leaves_nothing(
    run: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "nowhere.json")
    Path("ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: ours}\nspec:\n"
        "  target: gke\n  project: my-project\n  region: europe-west4\n"
        "  blueprints: [{blueprint: squares}]\n"
    )
    code, _, err = run("up")
    assert code == 4
    assert "nowhere.json" in err
    assert "gcloud auth application-default login" in err
    assert not Path(".ray-gke").exists()


@pytest.mark.parametrize(
    ("selector", "told"),
    [
        ("{cloud.google.com/gke-accelerator: nvidia-tesla-t4}", "has nvidia-l4"),
        ("{cloud.google.com/gke-nodepool: another}", "no such label"),
        ("{node.kubernetes.io/instance-type: c4-standard-8}", "has g2-standard-8"),
    ],
)
def test_a_selector_that_no_node_of_the_pool_has_is_refused(
    run: Answer, selector: str, told: str
) -> None:
    gpu = "gpu: {accelerator: nvidia-l4}, machine_type: g2-standard-8"
    write(Path("demo"), f"[{{name: g, {gpu}, node_selector: {selector}}}]")
    code, _, err = run("plan", "./demo")
    assert code == 3
    assert "spec.worker_groups[0].node_selector" in err
    assert told in err
    # Elsewhere the nodes are somebody else's.
    assert run("render", "./demo")[0] == 0


def test_a_label_of_one_s_own_gets_onto_the_pool(planned: Answer) -> None:
    gpu = "gpu: {accelerator: nvidia-l4}"
    found = planned(groups=f"[{{name: g, {gpu}, node_selector: {{disk: fast}}}}]")
    plain = planned(groups=f"[{{name: g, {gpu}}}]")
    assert pool(found)["labels"]["disk"] == "fast"
    assert pool(found)["name"] != pool(plain)["name"]


WORKERS = (
    "workerGroupSpecs: [{groupName: g, minReplicas: 0, maxReplicas: 50, "
    "template: {spec: {containers: [{name: ray-worker, image: 'a/b:1'}]}}}]"
)
NOPE = "{nodeSelector: {cloud.google.com/gke-nodepool: nope}}"


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (f"{{spec: {{{WORKERS}}}}}", "maxReplicas 50"),
        (
            f"{{spec: {{headGroupSpec: {{template: {{spec: {NOPE}}}}}}}}}",
            "gke-nodepool nope",
        ),
    ],
)
def test_a_patch_that_leaves_the_pool_is_refused(
    run: Answer, patch: str, told: str
) -> None:
    more = f"  patches: [{{kind: RayCluster, patch: {patch}}}]\n"
    limits = "min_replicas: 0, max_replicas: 2"
    write(
        Path("demo"), f"[{{name: g, {limits}, gpu: {{accelerator: nvidia-l4}}}}]", more
    )
    code, _, err = run("plan", "./demo")
    assert code == 3
    assert "spec.patches[0]" in err
    assert told in err
    assert run("render", "./demo")[0] == 0


def test_no_machine_is_left_to_a_pod_whose_patch_asks_nothing(planned: Answer) -> None:
    patch = (
        "{spec: {headGroupSpec: {template: {spec: {containers: "
        "[{name: ray-head, image: 'a/b:1'}]}}}}}"
    )
    found = planned(more=f"  patches: [{{kind: RayCluster, patch: {patch}}}]\n")
    assert group(found, "headgroup")["slots_per_node"] > 1


def test_balloons_hold_the_place_of_the_whole_pod(run: Answer) -> None:
    """Evicting one must make room for a worker with KubeRay's init container."""
    limits = "min_replicas: 0, max_replicas: 2, warm_replicas: 1"
    write(Path("demo"), f"[{{name: g, {limits}, cpu: 100m, memory: 1Gi}}]")
    code, out, err = run("render", "./demo", "-o", "json")
    assert code == 0, err
    (balloon,) = (o for o in json.loads(out) if o["kind"] == "Deployment")
    asked = balloon["spec"]["template"]["spec"]["containers"][0]["resources"]
    # 200m of the init container beside 50m of the sidecar.
    assert asked["requests"] == {"cpu": "250m", "memory": "1152Mi"}


def test_few_pods_per_node_make_few_slots(run: Answer) -> None:
    gpu = "gpu: {accelerator: nvidia-tesla-a100, partition: 1g.5gb}"
    shape = f"cpu: 1, memory: 2Gi, machine_type: a2-highgpu-1g, {gpu}"
    write(Path("demo"), f"[{{name: g, min_replicas: 0, max_replicas: 7, {shape}}}]")
    Path("ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: ours}\nspec:\n"
        "  target: gke\n  project: my-project\n  region: us-central1\n"
        "  network: {max_pods_per_node: 14}\n"
        "  blueprints: [{blueprint: ./demo}]\n"
    )
    code, out, err = run("plan", "-o", "json")
    assert code == 0, err
    found = json.loads(out)
    assert (group(found)["slots_per_node"], group(found)["limit"]) == (2, "pods")
    assert pool(found)["nodes_at_maximum"] == 4


def test_the_limit_holds_pods_of_different_sizes_in_any_order(planned: Answer) -> None:
    shape = "min_replicas: 0, max_replicas: 3, memory: 1Gi, machine_type: e2-standard-4"
    found = planned(
        more="  logs: {mode: none}\n",
        groups=f"[{{name: g, cpu: 1, {shape}}}, {{name: big, cpu: 2, {shape}}}]",
    )
    # The head takes a node; the small ones may all come first, onto a second one.
    one = pool(found)
    assert one["nodes_at_maximum"] == 4
    assert one["total_max_node_count"] == 5


def test_validate_and_render_refuse_what_the_pools_cannot_hold(run: Answer) -> None:
    gpu = "gpu: {accelerator: nvidia-l4}, machine_type: g2-standard-8"
    limits = "min_replicas: 3, max_replicas: 4, warm_replicas: 2"
    write(Path("demo"), f"[{{name: g, {limits}, {gpu}}}]")
    Path("ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: ours}\nspec:\n"
        "  target: gke\n  project: my-project\n  region: us-central1\n"
        "  blueprints: [{blueprint: ./demo}]\n"
    )
    for command in (["validate", "ray-gke.yaml"], ["render"], ["plan"]):
        code, _, err = run(*command)
        assert code == 3, command
        assert "warm_replicas" in err
