"""The documented pipelines: what they may do, and that their steps run as written.

On a Google Cloud that is a folder; with a cluster they are in `tests/gke`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke import __version__
from tests.gke_site import PLATFORM, Site
from tests.pipelines import CLOUD_BUILD, GITHUB, CloudBuild, GitHub, Machines, actions
from tests.terraform import program
from tests.terraform.bucket import Bucket

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "pipelines.md"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
HAVE_GIT = {"python:3.12-bookworm"}
"""Images with a git; those that are called slim have none."""
ALONE = "There is nothing to compare with: no plan of main.\n"
IN_BUCKET = PLATFORM + "  state: {bucket: my-states}\n"


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(GITHUB.read_text())
    return found


def test_every_action_is_pinned_by_its_commit() -> None:
    found = list(actions())
    assert len(found) >= 10
    for action, comment in found:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r"# v\d+\.\d+\.\d+", comment), action
    names = {action.partition("@")[0] for action, _ in found}
    assert len({action for action, _ in found}) == len(names)


def test_a_job_may_do_what_it_needs_and_no_more(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}
    read, identity = {"contents": "read"}, {"id-token": "write"}
    assert {n: job["permissions"] for n, job in workflow["jobs"].items()} == {
        "validate": read,
        "plan": {**read, **identity, "pull-requests": "write"},
        "up": {**read, **identity},
    }
    # YAML 1.1 takes `on` for true; what gives a fork rights is not there.
    events = {str(key): value for key, value in workflow.items()}["True"]
    assert set(events) == {"pull_request", "push"}
    assert workflow["jobs"]["up"]["environment"] == "production"
    assert workflow["concurrency"]["cancel-in-progress"] is False


def test_no_pipeline_knows_a_secret(workflow: dict[str, Any]) -> None:
    for file in (GITHUB, CLOUD_BUILD):
        text = file.read_text()
        assert not re.search(r"secrets\.|credentials_json|secretEnv|private", text)
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            # What others may name, such as branches, is never part of a program.
            assert "${{" not in step.get("run", "")
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_cloud_build_runs_as_an_account_of_its_own() -> None:
    config = yaml.safe_load(CLOUD_BUILD.read_text())
    assert config["serviceAccount"].endswith("/serviceAccounts/${_SERVICE_ACCOUNT}")
    assert config["substitutions"]["_UP"] == "false"
    assert config["options"]["logging"] == "CLOUD_LOGGING_ONLY"
    used = set(re.findall(r"\$\{?(_\w+)", CLOUD_BUILD.read_text()))
    assert used == set(config["substitutions"])
    for step in config["steps"]:
        assert re.search(r":[a-z0-9.-]+$", step["name"])


def test_what_runs_ray_gke_has_git_for_catalogs_in_git() -> None:
    steps = yaml.safe_load(CLOUD_BUILD.read_text())["steps"]
    ours = {
        step["id"]: step["name"]
        for step in steps
        if "ray-gke " in " ".join([step["entrypoint"], *step["args"]])
    }
    assert set(ours) == {"validate", "plan", "up"}
    assert set(ours.values()) <= HAVE_GIT
    # The environment that was installed is for this Python alone.
    (install,) = (step["name"] for step in steps if step["id"] == "install")
    assert set(ours.values()) == {install}


@pytest.mark.parametrize("file", [GITHUB, CLOUD_BUILD], ids=["github", "cloudbuild"])
def test_no_pipeline_waits_for_a_job_to_end(file: Path) -> None:
    (up,) = re.findall(r"ray-gke up .*", file.read_text())
    assert up.split() == ["ray-gke", "up", "--plan", "saved-plan.json", "--detach"]


def test_both_install_this_version() -> None:
    for file in (GITHUB, CLOUD_BUILD):
        versions = re.findall(r"ray-gke\[terraform\]==([\d.]+)", file.read_text())
        assert set(versions) == {__version__}


def test_the_page_explains_all_that_has_to_be_set_up() -> None:
    page = PAGE.read_text()
    for file in (GITHUB, CLOUD_BUILD):
        names = re.findall(r"vars\.(\w+)|\b(_[A-Z_]+)", file.read_text())
        for name in {a or b for a, b in names}:
            assert name in page, name
        assert f"pipelines/{file.name}" in page
    for link in re.findall(r"\]\(([^)#:]+)\)", page):
        assert (PAGE.parent / link).exists(), link
    # Placeholders of the commands are said once, at the top.
    for commands in re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        done = subprocess.run(
            ["bash", "-n"], input=commands, text=True, check=False, capture_output=True
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Site, Machines]]:
    """A platform in git, and machines that reach its cloud."""
    site = Site.new(tmp_path / "main", IN_BUCKET)
    with Bucket("my-states") as bucket:
        env = {
            **site.cloud.env(),
            **bucket.env(),
            "RAY_GKE_TERRAFORM": str(program.terraform()),
        }
        login = {"GOOGLE_OAUTH_ACCESS_TOKEN": "some-token"}
        shutil.move(site.cloud.folder, tmp_path / "cloud")
        cloud = type(site.cloud)(tmp_path / "cloud")
        yield (
            Site(site.folder, cloud),
            Machines(tmp_path / "ci", {**env, **cloud.env()}, login),
        )


def branch(main: Path, name: str, old: str, new: str) -> Path:
    """Return a branch in which the platform's file says something else."""
    folder = main.with_name(name)
    shutil.copytree(main, folder)
    file = folder / "ray-gke.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return folder


def test_a_pull_request_is_planned_and_told(site: tuple[Site, Machines]) -> None:
    main, machines = site
    smaller = branch(main.folder, "smaller", "    - {blueprint: shared}\n", "")
    github = GitHub(machines, {"main": main.folder, "smaller": smaller})
    jobs = github.pull_request("smaller")
    assert {name: job.result for name, job in jobs.items()} == {
        "validate": "success",
        "plan": "success",
        "up": "skipped",
    }, jobs
    assert jobs["plan"].outputs == {"changes": "true"}
    (comment,) = machines.comments(7)
    assert github.summaries == [comment]
    assert "| Cost | Before | After | Difference |" in comment
    assert "to create**" in comment
    before = re.search(r"At maximum \| &#36;([\d.,]+) \| &#36;([\d.,]+) \|", comment)
    assert before
    assert float(before[1].replace(",", "")) > float(before[2].replace(",", ""))
    assert set(github.artifacts) == {"plan.json", "saved-plan.json", "summary.md"}
    assert json.loads(github.artifacts["plan.json"])["kind"] == "Plan"
    assert json.loads(github.artifacts["saved-plan.json"])["kind"] == "SavedPlan"
    assert b"some-token" not in b"".join(github.artifacts.values())
    assert github.logins == ["plan@my-project"]
    assert main.cloud.calls() == []

    # What is pushed next is told in the same comment.
    (smaller / "ray-gke.yaml").write_text("nonsense: 1\n")
    jobs = github.pull_request("smaller")
    assert [job.result for job in jobs.values()] == ["failure", "skipped", "skipped"]
    (validate,) = [s for s in jobs["validate"].steps if s.name == "Validate"]
    assert validate.code == 3
    assert validate.stdout.startswith("::error file=ray-gke.yaml,line=1")
    shutil.copy(main.folder / "ray-gke.yaml", smaller)
    assert github.pull_request("smaller")["plan"].result == "success"
    (again,) = machines.comments(7)
    assert again != comment


def test_what_is_broken_on_main_can_be_repaired(site: tuple[Site, Machines]) -> None:
    main, machines = site
    broken = branch(main.folder, "broken", "spec:\n", "spec:\n  projekt: x\n")
    github = GitHub(machines, {"main": broken, "repaired": main.folder})
    jobs = github.pull_request("repaired")
    assert jobs["plan"].result == "success", jobs
    assert "unknown key 'projekt'" in jobs["plan"].steps[1].stderr
    (comment,) = machines.comments(7)
    assert comment.endswith(f"\n\n{ALONE}")
    assert "| Cost | After |" in comment
    # What comes to main is compared with nothing anyway.
    github = GitHub(machines, {"main": main.folder})
    assert github.push("validate", "plan")["plan"].result == "success"
    assert "nothing to compare with" not in github.summaries[0]


def test_a_pull_request_of_a_fork_is_validated_only(
    site: tuple[Site, Machines],
) -> None:
    main, machines = site
    github = GitHub(machines, {"main": main.folder})
    jobs = github.pull_request("main", fork=True)
    assert [job.result for job in jobs.values()] == ["success", "skipped", "skipped"]
    assert github.logins == []


def test_cloud_build_plans_a_pull_request(site: tuple[Site, Machines]) -> None:
    main, machines = site
    build = CloudBuild(machines).build(main.folder, "build-1")
    assert build.result == "success", build
    names = [step.name for step in build.steps]
    assert names == ["install", "validate", "before", "plan", "up", "keep"]
    assert "### ray-gke plan: demo" in build.step("plan").stdout
    kept = machines.bucket("my-project-ray-gke-plans")
    assert set(kept) == {
        f"build-1/{name}" for name in ("plan.json", "saved-plan.json", "summary.md")
    }
    assert json.loads(kept["build-1/saved-plan.json"])["kind"] == "SavedPlan"
    assert main.cloud.calls() == []
    assert build.step("plan").stdout.endswith(f"\n\n{ALONE}")


def test_cloud_build_compares_with_what_is_kept_of_main(
    site: tuple[Site, Machines],
) -> None:
    main, machines = site
    builds = CloudBuild(machines)
    assert builds.build(main.folder, "build-1").result == "success"
    kept = machines.parts / "buckets" / "my-project-ray-gke-plans"
    (kept / "main").mkdir()
    shutil.copy(kept / "build-1" / "plan.json", kept / "main")
    told = builds.build(main.folder, "build-2").step("plan").stdout
    assert "| Cost | Before | After | Difference |" in told
    assert "nothing to compare with" not in told
    # The next ray-gke cannot read it.
    (kept / "main" / "plan.json").write_text('{"kind": "Plan", "cost": {}}')
    plan = builds.build(main.folder, "build-3").step("plan")
    assert plan.code == 0
    assert "base.json: no plan to compare with" in plan.stderr
    assert "| Cost | After |" in plan.stdout
    assert plan.stdout.endswith(f"\n\n{ALONE}")


# The hook for pre-commit.


@pytest.fixture(scope="module")
def hook() -> dict[str, Any]:
    (found,) = yaml.safe_load(HOOKS.read_text())
    return dict(found)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The folder of a blueprint in a repository whose platform runs it."""
    text = PLATFORM.replace("shared", "mine").replace("catalog}", "blueprints}")
    (tmp_path / "ray-gke.yaml").write_text(text)
    folder = tmp_path / "blueprints" / "mine"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# mine\n")
    return folder


HEAD = "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: mine}\n"


def test_the_hook_checks_the_repository(
    hook: dict[str, Any], tmp_path: Path, mine: Path
) -> None:
    assert (hook["language"], hook["id"]) == ("python", "ray-gke-validate")
    assert (ROOT / "pyproject.toml").read_text().count('ray-gke = "ray_gke.cli:main"')
    for spec, code in (("spec: {cluster: {}}\n", 0), ("spec: {clustr: {}}\n", 3)):
        (mine / "blueprint.yaml").write_text(HEAD + spec)
        done = entry(hook, tmp_path)
        assert done.returncode == code, done.stderr
    # The platform runs it: it is found twice, and named as git names it.
    said = "blueprints/mine/blueprint.yaml:4:8: spec.clustr: unknown key 'clustr'"
    assert done.stderr.splitlines().count(f"error: {said}") == 2


def test_the_hook_runs_also_for_a_blueprints_other_files(
    hook: dict[str, Any], tmp_path: Path, mine: Path
) -> None:
    """pre-commit gives it no names, and runs it also when a file was only removed."""
    assert (hook["always_run"], hook["pass_filenames"]) == (True, False)
    assert not {"files", "types", "types_or", "exclude"} & set(hook)
    serve, spec = mine / "serve.yaml", "spec: {service: {serve_config: serve.yaml}}\n"
    (mine / "blueprint.yaml").write_text(HEAD + spec)
    (mine / "app.py").write_text("app = None\n")
    serve.write_text("applications: [{name: a, import_path: 'app:app'}]\n")
    done = entry(hook, tmp_path)
    assert done.returncode == 0, done.stderr
    serve.write_text("applications: {}\n")
    assert entry(hook, tmp_path).returncode == 3
    serve.unlink()
    assert entry(hook, tmp_path).returncode == 3


def entry(
    hook: dict[str, Any], folder: Path, *names: str
) -> subprocess.CompletedProcess[str]:
    command, *arguments = hook["entry"].split()
    assert command == "ray-gke"
    return subprocess.run(
        [sys.executable, "-m", "ray_gke", *arguments, *names],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_blueprint_is_checked_for_the_kuberay_of_its_platform(
    hook: dict[str, Any], tmp_path: Path
) -> None:
    """Also where the platform's folder is not where pre-commit runs."""
    folder = tmp_path / "platforms" / "prod"
    demo = folder / "blueprints" / "demo" / "blueprint.yaml"
    demo.parent.mkdir(parents=True)
    (demo.parent / "README.md").write_text("# demo\n")
    demo.write_text(
        "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: demo}\n"
        "spec:\n  cluster: {}\n  patches:\n    - kind: RayCluster\n"
        "      patch: {spec: {upgradeStrategy: {type: Recreate}}}\n"
    )
    (folder / "ray-gke.yaml").write_text(
        "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: prod}\n"
        "spec:\n  target: kubernetes\n  kuberay: {version: 1.5.1}\n"
        "  blueprints: [{blueprint: ./blueprints/demo}]\n"
    )
    name = "platforms/prod/blueprints/demo/blueprint.yaml"
    assert entry(hook, tmp_path, name).returncode == 3
    platform = folder / "ray-gke.yaml"
    platform.write_text(platform.read_text().replace("1.5.1", "1.6.2"))
    done = entry(hook, tmp_path, name)
    assert done.returncode == 0, done.stderr
