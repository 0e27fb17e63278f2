"""What runs, wherever it runs: the answers of `status` and `dashboard`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Worker:
    """One Ray node of a run.

    `pid` is the process that keeps it on this machine; `phase` and `node` are those of
    its pod on Kubernetes.
    """

    name: str
    group: str
    pid: int | None = None
    node_id: str = ""
    phase: str = ""
    node: str = ""


@dataclass(frozen=True)
class GroupStatus:
    """How many workers a group may have, and has."""

    name: str
    min_replicas: int
    max_replicas: int
    alive: int


@dataclass(frozen=True)
class Run:
    """One run, as it is now.

    `status` is Ray's word, or UNKNOWN when the record is damaged, LOST when the
    processes are gone without anybody having ended them, MISSING when somebody has
    deleted the Ray object. `environment` is what another program needs to reach the
    cluster.
    """

    name: str
    kind: str
    blueprint: str
    status: str
    since: float
    urls: Mapping[str, str]
    groups: tuple[GroupStatus, ...]
    workers: tuple[Worker, ...]
    environment: Mapping[str, str]
    job_id: str = ""
    message: str = ""
    exit_code: int | None = None
    namespace: str = ""


@dataclass(frozen=True)
class Opened:
    """Where things answer on this machine: `dashboard`, and `service` if it is one.

    The dashboard asks for `token` in the browser; it is empty when Ray asks for none.
    `lasting` tells that they go on answering after whoever opened them has gone.
    """

    urls: Mapping[str, str]
    token: str = field(repr=False)
    lasting: bool = False
