"""Copying images from registries to registries; nothing is stored in between.

Everything is asked for and verified by digest. Blobs come first, then what lists them,
and a tag last, so a target never has half an image; a second run finds the blobs of
the first.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ray_gke.errors import InterruptedRun, RayGkeError
from ray_gke.events import Emit, Note
from ray_gke.gke.image_names import ImageName
from ray_gke.targets.kubernetes.parallel import in_parallel
from ray_gke.targets.registry.client import Registries
from ray_gke.targets.registry.manifests import AMD64, Descriptor
from ray_gke.targets.registry.telling import Telling
from ray_gke.targets.registry.trees import Tree, tree
from ray_gke.targets.registry.uploads import Uploads

Pair = tuple[ImageName, ImageName]


@dataclass(frozen=True)
class Mirrored:
    """An image and its copy, whose digest is the original's for these nodes."""

    source: str
    target: str
    digest: str


def mirror(
    registries: Registries,
    images: Sequence[Pair],
    emit: Emit,
    platforms: Collection[str] = (AMD64,),
) -> list[Mirrored]:
    """Copy each image to its target. Raises RefusedError and FailedError.

    Nothing is copied before all images are known to be there.
    """
    trees = _trees(registries, images, platforms)
    for one in trees:
        if not one.manifests:
            emit(Note("images", f"{one.where} is there already"))
    if todo := [one for one in trees if one.manifests]:
        _Mirroring(registries, todo, emit).go()
    return [Mirrored(str(one.source), one.where, one.digest) for one in trees]


def _trees(
    registries: Registries, images: Sequence[Pair], platforms: Collection[str]
) -> list[Tree]:
    """Return what is to be copied; raises one error with all that is in the way."""

    def find(pair: Pair) -> Tree | RayGkeError:
        try:
            with _about(pair[0]):
                return tree(registries, *pair, platforms)
        except InterruptedRun:
            raise
        except RayGkeError as error:
            return error

    found = in_parallel(find, images, registries.connections.stop)
    errors = [one for one in found if isinstance(one, RayGkeError)]
    if errors:
        raise type(errors[0]).of([p for error in errors for p in error.problems])
    return [one for one in found if isinstance(one, Tree)]


@dataclass
class _Work:
    """A blob, and the images that have it: it is sent once for all of them."""

    blob: Descriptor
    trees: list[Tree]


class _Mirroring:
    """One run over images that are not there yet."""

    def __init__(
        self, registries: Registries, trees: Sequence[Tree], emit: Emit
    ) -> None:
        self._registries = registries
        self._uploads = Uploads(registries)
        self._lock = threading.Lock()
        self._left = {one: len(one.blobs) for one in trees}
        work: dict[tuple[str, str], _Work] = {}
        for one in trees:
            for digest, blob in one.blobs.items():
                key = one.target.host, digest
                work.setdefault(key, _Work(blob, [])).trees.append(one)
        # The largest first: otherwise it may be on its way alone in the end.
        self._work = sorted(work.values(), key=lambda one: one.blob.size, reverse=True)
        total = sum(one.blob.size for one in self._work)
        self._telling = Telling(emit, len(trees), total)

    def go(self) -> None:
        """Copy all; whatever happens, no upload is left behind."""
        stop = self._registries.connections.stop
        try:
            in_parallel(self._bring, self._work, stop)
        finally:
            self._uploads.cancel()
        self._telling.ended()

    def _bring(self, work: _Work) -> None:
        """Bring a blob to all images that have it, and finish those that are whole."""
        blob = work.blob
        places = list({one.target.repository: one for one in work.trees}.values())
        with _about(places[0].source):
            there = [one for one in places if self._uploads.has(one.target, blob)]
        origin = there[0].target.path if there else ""
        for one in (place for place in places if place not in there):
            # A registry may have a blob once for all of its repositories.
            with _about(one.source):
                if there or not (origin and self._uploads.has(one.target, blob)):
                    self._copy(one, blob, origin or _within(one))
            origin = origin or one.target.path
        self._telling.there(blob.digest, blob.size)
        for one in work.trees:
            self._one_less(one)

    def _copy(self, one: Tree, blob: Descriptor, origin: str) -> None:
        def told(position: int) -> None:
            self._telling.at(blob.digest, position, str(one.source))

        self._uploads.copy(one.source, one.target, blob, told, origin)

    def _one_less(self, one: Tree) -> None:
        """Write an image's manifests once all of its blobs are there, its own last."""
        with self._lock:
            self._left[one] -= 1
            whole = self._left[one] == 0
        if whole:
            for manifest in one.manifests[:-1]:
                name = one.target.pinned(manifest.digest)
                self._registries.put_manifest(name, manifest)
            self._registries.put_manifest(one.target, one.manifests[-1])
            self._telling.finished(str(one.source))


@contextmanager
def _about(image: ImageName) -> Iterator[None]:
    """Let errors name the image, where they do not yet."""
    try:
        yield
    except InterruptedRun:
        raise
    except RayGkeError as error:
        begin = f"{image}: "
        raise type(error).of(
            [
                one
                if str(image) in one.message
                else replace(one, message=begin + one.message)
                for one in error.problems
            ]
        ) from None


def _within(one: Tree) -> str:
    """Return where the target's registry has the blob itself, if it is the source's."""
    return one.source.path if one.source.host == one.target.host else ""
