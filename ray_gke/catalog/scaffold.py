"""A new blueprint: small, and working."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from ray_gke.catalog.cross_checks import LONGEST_NAME
from ray_gke.catalog.quantities import Name
from ray_gke.catalog.scaffold_files import FILES
from ray_gke.errors import FailedError, RefusedError, UsageError

Workload = Literal["cluster", "job", "service"]


def new(folder: Path, name: str, kind: Workload) -> list[Path]:
    """Write the blueprint `name` into the catalog `folder`; return its files.

    All of it is written or nothing. Raises UsageError for a name that cannot be one,
    RefusedError when it exists, FailedError when it cannot be written.
    """
    _check_name(name, kind)
    target = folder / name
    try:
        if target.exists() or target.is_symlink():
            raise RefusedError(f"{target} exists already", hint="choose another name")
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
        try:
            _write(temporary, name, kind)
            temporary.chmod(0o755)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}"
        raise FailedError(message, hint="check permissions and space") from None
    return sorted(target.iterdir())


def _check_name(name: str, kind: Workload) -> None:
    hint = "use small letters, digits and '-', beginning with a letter"
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise UsageError(f"{name[:80]!r} cannot be a name", hint=hint) from None
    if len(name) > LONGEST_NAME[kind]:
        message = f"the name is longer than {LONGEST_NAME[kind]} characters"
        raise UsageError(message, hint=f"KubeRay wants a shorter name of a {kind}")


def _write(folder: Path, name: str, kind: Workload) -> None:
    for path, content in FILES[kind].items():
        file = folder / path.format(module=name.replace("-", "_"))
        filled = content.replace("NAME", name)
        file.write_text(filled, encoding="utf-8")
