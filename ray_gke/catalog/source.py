"""The file blueprint.yaml of a folder."""

from __future__ import annotations

from pathlib import Path

from ray_gke.catalog.nearest import nearest
from ray_gke.catalog.yaml_file import Document, read
from ray_gke.errors import InvalidError, Place

BLUEPRINT_FILE = "blueprint.yaml"


def read_blueprint(folder: Path, display: str) -> Document:
    """Return the blueprint in `folder`; it is no link that leads out of there."""
    path = folder / BLUEPRINT_FILE
    place = Place(f"{display}/{BLUEPRINT_FILE}")
    if not path.is_file():
        raise InvalidError(
            f"there is no {BLUEPRINT_FILE}", place=place, hint=_instead(folder)
        )
    target = path.resolve()
    if not target.is_relative_to(folder.resolve()):
        message = f"the link leads out of the blueprint's folder, to {target}"
        raise InvalidError(message, place=place, hint="copy the file into the folder")
    return read(path, place.file)


def _instead(folder: Path) -> str:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return f"{folder} is not a folder that can be read"
    near = nearest(BLUEPRINT_FILE, names)
    return (
        f"did you mean {near!r}?" if near else "a blueprint is a folder with this file"
    )
