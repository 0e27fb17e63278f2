"""The folder in which a platform's stacks are run, and what is remembered there.

    .ray-gke/
      .gitignore                  all of it is this machine's
      PLATFORM/
        terraform/
          modules/ platform/ addons/   the stacks of this version, with their variables
        state/                    Terraform's state, unless it is in a bucket
        logs/                     what Terraform said last
        outputs.json              how the cluster is reached
        clusters.json             what only its clusters had, to find their leftovers
        lock                      held by the ray-gke that is at work here
        running-STACK.json        the Terraform that runs there now

Whoever calls `terraform` in a stack's folder means the same as we do.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray_gke import assets
from ray_gke.errors import FailedError, RefusedError
from ray_gke.targets.folder import replace_text
from ray_gke.targets.terraform import process

FOLDER = ".ray-gke"
_SOURCES = (".tf", ".yaml")
_LEFT_OUT = {"tests", ".terraform"}
_UNDECIDED = "Can't ask approval for state migration"
"""What Terraform says when there is a state to copy, whatever is at the new place."""
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

    def running(self, name: str) -> Path:
        """Return the file that names the Terraform that was begun last in a stack."""
        return self.folder / f"running-{name}.json"

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

    def place(self, stack: str, backend: Mapping[str, str]) -> str:
        """Return where a stack's state is: a file, or an object in a bucket."""
        if backend:
            return f"gs://{backend['bucket']}/{backend['prefix']}/default.tfstate"
        return str(self.state(stack))

    def last_place(self, stack: str) -> str | None:
        """Return where it was at the last `terraform init`, which remembers it."""
        file = self.stack(stack) / ".terraform" / "terraform.tfstate"
        saved: Any = remembered(file).get("backend")
        if not saved:
            return None
        return self.place(stack, saved["config"] if saved["type"] == "gcs" else {})

    def moves(self, stack: str, backend: Mapping[str, str]) -> bool:
        """Tell whether the next `initialize` brings the state to another place."""
        return self.last_place(stack) not in (None, self.place(stack, backend))

    def initialize(
        self,
        stack: str,
        backend: Mapping[str, str],
        command: Sequence[str],
        env: Mapping[str, str],
    ) -> process.Done:
        """Run `terraform init`, and return how it ended.

        A state that was elsewhere moves, but not to where one is: RefusedError.
        Terraform copies it, with both places locked; the one in a file is a backup
        then, and the one in a bucket stays.
        """
        options: dict[str, Any] = {"backend_config": dict(backend)} if backend else {}
        options |= {"input": False, "no_color": True}
        where: dict[str, Any] = {"folder": self.stack(stack), "env": env}
        if not self.moves(stack, backend):
            return process.run(command, "init", **where, **options)
        options |= {"migrate_state": True, "lock_timeout": process.QUIET_LOCK_TIMEOUT}
        done = process.run(command, "init", **where, **options)
        if done.code and _UNDECIDED in done.err:
            if not self._is_empty(stack, backend, command, env):
                raise self._two_states(stack, backend)
            done = process.run(command, "init", force_copy=True, **where, **options)
        file = self.state(stack)
        if not done.code and backend and file.is_file():
            file.replace(file.with_name(f"{file.name}.backup"))
        return done

    def _is_empty(
        self,
        stack: str,
        backend: Mapping[str, str],
        command: Sequence[str],
        env: Mapping[str, str],
    ) -> bool:
        """Tell whether there is no state where it is to be, or one of nothing."""
        if backend:
            text = _in_bucket(backend, command, env)
        else:
            file = self.state(stack)
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
        state = json.loads(text or "{}")
        return not (state.get("resources") or state.get("outputs"))

    def _two_states(self, stack: str, backend: Mapping[str, str]) -> RefusedError:
        old, new = self.last_place(stack), self.place(stack, backend)
        gcloud = "gcloud storage " if backend else ""
        cached = self.stack(stack) / ".terraform"
        return RefusedError(
            f"there are two states of the stack {stack}: {old}, where it was, and "
            f"{new}, where the platform file has it now",
            hint=f"look at it with {gcloud}cat {new}; {gcloud}mv {new} {new}.old makes "
            f"room for the one that was; rm -r {cached} forgets that one",
        )

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
        target = self.folder / "terraform"
        wanted, there = (
            dict(_sources(assets.folder("terraform"))),
            dict(_sources(target)),
        )
        for path in there.keys() - wanted.keys():
            (target / path).unlink()
        for path, content in wanted.items():
            if there.get(path) != content:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                replace_text(target / path, content)

    def _digest(self, folder: Path, backend: Mapping[str, str]) -> str:
        modules = self.folder / "terraform" / "modules"
        found = [*_sources(folder), *_sources(modules), *sorted(backend.items())]
        return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def _in_bucket(
    backend: Mapping[str, str], command: Sequence[str], env: Mapping[str, str]
) -> str:
    """Return the state in a bucket, by a folder that has nothing but its backend."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / _OVERRIDE).write_text(_BUCKET, encoding="utf-8")
        where: dict[str, Any] = {"folder": Path(name), "env": env}
        given: dict[str, Any] = {"backend_config": dict(backend), "input": False}
        process.run(command, "init", **where, **given)
        done = process.run(command, "state pull", **where)
    if done.code:
        raise FailedError(
            f"Terraform cannot read the state in gs://{backend['bucket']}"
        )
    return done.out


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
    replace_text(path, text)


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
