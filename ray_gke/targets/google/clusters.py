"""Google Kubernetes Engine and Artifact Registry: versions, clusters, repositories."""

from __future__ import annotations

from typing import Any

from ray_gke.targets.google.answers import (
    Channel,
    ClusterSeen,
    Repository,
    ServerConfig,
    Unread,
)
from ray_gke.targets.google.calls import ONCE, ask
from ray_gke.targets.google.connections import Connections


def server_config(to: Connections, location: str) -> ServerConfig | Unread:
    """Return the versions of GKE that a region or zone offers for control planes."""

    def question() -> ServerConfig:
        with to.container() as client:
            name = f"projects/{to.project}/locations/{location}"
            found = client.get_server_config(name=name, **ONCE)
        return ServerConfig(
            tuple(found.valid_master_versions),
            {
                one.channel.name: Channel(
                    one.default_version, tuple(one.valid_versions)
                )
                for one in found.channels
            },
        )

    return ask(question)


def clusters(to: Connections) -> tuple[ClusterSeen, ...] | Unread:
    """Return the project's clusters everywhere, or nothing where a zone is missing."""

    def question() -> tuple[ClusterSeen, ...] | Unread:
        with to.container() as client:
            parent = f"projects/{to.project}/locations/-"
            found = client.list_clusters(parent=parent, **ONCE)
        if missing := ", ".join(found.missing_zones):
            return Unread("failed", f"GKE does not answer for {missing}")
        return tuple(_cluster(one) for one in found.clusters)

    return ask(question)


def repositories(to: Connections, location: str) -> tuple[Repository, ...] | Unread:
    """Return the repositories of Artifact Registry in a region or multi-region."""

    def question() -> tuple[Repository, ...]:
        with to.artifact_registry() as client:
            parent = f"projects/{to.project}/locations/{location}"
            request = {"parent": parent, "page_size": 1000}
            listed = client.list_repositories(request=request, **ONCE)
            return tuple(_repository(one, location) for one in listed)

    return ask(question)


def _cluster(one: Any) -> ClusterSeen:
    return ClusterSeen(
        one.name,
        one.location,
        one.id,
        one.create_time,
        dict(one.resource_labels),
        one.network,
        one.subnetwork,
        one.current_master_version,
    )


def _repository(one: Any, location: str) -> Repository:
    return Repository(
        one.name.rpartition("/")[2],
        location,
        one.format_.name,
        one.mode.name,
        _upstream(one.remote_repository_config),
        dict(one.labels),
    )


def _upstream(remote: Any) -> str | None:
    """Return the name of a public registry, or the URL of another one."""
    docker = remote.docker_repository
    if uri := docker.custom_repository.uri or remote.common_repository.uri:
        return str(uri)
    return docker.public_repository.name if docker.public_repository else None
