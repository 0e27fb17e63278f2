"""How far a mirroring has come, told to people while several threads work on it."""

from __future__ import annotations

import threading
import time

from ray_gke.events import Emit, Event, Progress, StepFinished, StepStarted

_NAME = "images"
_STEP = "mirror"
_EVERY_SECONDS = 0.2
_KIB = 1024


class Telling:
    """Tells `emit` about images that are copied, and the bytes of their blobs."""

    def __init__(self, emit: Emit, images: int, total: int) -> None:
        """Tell that copying `images` begins, with `total` bytes together."""
        self._emit = emit
        self._images = images
        self._total = total
        self._there: dict[str, int] = {}
        self._sent = 0
        self._finished = 0
        self._begun = self._told = time.monotonic()
        self._lock = threading.Lock()
        self._say(StepStarted(_NAME, _STEP, "copy images"))

    def at(self, digest: str, position: int, image: str) -> None:
        """Take note how much of a blob has been sent."""
        with self._lock:
            self._sent += max(0, position - self._there.get(digest, 0))
            self._there[digest] = position
            now = time.monotonic()
            if now - self._told >= _EVERY_SECONDS:
                self._told = now
                self._say(self._progress(image))

    def there(self, digest: str, size: int) -> None:
        """Take note that a blob needs not be sent."""
        with self._lock:
            self._there[digest] = size

    def finished(self, image: str) -> None:
        """Tell that an image is whole at its target."""
        with self._lock:
            self._finished += 1
            self._say(self._progress(finished=image))

    def ended(self) -> None:
        """Tell that all are."""
        seconds = time.monotonic() - self._begun
        detail = f"{in_words(self._sent)} copied" if self._sent else "nothing to copy"
        self._say(StepFinished(_NAME, _STEP, seconds, detail))

    def _progress(self, doing: str = "", finished: str = "") -> Progress:
        done = sum(self._there.values())
        text = f"{in_words(done)} of {in_words(self._total)}"
        return Progress(
            _NAME,
            _STEP,
            self._finished,
            self._images,
            (f"{text}, {doing}",) if doing else (),
            finished,
            self._seconds_left(done),
        )

    def _seconds_left(self, done: int) -> float | None:
        if not self._sent:
            return None
        seconds = time.monotonic() - self._begun
        return max(0, self._total - done) * seconds / self._sent

    def _say(self, event: Event) -> None:
        self._emit(event)


def in_words(size: int) -> str:
    """Return bytes as people say them: `812 KiB`, `3.4 GiB`."""
    amount, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB"]
    while amount >= _KIB and len(units) > 1:
        amount, units = amount / _KIB, units[1:]
    return f"{amount:.1f} {units[0]}" if amount % 1 else f"{amount:.0f} {units[0]}"
