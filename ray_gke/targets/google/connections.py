"""Google's clients, over REST, for one project and whoever runs us.

Source: Google Cloud "Quota project overview" (what a user asks counts against a project
that is named; `serviceusage.services.use` on it is needed for that).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google.calls import ONCE, AskAgain, may_not_count
from ray_gke.targets.google.imports import client_module, compute_module

_IAM = "https://iam.googleapis.com"
_STORAGE = "https://storage.googleapis.com"


@dataclass(frozen=True)
class Connections:
    """Makes a client for each question, to be closed after it (`with`).

    An API is asked where Terraform's google provider is told to, by the same variables.
    """

    credentials: Credentials
    project: str
    _may_not_count: threading.Event = field(
        default_factory=threading.Event, repr=False, compare=False
    )

    _VARIABLES: ClassVar[dict[str, str]] = {
        "artifactregistry_v1": "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT",
        "billing_v1": "GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT",
        "cloudquotas_v1": "GOOGLE_CLOUD_QUOTAS_CUSTOM_ENDPOINT",
        "compute_v1": "GOOGLE_COMPUTE_CUSTOM_ENDPOINT",
        "container_v1": "GOOGLE_CONTAINER_CUSTOM_ENDPOINT",
        "iam": "GOOGLE_IAM_CUSTOM_ENDPOINT",
        "resourcemanager_v3": "GOOGLE_RESOURCE_MANAGER_V3_CUSTOM_ENDPOINT",
        "service_usage_v1": "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT",
        "storage": "GOOGLE_STORAGE_CUSTOM_ENDPOINT",
        # Of Terraform's backend `gcs`, which takes it before the provider's.
        "storage_backend": "GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT",
    }

    def artifact_registry(self) -> Any:
        """Return a client of Artifact Registry."""
        return self._client("artifactregistry_v1", "ArtifactRegistryClient")

    def billing(self) -> Any:
        """Return a client of Cloud Billing."""
        return self._client("billing_v1", "CloudBillingClient")

    def compute(self, service: str) -> Any:
        """Return a client of one of Compute Engine's services, such as regions."""
        name = "".join(part.capitalize() for part in service.split("_"))
        return self._made(compute_module(service), "compute_v1", f"{name}Client")

    def container(self) -> Any:
        """Return a client of Google Kubernetes Engine."""
        return self._client("container_v1", "ClusterManagerClient")

    def projects(self) -> Any:
        """Return a client of Resource Manager's projects."""
        return self._client("resourcemanager_v3", "ProjectsClient")

    def quotas(self) -> Any:
        """Return a client of Cloud Quotas."""
        return self._client("cloudquotas_v1", "CloudQuotasClient")

    def service_usage(self) -> Any:
        """Return a client of Service Usage."""
        return self._client("service_usage_v1", "ServiceUsageClient")

    def iam(self, method: str, path: str) -> Any:
        """Ask IAM, whose client knows no REST, and return the answer's JSON."""
        return self._asked(method, f"{self._endpoint('iam') or _IAM}/v1/{path}")

    def storage(self, method: str, path: str) -> Any:
        """Ask Cloud Storage, whose client is not among ours; return the same."""
        told = self._endpoint("storage_backend") or self._endpoint("storage")
        return self._asked(method, f"{told or _STORAGE}/storage/v1/{path}")

    def _asked(self, method: str, url: str) -> Any:
        from google.api_core.exceptions import from_http_response
        from google.auth.transport.requests import AuthorizedSession

        with self._login() as login, AuthorizedSession(login) as session:
            response = session.request(method, url, timeout=ONCE["timeout"])
            if not response.ok:
                raise from_http_response(response)
            return response.json()

    def _client(self, package: str, name: str) -> Any:
        return self._made(client_module(package), package, name)

    @contextmanager
    def _made(self, module: ModuleType, package: str, name: str) -> Iterator[Any]:
        with self._login() as login:
            made = getattr(module, name)(
                credentials=login,
                transport="rest",
                client_options={"api_endpoint": self._endpoint(package)},
            )
            with made as client:
                yield client

    @contextmanager
    def _login(self) -> Iterator[Any]:
        """Give the credentials, with a token that is valid now.

        A user's that name no project count against ours, or where that is denied
        against none, as before: some of the APIs answer then.
        """
        # One thread gets a new token, and none of them waits for one of its own.
        self.credentials.token()
        found = self.credentials.google
        ours = self._counts_against_ours(found)
        try:
            yield found.with_quota_project(self.project) if ours else found
        except Exception as error:
            if not (ours and may_not_count(error)):
                raise
            self._may_not_count.set()
            raise AskAgain from error

    def _counts_against_ours(self, found: Any) -> bool:
        user = getattr(found, "refresh_token", None) and not found.quota_project_id
        return bool(user and self.project) and not self._may_not_count.is_set()

    def _endpoint(self, package: str) -> str | None:
        """Return scheme and host; the clients know the path."""
        told = urlsplit(os.environ.get(self._VARIABLES[package], ""))
        return f"{told.scheme}://{told.netloc}" if told.netloc else None
