"""What `validate` says of a blueprint that is weaker than it could be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ray_gke.testing import RayGke

HEADER = "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: %s}\nspec:\n"
OPEN = """\
  cluster: {}
  auth_options: {mode: disabled}
  patches:
    - kind: RayCluster
      patch:
        spec:
          headGroupSpec:
            serviceType: LoadBalancer
"""
AUTH = (
    "open/blueprint.yaml:6:18: spec.auth_options.mode: whoever reaches the dashboard "
    "or Ray's other ports runs code without a token"
)
SERVICE = (
    "open/blueprint.yaml:12:13: "
    "spec.patches[0].patch.spec.headGroupSpec.serviceType: RayCluster/open: "
    "spec.headGroupSpec.serviceType: LoadBalancer opens the dashboard and Ray's other "
    "ports outside of the cluster, and whoever may use them runs code"
)


def write(folder: Path, name: str, spec: str) -> Path:
    file = folder / name / "blueprint.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(HEADER % name + spec)
    return file


@pytest.fixture
def weak(tmp_path: Path) -> Path:
    write(tmp_path, "open", OPEN)
    return tmp_path


def test_people_read_warnings_with_hints_and_it_is_valid(
    ray_gke: RayGke, weak: Path
) -> None:
    result = ray_gke("validate", "open", cwd=weak)
    assert result.stdout == "1 valid\n"
    lines = result.stderr.splitlines()
    assert lines[::2] == [f"warning: {AUTH}", f"warning: {SERVICE}"]
    assert lines[1] == "  hint: set it to token"
    assert lines[3].startswith("  hint: leave it ClusterIP: ray-gke dashboard")


def test_github_annotates_warnings(ray_gke: RayGke, weak: Path) -> None:
    result = ray_gke("validate", "open", "--format", "github", cwd=weak)
    first, second = result.stdout.splitlines()
    assert first == (
        "::warning file=open/blueprint.yaml,line=6,col=18::spec.auth_options.mode: "
        "whoever reaches the dashboard or Ray's other ports runs code without a token"
        "%0Aset it to token"
    )
    assert second.startswith("::warning file=open/blueprint.yaml,line=12,col=13::spec.")


def test_programs_read_warnings_of_each_file(ray_gke: RayGke, weak: Path) -> None:
    write(weak, "closed", "  cluster: {}\n")
    result = ray_gke("validate", ".", "--output", "json", cwd=weak)
    closed, opened = json.loads(result.stdout)
    assert (closed["valid"], closed["problems"], closed["warnings"]) == (True, [], [])
    assert (opened["valid"], opened["problems"]) == (True, [])
    assert [one["place"]["line"] for one in opened["warnings"]] == [6, 12]
    assert opened["warnings"][0]["hint"] == "set it to token"


def test_an_error_is_told_beside_the_warnings_of_other_files(
    ray_gke: RayGke, weak: Path
) -> None:
    write(weak, "broken", "  clutser: {}\n")
    result = ray_gke("validate", ".", exit_code=3, cwd=weak)
    kinds = [
        line.split(": ")[0] for line in result.stderr.splitlines() if line[0] > " "
    ]
    assert kinds == ["error", "warning", "warning"]
    assert result.stdout == ""


def platform(folder: Path, spec: str) -> None:
    (folder / "ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: demo}\nspec:\n"
        f"  target: kubernetes\n{spec}"
    )


def test_a_platform_tells_the_warnings_of_its_blueprints_once(
    ray_gke: RayGke, weak: Path
) -> None:
    spec = OPEN.replace("{mode: disabled}", "{mode: disabled}\n  logs: {mode: none}")
    write(weak, "other", spec)
    runs = ["./open", "./other", "./other"]
    names = ["first", "second", "third"]
    platform(
        weak,
        "  logs: {mode: none}\n  blueprints:\n"
        + "".join(
            f"    - {{blueprint: {run}, name: {name}}}\n"
            for run, name in zip(runs, names, strict=True)
        ),
    )
    result = ray_gke("validate", "ray-gke.yaml", "--output", "json", cwd=weak)
    (finding,) = json.loads(result.stdout)
    assert finding["valid"] is True
    places = [
        (one["place"]["file"], one["place"]["line"]) for one in finding["warnings"]
    ]
    assert places == [
        ("open/blueprint.yaml", 6),
        ("open/blueprint.yaml", 12),
        ("ray-gke.yaml", 6),
        ("other/blueprint.yaml", 6),
        ("other/blueprint.yaml", 7),
        ("other/blueprint.yaml", 13),
    ]


def test_what_a_folder_and_its_platform_find_is_told_once(
    ray_gke: RayGke, weak: Path
) -> None:
    platform(weak, "  blueprints: [{blueprint: ./open}]\n")
    result = ray_gke("validate", ".", cwd=weak)
    assert result.stdout == "2 valid\n"
    assert result.stderr.count("auth_options") == 1
    assert result.stderr.count("warning: ") == 2


ON_GKE = "  target: gke\n  project: my-project-1\n  region: europe-west4\n"
COLLECTED = "  cluster: {ray_operator: true}\n  logs: {mode: gke}\n"
UNCOLLECTED = "nobody collects the log files: this platform does not turn on"


def on_platform(folder: Path, spec: str, blueprint: str) -> None:
    write(folder, "logged", f"  logs: {{mode: {blueprint}}}\n  cluster: {{}}\n")
    (folder / "ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: demo}\nspec:\n"
        f"{spec}  blueprints: [{{blueprint: ./logged}}]\n"
    )


@pytest.mark.parametrize(
    "spec",
    [
        "  target: kubernetes\n",
        ON_GKE,
        # Its operator is on, its collector is not.
        f"{ON_GKE}  cluster: {{ray_operator: true}}\n",
    ],
)
def test_log_files_that_no_collector_of_the_platform_takes(
    ray_gke: RayGke, tmp_path: Path, spec: str
) -> None:
    on_platform(tmp_path, spec, "gke")
    result = ray_gke("validate", "ray-gke.yaml", "--output", "json", cwd=tmp_path)
    (finding,) = json.loads(result.stdout)
    (warning,) = finding["warnings"]
    assert warning["message"].startswith(UNCOLLECTED)
    place = warning["place"]
    assert (place["file"], place["line"]) == ("logged/blueprint.yaml", 5)
    assert "ray_operator: true" in warning["hint"]


def test_a_platform_that_says_so_of_another_s_collector(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    on_platform(tmp_path, "  target: kubernetes\n  logs: {mode: gke}\n", "null")
    result = ray_gke("validate", "ray-gke.yaml", cwd=tmp_path)
    assert result.stderr.startswith(
        f"warning: ray-gke.yaml:6:10: spec.logs.mode: {UNCOLLECTED}"
    )


@pytest.mark.parametrize("mode", ["gke", "null"])
def test_nothing_is_told_of_log_files_that_the_platform_s_collector_takes(
    ray_gke: RayGke, tmp_path: Path, mode: str
) -> None:
    on_platform(tmp_path, ON_GKE + COLLECTED, mode)
    assert ray_gke("validate", ".", cwd=tmp_path).stderr == ""


def test_a_sidecar_beside_gke_s_collector_is_refused(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    on_platform(tmp_path, ON_GKE + COLLECTED, "sidecar")
    result = ray_gke("validate", "ray-gke.yaml", exit_code=3, cwd=tmp_path)
    error, hint = result.stderr.splitlines()
    assert error == (
        "error: logged/blueprint.yaml:5:10: spec.logs.mode: the log collector of GKE, "
        "which this platform turns on, and the sidecar each want a volume called "
        "ray-logs"
    )
    assert hint.startswith("  hint: leave mode out")


def test_a_volume_of_the_same_name_beside_gke_s_collector_is_refused(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    on_platform(tmp_path, ON_GKE + COLLECTED, "none")
    with (tmp_path / "logged" / "blueprint.yaml").open("a") as file:
        file.write(
            "  patches: [{kind: RayCluster, patch: {spec: {headGroupSpec: {template: "
            "{spec: {volumes: [{name: ray-logs, emptyDir: {}}]}}}}}}]\n"
        )
    result = ray_gke("validate", "ray-gke.yaml", exit_code=3, cwd=tmp_path)
    assert "GKE adds a volume of this name itself" in result.stderr


def test_a_blueprint_of_the_catalog_has_no_warnings(ray_gke: RayGke) -> None:
    root = Path(__file__).resolve().parents[1]
    result = ray_gke("validate", str(root))
    assert result.stderr == ""
