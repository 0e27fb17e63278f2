"""The README's section on GKE is run as it is written."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.gke.world import World
from tests.test_docs import README, blocks, sections

pytestmark = pytest.mark.cluster


def test_the_commands_of_the_section_on_gke(gke: World) -> None:
    _, section = sections(README.read_text())
    (platform,) = re.findall(r"^```yaml\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    # The operator of the test cluster is there before, in the usual namespace.
    operator = "  kuberay: {namespace: kuberay-of-the-readme}\n"
    (gke.folder / "ray-gke.yaml").write_text(platform + operator)
    (commands,) = blocks(section)
    for command, _ in commands:
        program, *arguments = shlex.split(command)
        assert program == "ray-gke"
        done = gke.ray_gke(*arguments)
        assert done.returncode == 0, command + done.stdout + done.stderr
    assert len(commands) == 7
    assert gke.cloud.objects() == []
