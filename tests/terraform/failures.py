"""What the providers say when something goes wrong, for `Cloud.refuse`.

The texts are those of the provider's and GKE's issues and sources, but for
permission, network and token, which are worded as Google's client libraries do.
"""

from __future__ import annotations

PROJECT = "some-project"
NUMBER = "123456789012"


def quota(resource: str = "CPUS") -> str:
    """A regional quota is too small for the cluster or the pool."""
    return (
        "googleapi: Error 403: (1) insufficient regional quota to satisfy request: "
        f"resource \"{resource}\": request requires '72.0' and is short '48.0'. "
        "project has a quota of '24.0' with '24.0' available. View and manage quotas "
        f"at https://console.cloud.google.com/iam-admin/quotas?usage=USED&project={PROJECT}"
        "., forbidden"
    )


def global_gpu_quota() -> str:
    """A project that never had a GPU."""
    return (
        "Error waiting for creating GKE NodePool: Quota 'GPUS_ALL_REGIONS' exceeded. "
        "Limit: 0.0 globally."
    )


def stock_out(zone: str = "us-central1-a") -> str:
    """A zone has no such machines left; the pool is made all the same."""
    return (
        "Error waiting for creating GKE NodePool: Not all instances running in IGM "
        "after 35m4s. Expected 1, running 0, transitioning 1. Current errors: "
        "[GCE_STOCKOUT]: Instance 'gke-ray-pool-1a2b3c4d-wxyz' creation failed: The "
        f"zone 'projects/{PROJECT}/zones/{zone}' does not have enough resources "
        "available to fulfill the request."
    )


def api_disabled(service: str = "container.googleapis.com") -> str:
    """An API of the project is off, or was turned on a moment ago."""
    title = service.partition(".")[0].capitalize()
    return (
        f"googleapi: Error 403: {title} API has not been used in project {NUMBER} "
        "before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{service}/overview"
        f"?project={NUMBER} then retry. If you enabled this API recently, wait a few "
        "minutes for the action to propagate to our systems and retry., "
        "accessNotConfigured"
    )


def permission(name: str = "container.clusters.create") -> str:
    """The account may not do that."""
    return (
        f'googleapi: Error 403: Required "{name}" permission(s) for '
        f'"projects/{PROJECT}"., forbidden'
    )


def operation_in_progress() -> str:
    """The cluster does something else, which cannot be cancelled."""
    return (
        "googleapi: Error 400: Cluster is running incompatible operation "
        "operation-1756199704413-2f9a1c3e-7b8d-4c0e-9a56-0d1e2f3a4b5c., "
        "failedPrecondition"
    )


def network_lost(host: str = "container.googleapis.com") -> str:
    """There is no way to Google at the moment."""
    return (
        f'Get "https://{host}/v1/projects/{PROJECT}": dial tcp: lookup {host}: '
        "Temporary failure in name resolution"
    )


def token_expired() -> str:
    """The login of Application Default Credentials has ended."""
    return (
        'Get "https://container.googleapis.com/v1/projects/'
        f'{PROJECT}": oauth2: "invalid_grant" "reauth related error (invalid_rapt)" '
        '"https://support.google.com/a/answer/9368756"'
    )
