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
    try:
        is_there, target, root = path.is_file(), path.resolve(), folder.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise unreadable(error, place) from None
    if not is_there:
        raise InvalidError(
            f"there is no {BLUEPRINT_FILE}", place=place, hint=_instead(folder)
        )
    if not target.is_relative_to(root):
        message = f"the link leads out of the blueprint's folder, to {target}"
        raise InvalidError(message, place=place, hint="copy the file into the folder")
    return read(path, place.file)


def has_blueprint(folder: Path) -> bool:
    """Say whether the file is in `folder`, as far as that can be seen."""
    try:
        return (folder / BLUEPRINT_FILE).is_file()
    except OSError:
        return False


def unreadable(error: Exception, place: Place | None) -> InvalidError:
    """Return what to tell of a path that the system does not take.

    That is an OSError, a ValueError for a path that cannot be one, or, until Python
    3.12, a RuntimeError for a link in a circle.
    """
    reason = getattr(error, "strerror", None) or str(error)
    return InvalidError(f"cannot be read: {reason}", place=place, hint="check the path")


def _instead(folder: Path) -> str:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except (OSError, ValueError):
        return f"{folder} is not a folder that can be read"
    near = nearest(BLUEPRINT_FILE, names)
    return (
        f"did you mean {near!r}?" if near else "a blueprint is a folder with this file"
    )
