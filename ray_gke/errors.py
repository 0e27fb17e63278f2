"""Everything that ray-gke tells a user as an error, and its exit code.

RayGkeError (1)
├── UsageError (2)          the command line is wrong
├── InvalidError (3)        a blueprint, platform or catalog file is wrong
├── RefusedError (4)        nothing was done, because something is missing or in the way
├── FailedError (1)         it was begun and did not succeed
└── InterruptedRun (130)    Ctrl-C or SIGTERM

Only `ray_gke.cli.main` prints them. Anything else that reaches it is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class Place:
    """Where in a file something stands; line and column count from 1."""

    file: str
    line: int | None = None
    column: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        """Return `file:line:column: key`, without what is not known."""
        position = [str(n) for n in (self.line, self.column) if n is not None]
        where = ":".join([self.file, *position])
        return f"{where}: {self.key}" if self.key else where


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what, where, and what to do next."""

    message: str
    place: Place | None = None
    hint: str | None = None


class RayGkeError(Exception):
    """The root of all expected errors."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self, message: str, *, place: Place | None = None, hint: str | None = None
    ) -> None:
        """`message` says what, `place` where, `hint` what to do next."""
        super().__init__(message)
        self.problems: tuple[Problem, ...] = (Problem(message, place, hint),)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Self:
        """Return one error that carries all `problems`, at least one."""
        error = cls(problems[0].message, place=problems[0].place)
        error.problems = tuple(problems)
        return error


class UsageError(RayGkeError):
    """The command line is wrong."""

    exit_code = 2


class InvalidError(RayGkeError):
    """A file that the user wrote is wrong, in one or in several places."""

    exit_code = 3


class RefusedError(RayGkeError):
    """Nothing was done, because something is missing or in the way."""

    exit_code = 4


class FailedError(RayGkeError):
    """Something was begun and did not succeed."""


class InterruptedRun(RayGkeError):
    """The user, or the system that runs us, asked us to stop."""

    exit_code = 130
