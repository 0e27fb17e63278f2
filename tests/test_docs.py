"""The documents' commands are run, and answer as written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ray_gke.testing import RayGke

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def blocks(text: str) -> Iterator[list[tuple[str, list[str]]]]:
    """Yield each console block as commands with the output lines below them."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        commands: list[tuple[str, list[str]]] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
        yield commands


ON_GKE = ("On GKE", "A team's platform, in git")
"""The sections whose commands need Google Cloud."""


def section(title: str) -> str:
    """Return a section of the README."""
    (found,) = re.findall(
        rf"^## {re.escape(title)}\n(.*?)^## ",
        README.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    return str(found)


def elsewhere() -> str:
    """Return the README without what needs Google Cloud."""
    text = README.read_text()
    for title in ON_GKE:
        text = text.replace(section(title), "")
    return text


def run_all(
    text: str, ray_gke: RayGke, folder: Path, *, on_kubernetes: bool = False
) -> int:
    """Run the commands for this machine, or those for a cluster."""
    count = 0
    for commands in blocks(text):
        for command, expected in commands:
            if on_kubernetes != ("--on kubernetes" in command):
                continue
            program, *arguments = shlex.split(command)
            if program == "make":
                targets = re.findall(
                    r"^([a-z-]+):", Path(ROOT / "Makefile").read_text(), re.MULTILINE
                )
                assert arguments[0] in targets
                continue
            assert program == "ray-gke", command
            lines = ray_gke(*arguments, cwd=folder).stdout.splitlines()
            assert lines[: len(expected)] == expected or not expected, command
            count += 1
    return count


@pytest.mark.local
def test_the_commands_of_the_readme_answer_as_written(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    assert run_all(elsewhere(), ray_gke, tmp_path) >= 12


@pytest.mark.local
def test_a_team_s_blueprint_is_tried_out_on_this_machine(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    text = section("A team's platform, in git")
    (platform,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "ray-gke.yaml").write_text(platform)
    first = [shlex.split(command) for command, _ in next(blocks(text))]
    until = next(n for n, words in enumerate(first) if "local" in words)
    done = [
        ray_gke(*arguments, cwd=tmp_path)
        for program, *arguments in first[: until + 1]
        if program == "ray-gke"
    ]
    assert len(done) == 3
    assert done[-1].stdout


def test_the_readme_opens_with_the_two_commands() -> None:
    first = next(blocks(README.read_text()))
    assert [command for command, _ in first] == ["make up", "make test"]


def test_links_lead_somewhere() -> None:
    documents = [README, *ROOT.glob("blueprints/*/README.md")]
    for document in documents:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document}: {link}"


def test_the_yaml_examples_of_the_readme_are_valid(
    ray_gke: RayGke, tmp_path: Path
) -> None:
    examples = re.findall(
        r"^```yaml\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL
    )
    blueprint, platform, shortest, _, _ = examples
    folder = tmp_path / "stable-diffusion"
    folder.mkdir()
    (folder / "blueprint.yaml").write_text(blueprint)
    config = "applications: [{name: a, import_path: 'app:app', route_prefix: /}]\n"
    (folder / "serve.yaml").write_text(config)
    (folder / "app.py").write_text("")
    assert ray_gke("validate", str(folder)).stdout == "1 valid\n"
    # The git repository of the example does not exist.
    without_git = re.sub(r"^ +- git:.*\n.*\n", "", platform, flags=re.MULTILINE)
    assert without_git != platform
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "ray-gke.yaml").write_text(without_git)
    (tmp_path / "shortest.yaml").write_text(shortest)
    for name in ("ray-gke.yaml", "shortest.yaml"):
        assert ray_gke("validate", str(tmp_path / name)).stdout == "1 valid\n"


@pytest.mark.parametrize("document", ["README.md", "docs/day-two.md"])
def test_the_fragments_of_blueprints_are_valid(
    ray_gke: RayGke, tmp_path: Path, document: str
) -> None:
    text = (ROOT / document).read_text()
    fragments = re.findall(
        r"^```yaml\n(spec:\n.*?)^```", text, re.MULTILINE | re.DOTALL
    )
    assert fragments
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "app.py").touch()
    (folder / "serve.yaml").write_text("applications: [{import_path: 'app:app'}]\n")
    head = "apiVersion: ray-gke/v1\nkind: Blueprint\nmetadata: {name: demo}\n"
    for fragment in fragments:
        workload = "" if "  service:" in fragment else "  cluster: {}\n"
        (folder / "blueprint.yaml").write_text(head + fragment + workload)
        assert ray_gke("validate", str(folder)).stdout == "1 valid\n"


def test_blueprints_document_every_parameter() -> None:
    for readme in ROOT.glob("blueprints/*/README.md"):
        text = readme.read_text()
        blueprint = (readme.parent / "blueprint.yaml").read_text()
        head = blueprint.split("\nspec:")[0]
        names = re.findall(
            r"^ {2}(\w+):\s*(?:\{|$)", head.split("parameters:")[-1], re.MULTILINE
        )
        for name in names if "parameters:" in head else []:
            assert f"`{name}`" in text, f"{readme.parent.name}: {name}"
    assert any((ROOT / "blueprints").iterdir())


@pytest.mark.local
@pytest.mark.parametrize(
    "readme", sorted(ROOT.glob("blueprints/*/README.md")), ids=lambda p: p.parent.name
)
def test_the_commands_of_a_blueprint_s_readme_run(
    ray_gke: RayGke, tmp_path: Path, readme: Path
) -> None:
    assert run_all(readme.read_text(), ray_gke, tmp_path) >= 1
