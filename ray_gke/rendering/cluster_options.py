"""What stands in a Ray cluster beside its groups: who may use it, and what outlives it.

Sources: KubeRay's API types; its history server's documentation.
"""

from __future__ import annotations

from ray_gke import versions
from ray_gke.catalog.day_two import SecretKeyRef
from ray_gke.planning.plan import Plan
from ray_gke.rendering import tls as own_tls
from ray_gke.rendering.templates import Manifest


def auth(plan: Plan) -> Manifest:
    """Return authOptions. KubeRay takes an omitted mode for disabled."""
    given = plan.day_two.auth
    secret = {"secretName": given.secret_name} if given.secret_name else {}
    return {"mode": given.mode, **secret}


def fault_tolerance(plan: Plan) -> Manifest | None:
    """Return gcsFaultToleranceOptions: where the state of the head is kept."""
    given = plan.day_two.fault_tolerance
    if given is None:
        return None
    return {
        "redisAddress": given.redis_address,
        "redisUsername": _secret(given.redis_username),
        "redisPassword": _secret(given.redis_password),
        "externalStorageNamespace": given.external_storage_namespace,
    }


def tls(plan: Plan) -> Manifest | None:
    """Return tlsOptions where KubeRay does it."""
    return {"enabled": True} if own_tls.by_operator(plan) else None


def history_server(plan: Plan) -> Manifest | None:
    """Return historyServerOptions: a collector beside Ray writes into the bucket."""
    given = plan.day_two.history_server
    if given is None:
        return None
    env = {"STORAGE_BACKEND": "GCS", "GCS_BUCKET": given.gcs_bucket}
    return {
        "collectorOptions": {
            "image": given.image or versions.COLLECTOR_IMAGE,
            "env": [{"name": name, "value": value} for name, value in env.items()],
        }
    }


def _secret(ref: SecretKeyRef | None) -> Manifest | None:
    if ref is None:
        return None
    return {"valueFrom": {"secretKeyRef": {"name": ref.secret_name, "key": ref.key}}}
