"""What Google Cloud answers, as plain values.

A question has three outcomes: a value; None, where the thing asked for is not there; or
`Unread`, where nobody can tell. Only a value and None prove something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Unread:
    """Why there is no answer.

    `denied` is a permission that is missing, `api_off` an API that the project has not
    turned on (`api` is its name, such as compute.googleapis.com), `quota_project` one
    that another project has not turned on, whose quota is used, or a quota that may not
    be used; `throttled` is a limit of requests, `unreachable` a network, `failed` all
    else. `message` is Google's, in one line. `consumer` is the id or the number of the
    project whose quota is used, where Google tells it.
    """

    reason: Literal[
        "denied", "api_off", "quota_project", "throttled", "unreachable", "failed"
    ]
    message: str
    api: str = ""
    consumer: str = ""


@dataclass(frozen=True)
class Project:
    """A project; `number` is Google's name for it, `active` False while it goes."""

    id: str
    number: str
    active: bool


@dataclass(frozen=True)
class Granted:
    """A quota: what is granted and, where Google tells it, what is used of it."""

    limit: float
    used: float | None


@dataclass(frozen=True)
class Region:
    """A region of Compute Engine; `quotas` by metric, such as NVIDIA_L4_GPUS."""

    name: str
    zones: frozenset[str]
    quotas: Mapping[str, Granted]


@dataclass(frozen=True)
class ServerConfig:
    """Versions of GKE in a location: all, and of each channel its default and its own.

    `channels` by their names, such as REGULAR.
    """

    versions: tuple[str, ...]
    channels: Mapping[str, Channel]


@dataclass(frozen=True)
class Channel:
    """A release channel; new clusters get `default`, and may have any of `versions`."""

    default: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class ClusterSeen:
    """A GKE cluster; `id` is Google's unique one, `created` a time of RFC 3339.

    `version` is that of its control plane.
    """

    name: str
    location: str
    id: str
    created: str
    labels: Mapping[str, str]
    network: str
    subnetwork: str
    version: str


@dataclass(frozen=True)
class Subnetwork:
    """A subnetwork; `secondary` ranges by name, `network` the last part of its URL."""

    name: str
    network: str
    range: str
    secondary: Mapping[str, str]
    private_ip_google_access: bool


@dataclass(frozen=True)
class Repository:
    """A repository of Artifact Registry.

    `mode` is STANDARD_REPOSITORY, REMOTE_REPOSITORY or VIRTUAL_REPOSITORY, `upstream`
    what a remote one pulls from.
    """

    name: str
    location: str
    format: str
    mode: str
    upstream: str | None
    labels: Mapping[str, str]


@dataclass(frozen=True)
class ServiceAccount:
    """A service account; `unique_id` is of this one, also when another has its name."""

    email: str
    unique_id: str
    display_name: str
    description: str


@dataclass(frozen=True)
class CloudResource:
    """Something of Compute Engine's that may be left behind.

    `kind` is Google's collection: disks, networkEndpointGroups, firewalls,
    forwardingRules, addresses. `place` is a zone, a region, or `global`. `network` is
    the last part of its URL, empty where it has none. `created` is a time of RFC 3339.
    `users` are the URLs of what uses it. `values` is all else that the API says of it,
    with the API's own names (camelCase) and JSON's types.
    """

    kind: str
    name: str
    place: str
    created: str
    description: str = ""
    network: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    users: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)
