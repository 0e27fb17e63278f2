"""The README's sections on GKE are run as they are written."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.gke.world import World
from tests.terraform.bucket import Bucket
from tests.test_docs import blocks, section

pytestmark = pytest.mark.cluster

# The operator of the test cluster is there before, in the usual namespace.
OPERATOR = "  kuberay: {namespace: kuberay-of-the-readme}\n"
PROGRAMS = {"git": ["git"], "ray-gke": [sys.executable, "-m", "ray_gke"]}
SOMEBODY = {
    f"GIT_{who}_{what}": "team@example.com"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


def follow(gke: World, title: str, env: Mapping[str, str]) -> list[str]:
    """Write the platform file of a section and run its commands; return these.

    What runs on this machine is run elsewhere: real Ray wants to be alone.
    """
    text = section(title)
    (platform,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (gke.folder / "ray-gke.yaml").write_text(platform + OPERATOR)
    written = [command for block in blocks(text) for command, _ in block]
    commands = [one for one in written if "--on local" not in one]
    for command in commands:
        program, *arguments = shlex.split(command)
        done = subprocess.run(
            [*PROGRAMS[program], *arguments],
            cwd=gke.folder,
            env={**gke.env(), **env},
            timeout=300,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, command + done.stdout + done.stderr
    return commands


def test_the_commands_of_the_section_on_gke(gke: World) -> None:
    assert len(follow(gke, "On GKE", {})) == 9
    assert gke.cloud.objects() == []


def test_a_team_s_platform_from_nothing_and_back(gke: World) -> None:
    with Bucket("my-project-terraform") as bucket:
        env = {**bucket.env(), **SOMEBODY}
        assert len(follow(gke, "A team's platform, in git", env)) == 14
    assert gke.cloud.objects() == []
    assert (gke.folder / "plan.md").read_text().count("|") > 50
    log = subprocess.run(
        ["git", "log", "--format=%s"],
        cwd=gke.folder,
        check=True,
        capture_output=True,
        text=True,
    )
    assert log.stdout == "Our platform\n"
