"""The folder in which a platform's stacks are run, and what is remembered there.

    .ray-gke/
      .gitignore                  all of it is this machine's
      PLATFORM/
        terraform/
          modules/ platform/ addons/   the stacks of this version, with their variables
        state/                    Terraform's state, unless it is in a bucket
        logs/                     what Terraform said last
        running.json              the Terraform that was begun last

Whoever calls `terraform` in a stack's folder means the same as we do.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ray_gke import assets
from ray_gke.errors import FailedError

FOLDER = ".ray-gke"
_SOURCES = (".tf", ".yaml")
_LEFT_OUT = {"tests", ".terraform"}
_OVERRIDE = "backend_override.tf"
_LOCAL = """terraform {{
  backend "local" {{
    path = "../../state/{stack}.tfstate"
  }}
}}
"""
_BUCKET = """terraform {
  backend "gcs" {}
}
"""


@dataclass(frozen=True)
class WorkingCopy:
    """The folder of one platform."""

    folder: Path

    @classmethod
    def beside(cls, platform_folder: Path, name: str) -> WorkingCopy:
        """Return that of the platform `name` whose file is in `platform_folder`."""
        return cls(platform_folder / FOLDER / name)

    @property
    def exists(self) -> bool:
        """Tell whether the platform was begun from here."""
        return self.folder.is_dir()

    @property
    def running(self) -> Path:
        """The file that names the Terraform that was begun last."""
        return self.folder / "running.json"

    def stack(self, name: str) -> Path:
        """Return the root module of a stack."""
        return self.folder / "terraform" / name

    def state(self, name: str) -> Path:
        """Return the file of a stack's state, where it is here."""
        return self.folder / "state" / f"{name}.tfstate"

    def variables(self, name: str) -> Path:
        """Return the file of a stack's variables, which Terraform reads by its name."""
        return self.stack(name) / f"{name}.auto.tfvars.json"

    def log(self, name: str) -> Path:
        """Return the file in which Terraform's words are kept."""
        return self.folder / "logs" / f"{name}.jsonl"

    def prepare(self) -> None:
        """Bring the stacks to this version. Raises FailedError."""
        try:
            for folder in ("state", "logs"):
                (self.folder / folder).mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            _write(self.folder.parent / ".gitignore", "*\n")
            self._copy()
        except OSError as error:
            raise FailedError(
                f"cannot write to {str(self.folder)!r}: {error.strerror}",
                hint="make room, or let this user write beside the platform file",
            ) from None

    def configure(self, stack: str, variables: str, backend: Mapping[str, str]) -> str:
        """Write a stack's variables and where its state is.

        Returns a digest of all that `terraform init` looks at.
        """
        folder = self.stack(stack)
        _write(self.variables(stack), variables)
        override = _BUCKET if backend else _LOCAL.format(stack=stack)
        _write(folder / _OVERRIDE, override)
        return self._digest(folder, backend)

    def remove(self) -> None:
        """Take away the folder, once nothing that it tells of is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            others = [one.name for one in self.folder.parent.iterdir()]
            if others == [".gitignore"]:
                shutil.rmtree(self.folder.parent)
        except OSError:
            return

    def _copy(self) -> None:
        source, target = assets.folder("terraform"), self.folder / "terraform"
        wanted = dict(_sources(source))
        for path in sorted(set(dict(_sources(target))) - wanted.keys()):
            (target / path).unlink()
        for path, content in wanted.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            _write(target / path, content)

    def _digest(self, folder: Path, backend: Mapping[str, str]) -> str:
        modules = self.folder / "terraform" / "modules"
        found = [*_sources(folder), *_sources(modules), *sorted(backend.items())]
        return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def _sources(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield path and text of the files that make the stacks."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if (
            path.suffix in _SOURCES
            and path.name != _OVERRIDE
            and not _LEFT_OUT & set(inside.parts)
            and path.is_file()
        ):
            yield inside.as_posix(), path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, and only if it says something else."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def remember(path: Path, values: Mapping[str, object]) -> None:
    """Write a small file of facts, so that a crash leaves the old or the new one."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(values, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def remembered(path: Path) -> dict[str, object]:
    """Return what `remember` wrote, or nothing where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
