"""Who we are to each registry: Docker's configuration, and Google's access token.

Sources: docker/cli `cli/config` ($DOCKER_CONFIG, `auths`, `credsStore`,
`credHelpers`); Artifact Registry "Configure authentication to Artifact Registry for
Docker" (the user `oauth2accesstoken`).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ray_gke.errors import RefusedError
from ray_gke.gke.image_names import DOCKER_HUB
from ray_gke.gke.image_registry import is_googles

_DOCKER_HUBS_KEY = "index.docker.io"


@dataclass(frozen=True)
class Login:
    """A user and a password, or the token of an earlier login."""

    user: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The header that carries it."""
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass
class Logins:
    """Those of this machine; `google` gives an access token, or raises RefusedError."""

    google: Callable[[], str] | None = None
    _nobody_to_google: bool = False

    def of(self, host: str) -> Login | None:
        """Return the login at a registry, None to come as nobody."""
        written = self._auths.get(_DOCKER_HUBS_KEY if host == DOCKER_HUB else host)
        if login := _read(written or {}, self._file, host):
            return login
        if self._nobody_to_google or not (self.google and is_googles(host)):
            return None
        try:
            return Login("oauth2accesstoken", self.google())
        except RefusedError:
            # Many images may be read by everybody; to look again takes seconds.
            self._nobody_to_google = True
            return None

    def hint(self, host: str) -> str:
        """Return how to log in there."""
        if is_googles(host):
            return (
                "log in with gcloud auth application-default login, or as somebody who "
                "may; reading needs roles/artifactregistry.reader on the repository, "
                "writing roles/artifactregistry.writer"
            )
        where = "" if host == DOCKER_HUB else f" {host}"
        if not self._has_helper(host):
            return f"log in with docker login{where}, as somebody who may"
        return (
            f"{self._file} leaves logins to a credential helper, which is never run "
            f"here: log in with a file of its own, DOCKER_CONFIG=$(mktemp -d) docker "
            f"login{where}, and keep that DOCKER_CONFIG"
        )

    @property
    def _file(self) -> Path:
        folder = os.environ.get("DOCKER_CONFIG")
        return (Path(folder) if folder else Path.home() / ".docker") / "config.json"

    @cached_property
    def _config(self) -> Mapping[str, Any]:
        try:
            said = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise RefusedError(
                f"{self._file} cannot be read: {error}",
                hint="repair it, or set DOCKER_CONFIG to another folder",
            ) from None
        return said if isinstance(said, dict) else {}

    @cached_property
    def _auths(self) -> Mapping[str, Any]:
        """Return the logins by host; the keys may be whole addresses."""
        auths = self._config.get("auths") or {}
        return {
            key.partition("://")[2].partition("/")[0] or key.partition("/")[0]: login
            for key, login in auths.items()
        }

    def _has_helper(self, host: str) -> bool:
        helpers = self._config.get("credHelpers") or {}
        return bool(self._config.get("credsStore")) or host in helpers


def _read(written: Mapping[str, Any], file: Path, host: str) -> Login | None:
    user, password = str(written.get("username", "")), str(written.get("password", ""))
    if encoded := written.get("auth"):
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, TypeError):
            raise RefusedError(
                f"{file}: the login at {host} is not base64 of user:password",
                hint="log in again with docker login",
            ) from None
        user, _, password = pair.partition(":")
    identity = str(written.get("identitytoken", ""))
    return Login(user, password, identity) if password or identity else None
