"""Application Default Credentials: who we are to Google Cloud, in memory only.

Google's clients (`ray_gke.targets.google`) get them from here.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Any

from ray_gke.errors import RefusedError

_GIVEN = "GOOGLE_OAUTH_ACCESS_TOKEN"
"""A token that is given, as Terraform's google provider takes it."""

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LOGIN = (
    "log in with gcloud auth application-default login; in a pipeline use Workload "
    "Identity Federation"
)


@dataclass(frozen=True)
class Credentials:
    """Whoever runs us, for Google's APIs and for the API servers of GKE's clusters."""

    _found: Any = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def default(cls) -> Credentials:
        """Return those of this machine. Raises RefusedError where there are none."""
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError
        from google.oauth2.credentials import Credentials as AccessToken

        if given := os.environ.get(_GIVEN):
            return cls(AccessToken(given))
        try:
            found, _ = google.auth.default(scopes=[_SCOPE])
        except DefaultCredentialsError as error:
            raise RefusedError(
                f"there are no credentials for Google Cloud: {_one_line(error)}",
                hint=_LOGIN,
            ) from None
        return cls(found)

    @property
    def google(self) -> Any:
        """Return them as Google's own clients take them."""
        return self._found

    def token(self) -> str:
        """Return an access token that is valid now, a new one when it has to be.

        Raises RefusedError when Google gives none.
        """
        from google.auth.exceptions import GoogleAuthError

        with self._lock:
            if not self._found.valid:
                try:
                    self._refresh()
                except GoogleAuthError as error:
                    raise RefusedError(
                        f"Google gives no access token: {_one_line(error)}", hint=_LOGIN
                    ) from None
            return str(self._found.token)

    def _refresh(self) -> None:
        import urllib3
        from google.auth.transport import urllib3 as transport

        request: Any = transport.Request  # without types of its own
        self._found.refresh(request(urllib3.PoolManager()))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error.args[0] if error.args else error).split())
