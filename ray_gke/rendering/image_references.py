"""Where the images stand that rendered objects name, and their names next to a cluster.

Sources: Kubernetes API v1, PodSpec (containers, and volumes of the kind `image`);
KubeRay's AutoscalerOptions and CollectorOptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ray_gke.errors import InvalidError
from ray_gke.gke.image_names import parse
from ray_gke.gke.image_registry import ImageRegistry
from ray_gke.rendering.schema_check import Fault
from ray_gke.rendering.templates import Manifest

Path = tuple[str | int, ...]

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_OPTIONS = ("autoscalerOptions", "collectorOptions")


def images_of(manifests: Iterable[Any]) -> tuple[str, ...]:
    """Return the images that any rendered objects name, each once, as written."""
    found = (image for one in manifests for _, image in _references(one, ()))
    return tuple(dict.fromkeys(found))


def pulled(one: Manifest, registry: ImageRegistry) -> Manifest:
    """Return an object with its images under the names that they have in `registry`."""
    for path, image in tuple(_references(one, ())):
        one = _with(one, path, registry.pulled(image))
    return one


def faults(one: Manifest) -> Iterator[Fault]:
    """Yield what stands for an image and names none."""
    for path, image in _references(one, ()):
        try:
            parse(image)
        except InvalidError as error:
            (problem,) = error.problems
            yield Fault(path, problem.message, problem.hint)


def _references(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _of_key(key, item, (*path, key))


def _of_key(key: str, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if key in _OPTIONS:
        yield from _named(value, path, "image")
    elif key in _CONTAINERS and isinstance(value, list):
        for index, container in enumerate(value):
            yield from _named(container, (*path, index), "image")
    elif key == "volumes" and isinstance(value, list):
        for index, volume in enumerate(value):
            inside = volume.get("image") if isinstance(volume, dict) else None
            yield from _named(inside, (*path, index, "image"), "reference")
    else:
        yield from _references(value, path)


def _named(value: Any, path: Path, key: str) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict) and isinstance(value.get(key), str):
        yield (*path, key), value[key]


def _with(value: Any, path: Path, image: str) -> Any:
    if not path:
        return image
    step, *rest = path
    changed = value.copy()
    changed[step] = _with(value[step], tuple(rest), image)
    return changed
