"""A question that is asked in a thread of its own; its answer is needed later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_AT_ONCE = threading.BoundedSemaphore(32)


class Later(Generic[T]):
    """Begins to ask at once; `answer` waits for what comes of it."""

    def __init__(self, question: Callable[[], T]) -> None:
        """Ask; whoever waits hears what the question raises."""
        self._question = question
        self._answers: list[T] = []
        self._errors: list[BaseException] = []
        # Nobody who presses Ctrl-C is to wait for it.
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def answer(self) -> T:
        """Return the answer, or raise what kept it from us."""
        self._thread.join()
        if self._errors:
            raise self._errors[0]
        return self._answers[0]

    def _ask(self) -> None:
        with _AT_ONCE:
            try:
                self._answers.append(self._question())
            except BaseException as error:  # noqa: BLE001 raised by whoever waits for us
                self._errors.append(error)
