"""Google's clients, over REST, for one project and whoever runs us."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google.calls import ONCE
from ray_gke.targets.google.imports import client_module, compute_module

_IAM = "https://iam.googleapis.com"


@dataclass(frozen=True)
class Connections:
    """Makes a client for each question, to be closed after it (`with`).

    An API is asked where Terraform's google provider is told to, by the same variables.
    """

    credentials: Credentials
    project: str

    _VARIABLES: ClassVar[dict[str, str]] = {
        "artifactregistry_v1": "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT",
        "billing_v1": "GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT",
        "cloudquotas_v1": "GOOGLE_CLOUD_QUOTAS_CUSTOM_ENDPOINT",
        "compute_v1": "GOOGLE_COMPUTE_CUSTOM_ENDPOINT",
        "container_v1": "GOOGLE_CONTAINER_CUSTOM_ENDPOINT",
        "iam": "GOOGLE_IAM_CUSTOM_ENDPOINT",
        "resourcemanager_v3": "GOOGLE_RESOURCE_MANAGER_V3_CUSTOM_ENDPOINT",
        "service_usage_v1": "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT",
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
        from google.api_core.exceptions import from_http_response
        from google.auth.transport.requests import AuthorizedSession

        self.credentials.token()
        url = f"{self._endpoint('iam') or _IAM}/v1/{path}"
        with AuthorizedSession(self.credentials.google) as session:
            response = session.request(method, url, timeout=ONCE["timeout"])
            if not response.ok:
                raise from_http_response(response)
            return response.json()

    def _client(self, package: str, name: str) -> Any:
        return self._made(client_module(package), package, name)

    def _made(self, module: ModuleType, package: str, name: str) -> Any:
        # One thread gets a new token, and none of them waits for one of its own.
        self.credentials.token()
        return getattr(module, name)(
            credentials=self.credentials.google,
            transport="rest",
            client_options={"api_endpoint": self._endpoint(package)},
        )

    def _endpoint(self, package: str) -> str | None:
        """Return scheme and host; the clients know the path."""
        told = urlsplit(os.environ.get(self._VARIABLES[package], ""))
        return f"{told.scheme}://{told.netloc}" if told.netloc else None
