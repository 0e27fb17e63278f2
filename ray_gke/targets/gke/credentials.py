"""Application Default Credentials: who we are to Google Cloud, in memory only.

Google's clients (`ray_gke.targets.google`) get them from here.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ray_gke.errors import RefusedError
from ray_gke.targets.broken_connections import inner, of_requests

_GIVEN = "GOOGLE_OAUTH_ACCESS_TOKEN"
"""A token that is given, as Terraform's google provider takes it."""

_OF_TERRAFORM_ALONE = (
    "GOOGLE_CREDENTIALS",
    "GOOGLE_CLOUD_KEYFILE_JSON",
    "GCLOUD_KEYFILE_JSON",
    "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
    "GOOGLE_BACKEND_CREDENTIALS",
    "GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT",
)
"""By these Terraform would be somebody else than Google's clients here.

Sources: Terraform's "Google Cloud Platform Provider" and "Backend Type: gcs".
"""

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
        """Return those of this machine.

        Raises RefusedError where there are none, or others for Terraform.
        """
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError
        from google.oauth2.credentials import Credentials as AccessToken

        if others := [name for name in _OF_TERRAFORM_ALONE if os.environ.get(name)]:
            raise _two_identities(others)
        if given := os.environ.get(_GIVEN):
            return cls(AccessToken(given))
        try:
            with warnings.catch_warnings():
                # Of a login without a quota project: `targets.google` names one.
                warnings.filterwarnings("ignore", category=UserWarning)
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
        from google.auth.exceptions import GoogleAuthError, TransportError

        with self._lock:
            if not self._found.valid:
                try:
                    self._refresh()
                except TransportError as error:
                    raise _no_answer(error) from None
                except GoogleAuthError as error:
                    raise RefusedError(
                        f"Google gives no access token: {_one_line(error)}", hint=_LOGIN
                    ) from None
            return str(self._found.token)

    def _refresh(self) -> None:
        # Not its transport of urllib3, which knows of no HTTPS_PROXY.
        from google.auth.transport.requests import Request

        request: Any = Request  # without types of its own
        self._found.refresh(request())


def _two_identities(others: Sequence[str]) -> RefusedError:
    return RefusedError(
        f"only Terraform would heed {', '.join(others)}, and be somebody else than "
        "ray-gke",
        hint="unset it; say who you are by Application Default Credentials, to both: "
        "GOOGLE_APPLICATION_CREDENTIALS=FILE or gcloud auth application-default login, "
        "with --impersonate-service-account=ACCOUNT to be a service account",
    )


def _no_answer(error: Exception) -> RefusedError:
    """Return that whoever gives access tokens does not answer."""
    asked, why = of_requests(inner(error))
    return RefusedError(
        f"{asked.hostname or 'Google'} cannot be reached for an access token: {why}",
        hint="check the network, and HTTPS_PROXY",
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error.args[0] if error.args else error).split())
