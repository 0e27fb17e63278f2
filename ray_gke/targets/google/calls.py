"""Asking Google: again where that may help, and what its errors say of the answer.

The only module that knows the exceptions of Google's clients.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from ray_gke.errors import FailedError, RefusedError
from ray_gke.targets.broken_connections import cause, inner, of_requests
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.imports import one_at_a_time

Answer = TypeVar("Answer")

SECONDS = 20.0
"""How long a question is asked again, all its pages together."""

PAUSE = 0.5
"""Seconds before it is asked for the second time, give or take; then twice as long."""

ONCE: dict[str, Any] = {"retry": None, "timeout": 10.0}
"""How a client asks: once, for seconds. `ask` is what repeats, and sees all errors."""

_PASSING = {429, 500, 502, 503, 504}
_LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_API_OFF = {"accessNotConfigured", "SERVICE_DISABLED"}
_MAY_NOT_COUNT = re.compile(r"does not have required permission to use project")
"""What Google says of a quota that may not be used; not all APIs tell the reason."""
_SERVICE = re.compile(r"\b[a-z]+\.googleapis\.com(?=/overview)")
_LONGEST = 1000


class AskAgain(Exception):
    """Whoever asks has changed how it is asked, and so the answer may be another."""


def ask(question: Callable[[], Answer]) -> Answer | Unread:
    """Return what `question` returns, or why Google does not tell.

    It is called again, at growing intervals, for an answer that passes.
    """
    with one_at_a_time:
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.api_core.retry import Retry
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

    again = Retry(
        predicate=_passes, initial=PAUSE, maximum=8.0, multiplier=2.0, timeout=SECONDS
    )
    try:
        return again(question)()  # type: ignore[no-any-return]  # google has no types
    except RetryError as error:
        return _unread(error.cause)
    except (
        GoogleAPICallError,
        GoogleAuthError,
        RefusedError,
        RequestException,
        TimeoutError,
    ) as error:
        return _unread(error)


def find(question: Callable[[], Answer]) -> Answer | Unread | None:
    """Return as `ask` does, and None where Google says that it is not there."""

    def found() -> Answer | None:
        from google.api_core.exceptions import NotFound

        try:
            return question()
        except NotFound:
            return None

    return ask(found)


def done(what: str, answer: Answer | Unread) -> Answer:
    """Return the answer to a change. Raises FailedError, which begins with `what`."""
    if isinstance(answer, Unread):
        hint = f"gcloud services enable {answer.api}" if answer.api else None
        raise FailedError(f"{what}: {answer.message}", hint=hint)
    return answer


def may_not_count(error: BaseException) -> bool:
    """Tell whether the project may not be used for whose quota it is to count."""
    from google.api_core.exceptions import GoogleAPICallError

    return isinstance(error, GoogleAPICallError) and bool(
        _MAY_NOT_COUNT.search(error.message)
    )


def _passes(error: BaseException) -> bool:
    """Tell whether it may be different in a moment."""
    from google.api_core.exceptions import GoogleAPICallError
    from requests import ConnectionError as NoConnection
    from requests import Timeout
    from urllib3.exceptions import NameResolutionError

    if isinstance(error, GoogleAPICallError):
        return error.code in _PASSING or bool(_LIMITS & _reasons(error))
    # Where names are not known there is no network, or one without Google.
    unknown = isinstance(cause(inner(error)), NameResolutionError)
    return isinstance(error, AskAgain | NoConnection | Timeout) and not unknown


def _unread(error: Any) -> Unread:
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import TransportError
    from requests import RequestException

    if isinstance(error, GoogleAPICallError):
        return _refusal(error)
    if isinstance(error, TransportError | RequestException):
        return Unread("unreachable", _no_answer(error))
    return Unread("failed", _one_line(str(error)))


def _refusal(error: Any) -> Unread:
    # The client puts what it asked in front of what Google says.
    message = _one_line(re.sub(r"^[A-Z]+ https?://\S+: ", "", error.message))
    reasons = _reasons(error)
    if reasons & _API_OFF:
        return Unread("api_off", message, _api(error), _consumer(error))
    if may_not_count(error):
        return Unread("quota_project", message, consumer=_consumer(error))
    if error.code == 429 or reasons & _LIMITS:  # noqa: PLR2004 - HTTP's own number
        return Unread("throttled", message)
    denied = error.code in {401, 403}
    return Unread("denied" if denied else "failed", message)


def _reasons(error: Any) -> set[str]:
    """Return the reasons, as new APIs tell them and as Compute Engine does."""
    old = {one.get("reason") for one in error.errors if isinstance(one, dict)}
    return {reason for reason in {error.reason, *old} if reason}


def _api(error: Any) -> str:
    told = (error.metadata or {}).get("service")
    named = _SERVICE.search(error.message)
    return told or (named[0] if named else "")


def _consumer(error: Any) -> str:
    told = str((error.metadata or {}).get("consumer", ""))
    return told.removeprefix("projects/").removeprefix("project_number:")


def _no_answer(error: Any) -> str:
    asked, why = of_requests(error)
    return _one_line(f"{asked.netloc or 'Google'} cannot be reached: {why}")


def _one_line(text: str) -> str:
    return textwrap.shorten(text, _LONGEST, placeholder=" …")
