"""A cloud for each test, and a folder of Terraform to work on it."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.terraform import program
from tests.terraform.cloud import Cloud

PROVIDER = """
provider "google" {
  project = "some-project"
  region  = "us-central1"
}
"""


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """An empty cloud; without Terraform or Go there is none."""
    try:
        program.terraform()
        return Cloud(tmp_path / "cloud")
    except program.MissingProgram as missing:
        pytest.skip(str(missing))


class Root:
    """A root module in a folder, over a cloud."""

    def __init__(self, folder: Path, cloud: Cloud) -> None:
        self.folder = folder
        self.cloud = cloud
        folder.mkdir()
        (folder / "provider.tf").write_text(PROVIDER)

    def write(self, configuration: str) -> Root:
        """Replace the configuration; the first one is initialised."""
        (self.folder / "main.tf").write_text(textwrap.dedent(configuration))
        if not (self.folder / ".terraform").exists():
            self.succeeds("init")
        return self

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of Terraform, without a question and without colours."""
        yes = ["-auto-approve"] if command in ("apply", "destroy") else []
        words = ["-no-color", *yes, *arguments]
        return self.cloud.terraform(self.folder, command, *words)

    def succeeds(self, command: str, *arguments: str) -> str:
        """Run a command that has to end well; return what it says."""
        done = self.run(command, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fails(self, command: str, *arguments: str) -> str:
        """Run a command that has to fail; return its error, its lines joined."""
        done = self.run(command, *arguments)
        assert done.returncode == 1, done.stdout
        return " ".join(done.stderr.replace("│", " ").split())


@pytest.fixture
def root(tmp_path: Path, cloud: Cloud) -> Root:
    """A root module with the google provider and nothing else yet."""
    return Root(tmp_path / "root", cloud)
