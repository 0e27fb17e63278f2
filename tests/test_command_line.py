"""Mistakes on the command line and around it: one error, a hint, an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ray_gke.testing import RayGke, Result

ROOT = Path(__file__).resolve().parents[1]


def assert_one_error(result: Result, *words: str) -> None:
    errors = [line for line in result.stderr.splitlines() if "rror: " in line]
    assert len(errors) == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.mark.parametrize(
    ("line", "exit_code", "words"),
    [
        ("upp squares", 2, ["upp", "up"]),
        ("up square", 2, ["square", "hint", "squares"]),
        ("up nothing-like-any", 2, ["nothing-like-any", "hint", "squares"]),
        ("up ./nowhere", 2, ["nowhere"]),
        ("up", 2, ["BLUEPRINT", "hint", "squares"]),
        ("up squares --on gke", 2, ["platform file", "ray-gke.yaml"]),
        ("up squares --sett count=1", 2, ["--sett", "--set"]),
        ("up squares --output xml", 2, ["xml", "json"]),
        ("up squares --set cuont=3", 2, ["cuont", "hint", "count"]),
        ("up squares --set count=many", 2, ["count", "many", "whole number"]),
        ("up squares --set count=-1", 2, ["count", "-1"]),
        ("up squares --set count", 2, ["NAME=VALUE", "hint"]),
        ("up squares --set =3", 2, ["NAME=VALUE", "hint"]),
        ("up squares --name Not_A_Name", 2, ["Not_A_Name"]),
        ("up --set count=3", 2, ["BLUEPRINT"]),
        ("up squares --file nowhere.yaml", 2, ["nowhere.yaml"]),
        ("render squares --kuberay-version 1.4.0", 2, ["1.4.0", "1.5.1"]),
        ("render squares --kuberay-version newest", 2, ["newest", "1.5.1"]),
        ("render squares --namespace Not_A_Name", 2, ["Not_A_Name"]),
        ("render", 2, ["BLUEPRINT"]),
        ("validate nowhere", 2, ["nowhere"]),
        ("validate .", 2, ["no blueprint", "hint"]),
        ("schema blueprints", 2, ["blueprints", "blueprint"]),
        ("blueprints show square", 2, ["square", "hint", "squares"]),
        ("blueprints test square", 2, ["square", "hint", "squares"]),
        ("blueprints new Not_A_Name", 2, ["Not_A_Name"]),
        ("down", 2, ["nothing is up"]),
        ("down squares", 2, ["squares"]),
        ("status squares", 2, ["squares"]),
        ("logs squares", 2, ["squares"]),
        ("dashboard squares", 2, ["squares"]),
        ("status --namespace default?", 2, ["--namespace", "default?", "hint"]),
        ("plan squares --namespace=", 2, ["--namespace", "hint"]),
        ("down a,b", 2, ["NAME", "a,b", "hint"]),
        ("logs Squares", 2, ["NAME", "Squares", "hint"]),
    ],
)
def test_a_mistake_is_one_error(
    ray_gke: RayGke, tmp_path: Path, line: str, exit_code: int, words: list[str]
) -> None:
    result = ray_gke(*line.split(), exit_code=exit_code, cwd=tmp_path)
    assert_one_error(result, *words)
    assert list(tmp_path.iterdir()) == []


def test_errors_are_json_too(ray_gke: RayGke) -> None:
    result = ray_gke("up", "square", "--output", "json", exit_code=2)
    (line,) = result.stdout.splitlines()
    error = json.loads(line)
    assert error["event"] == "error"
    assert error["exit_code"] == 2
    assert "squares" in error["problems"][0]["hint"]


def test_ray_is_not_installed(ray_gke: RayGke, tmp_path: Path) -> None:
    # Python looks here first, and hears that there is no such package.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as metadata, sys\n"
        "class NoRay:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'ray': raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, NoRay())\n"
        "known = metadata.Distribution.from_name\n"
        "def from_name(name):\n"
        "    if name == 'ray': raise metadata.PackageNotFoundError(name)\n"
        "    return known(name)\n"
        "metadata.Distribution.from_name = staticmethod(from_name)\n"
    )
    ray_gke.env["PYTHONPATH"] = str(tmp_path)
    result = ray_gke("up", "squares", exit_code=4)
    assert_one_error(result, "Ray is not installed", "hint", "ray-gke[local]")
    # What does not run Ray does not need it.
    assert "kind: RayJob" in ray_gke("render", "squares").stdout


def test_output_that_cannot_be_written() -> None:
    argv = [sys.executable, "-m", "ray_gke", "render", "squares"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error() -> None:
    argv = [sys.executable, "-m", "ray_gke", "schema", "blueprint"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""


def test_a_folder_that_cannot_be_written(ray_gke: RayGke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    folder = str(tmp_path / "file" / "manifests")
    result = ray_gke("render", "squares", "--output-dir", folder, exit_code=1)
    assert_one_error(result, "file/manifests", "hint")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a full disk takes root")
def test_a_full_disk_leaves_no_half_written_manifests(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    script = (
        f"mount -t tmpfs -o size=4k tmpfs {tmp_path} && "
        f"{sys.executable} -m ray_gke render squares --output-dir {tmp_path}/out; "
        f"code=$?; ls -A {tmp_path}/out; exit $code"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env=ray_gke.env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "No space left" in done.stderr
    assert done.stdout == ""


def test_rendering_again_removes_what_the_run_no_longer_has(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    ray_gke("blueprints", "new", "warm", cwd=tmp_path)
    blueprint = tmp_path / "warm" / "blueprint.yaml"
    text = blueprint.read_text()
    blueprint.write_text(text.replace("cpu: 1,", "cpu: 1, warm_replicas: 1,"))
    out = ("--output-dir", "out")
    written = ray_gke("render", "./warm", *out, cwd=tmp_path).stdout.split()
    assert [path for path in written if "balloon" in path]
    others = ray_gke("render", "squares", *out, cwd=tmp_path).stdout.split()
    (tmp_path / "out" / "mine.yaml").write_text("kind: ConfigMap\n")
    blueprint.write_text(text)
    written = ray_gke("render", "./warm", *out, cwd=tmp_path).stdout.split()
    left = {str(path.relative_to(tmp_path)) for path in (tmp_path / "out").iterdir()}
    assert left == {*written, *others, "out/mine.yaml"}


def test_exit_codes_of_validate(ray_gke: RayGke, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder in (good, bad):
        ray_gke("blueprints", "new", folder.name, cwd=tmp_path)
    file = bad / "blueprint.yaml"
    file.write_text(file.read_text().replace("worker_groups", "worker_group"))
    assert ray_gke("validate", str(good)).stdout == "1 valid\n"
    result = ray_gke("validate", str(tmp_path), exit_code=3)
    assert_one_error(result, "bad/blueprint.yaml:", "worker_group", "worker_groups")
    annotated = ray_gke("validate", str(tmp_path), "--format", "github", exit_code=3)
    assert annotated.stdout.startswith("::error file=")
    answer = ray_gke("validate", str(tmp_path), "--output", "json", exit_code=3)
    findings = json.loads(answer.stdout)
    assert [finding["valid"] for finding in findings] == [False, True]


def test_a_long_name_and_a_strange_state_folder_are_errors_too(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    for command in ("up", "render", "validate", "blueprints show"):
        result = ray_gke(*command.split(), "a" * 300, exit_code=None)
        assert result.exit_code in (1, 2), command
        assert_one_error(result)
    ray_gke.env["XDG_STATE_HOME"] = "/dev/null"
    for command in ("status", "down", "logs x"):
        assert_one_error(ray_gke(*command.split(), exit_code=4), "XDG_STATE_HOME")
    ray_gke.env["XDG_STATE_HOME"] = str(tmp_path)


@pytest.mark.parametrize("closed", ["status >&-", "--help >&-", "schema blueprint >&-"])
def test_a_closed_stdout_is_no_traceback(ray_gke: RayGke, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m ray_gke {closed}"],
        env=ray_gke.env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr


def test_open_parameters_are_no_mistake(ray_gke: RayGke, tmp_path: Path) -> None:
    ray_gke("blueprints", "new", "open", cwd=tmp_path)
    file = tmp_path / "open" / "blueprint.yaml"
    text = file.read_text().replace("default: 4, ", "")
    file.write_text(
        text.replace("cpu: 1,", 'cpu: "{{ cpus }}",').replace(
            "spec:", "  cpus: {type: string, description: CPUs}\nspec:", 1
        )
    )
    assert ray_gke("validate", str(tmp_path / "open")).stdout == "1 valid\n"
    shown = ray_gke("blueprints", "show", "./open", cwd=tmp_path).stdout
    assert shown.count("(must be set)") == 2
    result = ray_gke("render", "./open", cwd=tmp_path, exit_code=2)
    assert "--set count" in result.stderr
    assert "--set cpus" in result.stderr


PLATFORM = """
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: team}
spec:
  kuberay: {version: 1.7.0}
  catalogs: [{path: ours}]
  blueprints:
    - {blueprint: squares, name: nightly, set: {count: 9}}
"""


def test_a_platform_s_runs_version_and_catalogs(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    (tmp_path / "ours").mkdir()
    ray_gke("blueprints", "new", "young", "--into", "ours", cwd=tmp_path)
    file = tmp_path / "ours" / "young" / "blueprint.yaml"
    file.write_text(file.read_text().replace("cpu: 1,", "cpu: 1, priority: 5,"))
    platform = tmp_path / "ray-gke.yaml"
    platform.write_text(PLATFORM)
    assert ray_gke("validate", cwd=tmp_path).stdout == "1 valid\n"
    assert ray_gke("validate", "ours", cwd=tmp_path).stdout == "1 valid\n"
    versions = ("--kuberay-version", "1.5.1")
    ray_gke("validate", "ours", *versions, cwd=tmp_path, exit_code=3)
    nightly = ray_gke("render", "nightly", cwd=tmp_path).stdout
    assert "name: nightly\n" in nightly
    assert "--count 9" in nightly
    assert ray_gke("render", cwd=tmp_path).stdout == nightly
    assert (
        "--count 3"
        in ray_gke("render", "nightly", "--set", "count=3", cwd=tmp_path).stdout
    )
    wrong = "    - {blueprint: squars}\n    - {blueprint: squares, set: {cont: 3}}\n"
    platform.write_text(PLATFORM + wrong)
    result = ray_gke("validate", "ray-gke.yaml", cwd=tmp_path, exit_code=3)
    assert "ray-gke.yaml:10:" in result.stderr
    assert "ray-gke.yaml:11:" in result.stderr
    platform.write_text(PLATFORM.replace("path: ours", "path: nowhere"))
    ray_gke("validate", "ray-gke.yaml", cwd=tmp_path, exit_code=3)
