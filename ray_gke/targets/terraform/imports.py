"""By which id Terraform takes over what is there already.

Sources: the import sections of the resources' pages in the documentation of the
providers google 7, kubernetes 3 and helm 3; for a pool, the longest of the forms that
the google provider's resource_container_node_pool takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IDS: Mapping[str, str] = {
    "google_artifact_registry_repository": (
        "projects/{project}/locations/{location}/repositories/{repository_id}"
    ),
    "google_compute_network": "projects/{project}/global/networks/{name}",
    "google_compute_router": "projects/{project}/regions/{region}/routers/{name}",
    "google_compute_router_nat": "{project}/{region}/{router}/{name}",
    "google_compute_subnetwork": (
        "projects/{project}/regions/{region}/subnetworks/{name}"
    ),
    "google_container_cluster": (
        "projects/{project}/locations/{location}/clusters/{name}"
    ),
    "google_container_node_pool": (
        "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}"
    ),
    "google_service_account": (
        "projects/{project}/serviceAccounts/"
        "{account_id}@{project}.iam.gserviceaccount.com"
    ),
    "helm_release": "{namespace}/{name}",
    "kubernetes_deployment_v1": "{namespace}/{name}",
    "kubernetes_namespace_v1": "{name}",
    "kubernetes_priority_class_v1": "{name}",
    "kubernetes_resource_quota_v1": "{namespace}/{name}",
}
"""Of all that the stacks make, but what is made again without harm: members of IAM
policies, and APIs that are enabled."""


def identity(
    kind: str, values: Mapping[str, Any], provider: Mapping[str, str]
) -> str | None:
    """Return the id of a resource that a plan would create, None when it needs none.

    `values` are those that the plan knows, `provider` what the provider adds to them:
    project and region.
    """
    pattern = _IDS.get(kind)
    if pattern is None:
        return None
    metadata = (values.get("metadata") or [{}])[0]
    named = {**metadata, **{k: v for k, v in values.items() if isinstance(v, str)}}
    known = {**provider, **{k: _last(k, v) for k, v in named.items() if v}}
    try:
        return pattern.format_map(known)
    except KeyError:
        return None


def _last(key: str, value: Any) -> Any:
    """Return the name of what is given as a link or an id."""
    if key in {"cluster", "router", "region", "location"} and isinstance(value, str):
        return value.rpartition("/")[2]
    return value
