"""What Terraform's state says that this platform has already; nothing is locked.

Where the state is in a bucket, Terraform itself fetches it, in a folder that has
nothing but the backend: then it is also known whether the bucket can be used. Where
there is none yet, Terraform is not asked: its backend would lock and write one.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ray_gke.errors import Problem, RefusedError
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.terraform import failures, journal, process
from ray_gke.targets.terraform.messages import Diagnostic
from ray_gke.targets.terraform.programs import Program
from ray_gke.targets.terraform.working_copy import WorkingCopy

CLUSTER = "google_container_cluster"
_STACK = "platform"
_PROVEN = re.compile(r"does(n't| not) exist|\b403\b", re.IGNORECASE)
"""What an `up` would meet as well: a bucket that is not there, or not for us."""
_NO_PROVIDERS = (
    'provider_installation {\n  filesystem_mirror {\n    path = "."\n  }\n}\n'
)
_NOT_SET_UP = "Backend initialization required"
_BACKEND = 'terraform {\n  backend "gcs" {}\n}\n'


@dataclass(frozen=True)
class Bucket:
    """How it went with the bucket of the state; `status` as of a finding."""

    status: Literal["ok", "warning", "refused"]
    problem: Problem | None = None


@dataclass(frozen=True)
class Ours:
    """What the state has, as type and last part of the id.

    `certain` is False where more may be ours: the state cannot be read, or an apply
    was interrupted before it could write it. `bucket` is None where there is none.
    """

    resources: frozenset[tuple[str, str]] = frozenset()
    certain: bool = True
    bucket: Bucket | None = None

    @property
    def types(self) -> frozenset[str]:
        """The types of what is there."""
        return frozenset(kind for kind, _ in self.resources)

    @property
    def may_have_cluster(self) -> bool:
        """Tell whether the platform's cluster is there, or may be."""
        return CLUSTER in self.types or not self.certain


def read(
    needs: Needs,
    copy: WorkingCopy,
    program: Program | Problem,
    stored: Callable[[str], bool | Unread],
) -> Ours:
    """Return what the platform's state has, here and in its bucket.

    `stored` tells whether Cloud Storage has an object. Raises RefusedError.
    """
    file, log = copy.state(_STACK), copy.log(f"{_STACK}-apply")
    untold = (copy.stack(_STACK) / "errored.tfstate").is_file() or journal.created(log)
    here = _resources(file.read_text(encoding="utf-8")) if file.is_file() else None
    if not needs.backend:
        lost = here is None and (file.is_file() or log.is_file())
        return Ours(here or frozenset(), not (untold or lost))
    if isinstance(program, Problem):
        return Ours(here or frozenset(), certain=False)
    if _is_absent(copy.place(_STACK, needs.backend), stored):
        return Ours(here or frozenset(), not untold, Bucket("ok"))
    there, bucket = _in_bucket(needs, program)
    found = (here or frozenset()) | (there or frozenset())
    return Ours(found, there is not None and not untold, bucket)


def _is_absent(place: str, stored: Callable[[str], bool | Unread]) -> bool:
    """Tell whether it is certain that there is no state."""
    try:
        return stored(place) is False
    except RefusedError:
        return False  # nobody is logged in; Terraform may be, in a way of its own


def _in_bucket(
    needs: Needs, program: Program
) -> tuple[frozenset[tuple[str, str]] | None, Bucket]:
    with tempfile.TemporaryDirectory() as name:
        done = _pulled(Path(name), needs, program)
    if done.code:
        return None, _failed(needs, done)
    return _resources(done.out or "{}"), Bucket("ok")


def _pulled(folder: Path, needs: Needs, program: Program) -> process.Done:
    """Return what fetching the state came to, or what kept Terraform from trying.

    `init` wants the providers that a state names, which nobody needs to read it: it
    finds none, and fails once it has set up the backend.
    """
    (folder / "backend.tf").write_text(_BACKEND, encoding="utf-8")
    configuration = folder / "terraform.rc"
    configuration.write_text(_NO_PROVIDERS, encoding="utf-8")
    where: dict[str, Any] = {
        "folder": folder,
        "env": {"TF_CLI_CONFIG_FILE": str(configuration)},
    }
    options: dict[str, Any] = {
        "backend_config": dict(needs.backend),
        "input": False,
        "no_color": True,
    }
    begun = process.run(program.command, "init", **where, **options)
    done = process.run(program.command, "state pull", **where)
    return begun if _NOT_SET_UP in done.err else done


def _failed(needs: Needs, done: process.Done) -> Bucket:
    errors = [one for one in done.errors if isinstance(one, Diagnostic)]
    known = {"project": needs.project, **needs.backend}
    (first, *_) = failures.problems(errors, again="ray-gke doctor", known=known)
    proven = any(_PROVEN.search(one.text) for one in errors)
    return Bucket("refused" if proven else "warning", first)


def _resources(text: str) -> frozenset[tuple[str, str]] | None:
    """Return what a state has; None where it is none."""
    try:
        found = json.loads(text)
        return frozenset(_managed(found))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _managed(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for one in state.get("resources", ()):
        if one["mode"] == "managed":
            for instance in one["instances"]:
                identity = str(instance["attributes"].get("id", ""))
                yield one["type"], identity.rpartition("/")[2]
