"""Catalogs: folders of blueprints, of which later ones win."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ray_gke import assets
from ray_gke.catalog import git
from ray_gke.catalog.cross_checks import text
from ray_gke.catalog.model import control_character
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.platform import CatalogSource, Platform
from ray_gke.catalog.source import (
    BLUEPRINT_FILE,
    has_blueprint,
    read_blueprint,
    unreadable,
)
from ray_gke.catalog.workloads import kinds
from ray_gke.errors import InvalidError, Place, RayGkeError, UsageError

OURS = "ray-gke"


@dataclass(frozen=True)
class Source:
    """A catalog's folder, or the git repository in which it is."""

    label: str
    folder: Path
    repository: tuple[str, str] | None = None
    place: Place | None = None

    def found(self) -> Path:
        """Return the folder, after fetching the repository if there is one.

        Errors have the place in the platform file.
        """
        root = self._root()
        folder = root / self.folder
        try:
            inside = folder.resolve().is_relative_to(root.resolve())
            is_there = inside and folder.is_dir()
        except (OSError, RuntimeError, ValueError) as error:
            raise unreadable(error, self.place) from None
        if not is_there:
            message = f"the catalog {self.label} has no folder {self.folder}"
            raise InvalidError(message, place=self.place, hint="check the path")
        return folder

    def _root(self) -> Path:
        if self.repository is None:
            return self.folder
        try:
            return git.checkout(*self.repository)
        except RayGkeError as error:
            placed = [replace(p, place=self.place) for p in error.problems]
            raise type(error).of(placed) from None

    def blueprints(self) -> Iterator[Path]:
        """Yield the folders with a blueprint; a link that leads out is none of them."""
        catalog = self.found()
        try:
            root, folders = catalog.resolve(), sorted(catalog.iterdir())
        except OSError as error:
            raise unreadable(error, self.place) from None
        for folder in folders:
            shown = folder.name.isprintable() and not folder.name.startswith(".")
            if shown and _is_blueprint(folder, root):
                yield folder


@dataclass(frozen=True)
class Entry:
    """A blueprint as a catalog lists it; `problem` says why it cannot be read."""

    name: str
    summary: str
    tags: tuple[str, ...]
    kind: str
    folder: Path
    catalog: str
    problem: str = ""


class Catalogs:
    """Ours and those of a platform; read when they are first asked for."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Later sources win."""
        self._sources = tuple(sources)

    @classmethod
    def of(cls, platform: Platform | None) -> Catalogs:
        """Return our catalog, and after it those of the platform."""
        ours = Source(OURS, assets.folder("blueprints"))
        return cls([ours, *(_sources(platform) if platform else ())])

    @property
    def warnings(self) -> list[str]:
        """A line for each blueprint that takes the place of another catalog's.

        None while nobody has asked for a name: a path needs no catalog, and some
        catalogs are far away.
        """
        return self._index[1] if "_index" in vars(self) else []

    def entries(self) -> list[Entry]:
        """Return all blueprints by name, also those that cannot be read."""
        found = self._index[0]
        return [_entry(name, *found[name]) for name in sorted(found)]

    def find(
        self,
        name_or_path: str,
        *,
        base: Path = Path(),
        place: Place | None = None,
    ) -> Path:
        """Return the folder of a blueprint, by its name or the folder's path.

        A path has a separator; a name that no catalog has may be a folder, too. Paths
        are relative to `base`. Raises UsageError, or InvalidError with the `place` in
        a file that asks for it.
        """
        path = base / name_or_path
        is_path = os.sep in name_or_path or name_or_path in (".", "..")
        if not is_path and name_or_path in self._index[0]:
            return self._index[0][name_or_path][0]
        if path.name == BLUEPRINT_FILE and has_blueprint(path.parent):
            return path.parent
        if has_blueprint(path):
            return path
        if is_path:
            message = f"there is no {BLUEPRINT_FILE} in {name_or_path}"
            hint = "give a blueprint's folder, or a name of a catalog"
        else:
            message = f"there is no blueprint {name_or_path[:80]!r}"
            hint = suggestion(name_or_path, self._index[0])
        raise (InvalidError if place else UsageError)(message, place=place, hint=hint)

    @cached_property
    def _index(self) -> tuple[dict[str, tuple[Path, str]], list[str]]:
        found: dict[str, tuple[Path, str]] = {}
        warnings = []
        for source in self._sources:
            for folder in source.blueprints():
                name = folder.name
                if name in found:
                    warnings.append(
                        f"the blueprint {name} of the catalog {source.label} takes "
                        f"the place of that of the catalog {found[name][1]}"
                    )
                found[name] = (folder, source.label)
        return found, warnings


def _sources(platform: Platform) -> Iterator[Source]:
    for index, given in enumerate(platform.spec.catalogs):
        place = platform.document.place(("spec", "catalogs", index))
        yield _source(given, platform.folder, place)


def _source(given: CatalogSource, base: Path, place: Place) -> Source:
    path = Path(given.path or ".")
    if given.git is None or given.commit is None:
        # Path.expanduser() raises for a user that is not there.
        folder = base / os.path.expanduser(path)  # noqa: PTH111
        return Source(str(path), folder, place=place)
    local = given.git.startswith((".", "/"))
    url = os.path.realpath(base / given.git) if local else given.git
    return Source(f"{given.git}@{given.commit[:12]}", path, (url, given.commit), place)


def _is_blueprint(folder: Path, catalog: Path) -> bool:
    try:
        is_there = (folder / BLUEPRINT_FILE).is_file()
        return is_there and folder.resolve().is_relative_to(catalog)
    except (OSError, RuntimeError):
        # It is listed, with what is wrong, rather than not found.
        return True


def _entry(name: str, folder: Path, catalog: str) -> Entry:
    try:
        data = read_blueprint(folder, str(folder)).data
    except InvalidError as error:
        return Entry(name, "", (), "", folder, catalog, error.problems[0].message)
    given, metadata = kinds(data.get("spec")), data.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    words = tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
    summary = text(data, "metadata", "summary") or ""
    if any(control_character(word) for word in (summary, *words)):
        problem = "its summary or its tags have control characters"
        return Entry(name, "", (), "", folder, catalog, problem)
    problem = "" if len(given) == 1 else "it has no workload, or several"
    return Entry(name, summary, words, "".join(given[:1]), folder, catalog, problem)
