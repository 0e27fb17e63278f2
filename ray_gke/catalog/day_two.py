"""The models of what a run needs beside running: logs, metrics, security, recovery.

Everything here has a default; what is left out the plan decides. Names are KubeRay's,
Kubernetes' and the monitoring systems' own, in snake_case.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model
from ray_gke.catalog.quantities import Disk, Image, Shape
from ray_gke.catalog.teams import Namespace

_LAST_PORT = 65_535
SecretName = Annotated[
    str,
    Shape(
        r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
        "the name of a Secret in the run's namespace, such as redis",
        most=253,
    ),
]
SecretKey = Annotated[
    str, Shape(r"[-._a-zA-Z0-9]+", "a key of the Secret, such as password", most=253)
]
_PORT = r"[0-9]{1,5}"
_REDIS_EXAMPLE = (
    "HOST:PORT, such as redis.ml.svc:6379, with rediss:// before it for TLS"
)


def _redis_address(value: str) -> str:
    host, _, port = value.rpartition("://")[2].rpartition(":")
    if not 1 <= int(port) <= _LAST_PORT:
        message = f"{value!r}: port {port} is not one of 1 to {_LAST_PORT}"
        raise fault(message, hint=f"write {_REDIS_EXAMPLE}")
    try:
        # No name of a host consists of digits alone.
        _ = host.strip("0123456789.") or IPv4Address(host)
    except ValueError:
        message = f"{value!r}: {host} is neither a name nor an IPv4 address"
        raise fault(message, hint=f"write {_REDIS_EXAMPLE}") from None
    return value


RedisAddress = Annotated[
    str,
    Shape(
        rf"(rediss?://)?[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?:{_PORT}",
        _REDIS_EXAMPLE,
        most=300,
    ),
    AfterValidator(_redis_address),
]
Bucket = Annotated[
    str,
    Shape(
        r"[a-z0-9][-a-z0-9_.]*[a-z0-9]",
        "the name of a bucket, such as team-ray-history",
        most=222,
    ),
]
Rule = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]


class Logs(Model):
    """Where the log files of Ray go."""

    mode: Literal["sidecar", "gke", "none"] | None = Field(
        default=None,
        description="sidecar: Fluent Bit in every Ray pod writes them to its stdout "
        "(the default); gke: the collector of GKE's Ray operator add-on takes them; "
        "none: they stay in the pod",
    )
    image: Image | None = Field(
        default=None, description="Fluent Bit's image, for mode sidecar"
    )
    size_limit: Disk | None = Field(
        default=None,
        description="Most that a pod keeps of logs, sessions and runtime "
        "environments: 10Gi without it",
    )


class Metrics(Model):
    """Who reads Ray's metrics."""

    mode: Literal["PodMonitoring", "PodMonitor", "none"] | None = Field(
        default=None,
        description="PodMonitoring: Managed Prometheus; PodMonitor: the Prometheus "
        "operator. Without it that which the cluster has",
    )
    namespaces: tuple[Namespace, ...] | None = Field(
        default=None,
        strict=False,
        description="Where Prometheus runs, which may reach the metrics' ports: "
        "gmp-system and gke-gmp-system, or monitoring",
    )
    alerts: bool = Field(default=True, description="Whether alert rules come with it")
    dashboards: bool = Field(
        default=False,
        description="Whether Ray's Grafana dashboards come as ConfigMaps; once for "
        "each Grafana, they show all clusters",
    )


class AuthOptions(Model):
    """Who may use the cluster, as in KubeRay."""

    mode: Literal["token", "disabled"] = Field(
        default="token",
        description="token: only with the token; disabled: everyone who reaches it",
    )
    secret_name: SecretName | None = Field(
        default=None,
        description="Secret with the token under auth_token; the operator makes one "
        "without it (KubeRay 1.6)",
    )

    @model_validator(mode="after")
    def _used(self) -> AuthOptions:
        if self.mode == "disabled" and self.secret_name:
            message = "secret_name has no use with mode disabled"
            raise fault(message, hint="leave one of them out", at=("secret_name",))
        return self


class NetworkPolicy(Model):
    """Who may reach the pods, and whom they may reach; modes as in KubeRay."""

    mode: Literal["DenyAll", "DenyAllIngress", "DenyAllEgress", "none"] = Field(
        default="DenyAll",
        description="DenyAll: nobody but Ray itself, the operator, Prometheus, and "
        "for a service its namespace; and from the pods only Ray, DNS, HTTPS to "
        "public addresses, and what Ray needs",
    )
    ingress_rules: tuple[Rule, ...] = Field(
        default=(),
        strict=False,
        description="More who may reach the pods, as ingress of a NetworkPolicy",
    )
    egress_rules: tuple[Rule, ...] = Field(
        default=(),
        strict=False,
        description="More whom the pods may reach, as egress of a NetworkPolicy",
    )

    @model_validator(mode="after")
    def _used(self) -> NetworkPolicy:
        for key, modes in (
            ("ingress_rules", ("DenyAll", "DenyAllIngress")),
            ("egress_rules", ("DenyAll", "DenyAllEgress")),
        ):
            if getattr(self, key) and self.mode not in modes:
                message = f"{key} has no use with mode {self.mode}"
                hint = f"use mode {' or '.join(modes)}, or leave it out"
                raise fault(message, hint=hint, at=(key,))
        return self


class TlsOptions(Model):
    """TLS between Ray's own processes: from a Secret, or by the operator."""

    enabled: bool = Field(default=True, description="Whether Ray's processes use TLS")
    secret_name: SecretName | None = Field(
        default=None,
        description="Secret with ca.crt and ca.key, by which every pod makes its "
        "certificate; without it the operator does (KubeRay 1.7 and cert-manager)",
    )


class SecretKeyRef(Model):
    """A value in a Secret of the run's namespace."""

    secret_name: SecretName = Field(description="Name of the Secret")
    key: SecretKey = Field(default="password", description="Key in the Secret")


class GcsFaultToleranceOptions(Model):
    """Where the head keeps its state, so that a new head goes on; as in KubeRay."""

    redis_address: RedisAddress = Field(
        description="HOST:PORT of a Redis that outlives the head"
    )
    redis_username: SecretKeyRef | None = Field(
        default=None, description="Where the user's name stands"
    )
    redis_password: SecretKeyRef | None = Field(
        default=None, description="Where the password stands"
    )
    external_storage_namespace: (
        Annotated[
            str,
            Shape("[A-Za-z0-9][-A-Za-z0-9_.]*", "a word such as team-vision", most=63),
        ]
        | None
    ) = Field(
        default=None,
        description="What the keys in Redis begin with; the cluster's uid without it",
    )


class HistoryServerOptions(Model):
    """What KubeRay's history server shows of clusters that are gone (KubeRay 1.7)."""

    gcs_bucket: Bucket = Field(description="Cloud Storage bucket of the event files")
    image: Image | None = Field(default=None, description="The collector's image")
