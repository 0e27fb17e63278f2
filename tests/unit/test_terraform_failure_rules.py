"""By which words a cause is known, as the codes and texts differ."""

from __future__ import annotations

import pytest

from ray_gke.targets.terraform.failures import cause
from ray_gke.targets.terraform.messages import Diagnostic


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Quota 'SSD_TOTAL_GB' exceeded.  Limit: 500.0 in region us-west1.", "quota"),
        ('Insufficient regional quota to satisfy request: resource "CPUS"', "quota"),
        ("Current errors: [GCE_QUOTA_EXCEEDED]: Instance 'x' failed", "quota"),
        ("googleapi: Error 403: Exceeded, quotaExceeded", "quota"),
        pytest.param(
            "googleapi: Error 429: Quota exceeded for quota metric 'Read requests' and "
            "limit 'Read requests per minute' of service, rateLimitExceeded",
            "quota",
        ),
        pytest.param(
            'Insufficient project quota to satisfy request: resource "GPUS_ALL_REGIONS"'
            ": request requires '1.0' and is short '1.0'.",
            "global_gpu_quota",
        ),
        ("code: ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "stock_out"),
        ("code: RESOURCE_POOL_EXHAUSTED", "stock_out"),
        ("code: INSUFFICIENT_CAPACITY", "stock_out"),
        pytest.param(
            "A n1-standard-4 VM instance with 1 nvidia-tesla-t4 accelerator(s) is "
            "currently unavailable in the us-central1-b zone.",
            "stock_out",
        ),
        ('googleapi: Error 403: off. "reason": "SERVICE_DISABLED"', "api_disabled"),
        pytest.param(
            "googleapi: Error 403: Kubernetes Engine API is not enabled for this "
            "project. Please ensure it is enabled, forbidden",
            "api_disabled",
        ),
        pytest.param(
            "googleapi: Error 403: Cloud Billing API has not been used in project "
            "1234567 before or it is disabled.",
            "api_disabled",
        ),
        pytest.param(
            "googleapi: Error 403: Your application is authenticating by using local "
            "Application Default Credentials. The dns.googleapis.com API requires a "
            'quota project, which is not set by default. "reason": "SERVICE_DISABLED"',
            "credentials",
        ),
        pytest.param(
            "Attempted to load application default credentials since neither "
            "`credentials` nor `access_token` was set in the provider block. No "
            "credentials loaded.",
            "credentials",
        ),
        pytest.param(
            "storage.NewClient() failed: dialing: google: could not find default "
            "credentials.",
            "credentials",
        ),
        pytest.param(
            'oauth2: cannot fetch token: 400 Bad Request Response: {"error": '
            '"invalid_grant"}',
            "credentials",
        ),
        pytest.param(
            "googleapi: Error 401: Request had invalid authentication credentials.",
            "credentials",
        ),
        ("Unauthorized", "credentials"),
        pytest.param(
            "Kubernetes cluster unreachable: the server has asked for the client to "
            "provide credentials",
            "credentials",
        ),
        pytest.param(
            'oauth2: cannot fetch token: Post "https://oauth2.googleapis.com/token": '
            "dial tcp: lookup oauth2.googleapis.com: no such host",
            "network_lost",
        ),
        ('Get "https://gke-1.us-central1.gke.goog/api": EOF', "network_lost"),
        ('Get "https://10.0.0.1/api": net/http: TLS handshake timeout', "network_lost"),
        ('Post "https://dns.googleapis.com": read: connection reset', "network_lost"),
        pytest.param(
            "googleapi: Error 403: Permission 'iam.serviceAccounts.get' denied on "
            "resource (or it may not exist).",
            "permission",
        ),
        ("googleapi: Error 403: The caller does not have permission", "permission"),
        pytest.param(
            'namespaces is forbidden: User "ada@example.com" cannot create resource '
            '"namespaces" in API group "" at the cluster scope',
            "permission",
        ),
        pytest.param(
            "googleapi: Error 400: Operation operation-1596064640049-1b03e177 is "
            "currently upgrading cluster ray. Please wait and try again once it is "
            "done., failedPrecondition",
            "operation_in_progress",
        ),
        pytest.param(
            "Cluster is currently being created, deleted, updated or repaired and "
            "cannot be updated.",
            "operation_in_progress",
        ),
        pytest.param(
            "Cannot destroy cluster because deletion_policy is set to PREVENT.",
            "deletion_protection",
        ),
        pytest.param(
            "Error creating service account: googleapi: Error 409: Service account "
            "ray-nodes already exists within project projects/p-1.",
            "already_exists",
        ),
        ("cannot re-use a name that is still in use", "already_exists"),
        pytest.param(
            "googleapi: Error 403: The billing account for the owning project is "
            "disabled in state absent, accountDisabled",
            "billing",
        ),
        pytest.param(
            "googleapi: Error 403: This API method requires billing to be enabled.",
            "billing",
        ),
        ("Unsupported OpenTofu Core version", "version"),
    ],
)
def test_a_cause_is_known_by_any_of_its_words(text: str, name: str) -> None:
    assert cause(Diagnostic("error", text)) == name


@pytest.mark.parametrize(
    "text",
    [
        "Invalid value for variable",
        "Error waiting for creating GKE NodePool: timeout while waiting for state",
        "googleapi: Error 409: There were concurrent policy changes., aborted",
        "googleapi: Error 400: IP_SPACE_EXHAUSTED",
        "Error acquiring the state lock: open x.lock.info: permission denied",
        'pods "x" is forbidden: exceeded quota: team',
        "parsing config.json: unexpected EOF",
    ],
)
def test_what_nobody_knows_has_no_cause(text: str) -> None:
    assert cause(Diagnostic("error", text)) is None
