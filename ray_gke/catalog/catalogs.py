"""Catalogs: folders of blueprints, of which later ones win."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ray_gke import assets
from ray_gke.catalog import git
from ray_gke.catalog.cross_checks import text
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.platform import CatalogSource, Platform
from ray_gke.catalog.source import BLUEPRINT_FILE, read_blueprint
from ray_gke.catalog.workloads import WORKLOADS
from ray_gke.errors import InvalidError, Place, UsageError

OURS = "ray-gke"


@dataclass(frozen=True)
class Source:
    """A catalog's folder, or the git repository in which it is."""

    label: str
    folder: Path
    repository: tuple[str, str] | None = None
    place: Place | None = None

    def found(self) -> Path:
        """Return the folder, after fetching the repository if there is one."""
        root = git.checkout(*self.repository) if self.repository else self.folder
        folder = root / self.folder if self.repository else self.folder
        inside = folder.resolve().is_relative_to(root.resolve())
        if not (inside and folder.is_dir()):
            message = f"the catalog {self.label} has no folder {self.folder}"
            raise InvalidError(message, place=self.place, hint="check the path")
        return folder


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
        if path.name == BLUEPRINT_FILE and path.is_file():
            return path.parent
        if (path / BLUEPRINT_FILE).is_file():
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
            for folder in _blueprints(source.found()):
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
        return Source(str(path), base / path.expanduser(), place=place)
    local = given.git.startswith((".", "/"))
    url = str((base / given.git).resolve()) if local else given.git
    return Source(f"{given.git}@{given.commit[:12]}", path, (url, given.commit), place)


def _blueprints(catalog: Path) -> Iterator[Path]:
    """Yield the folders with a blueprint; a link that leads out is none of them."""
    root = catalog.resolve()
    for folder in sorted(catalog.iterdir()):
        hidden = folder.name.startswith(".")
        if hidden or not (folder / BLUEPRINT_FILE).is_file():
            continue
        if folder.resolve().is_relative_to(root):
            yield folder


def _entry(name: str, folder: Path, catalog: str) -> Entry:
    try:
        data = read_blueprint(folder, str(folder)).data
    except InvalidError as error:
        return Entry(name, "", (), "", folder, catalog, error.problems[0].message)
    spec, metadata = data.get("spec"), data.get("metadata")
    kinds = [kind for kind in WORKLOADS if isinstance(spec, dict) and kind in spec]
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    words = tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
    problem = "" if len(kinds) == 1 else "it has no workload, or several"
    summary = text(data, "metadata", "summary") or ""
    return Entry(name, summary, words, "".join(kinds[:1]), folder, catalog, problem)
