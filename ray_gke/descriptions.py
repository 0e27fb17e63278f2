"""What a catalog knows of a blueprint before it is brought up."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ray_gke.catalog.blueprint import Parameter
from ray_gke.catalog.load import check, declared
from ray_gke.errors import InvalidError
from ray_gke.planning.build import build
from ray_gke.planning.plan import Group
from ray_gke.selection import Choice


@dataclass(frozen=True)
class Description:
    """What a catalog knows of a blueprint; `groups` maps each group to its size."""

    name: str
    summary: str
    kind: str
    tags: tuple[str, ...]
    folder: Path
    parameters: Mapping[str, Parameter]
    groups: Mapping[str, str]


def described(choice: Choice, blueprint: str) -> Description:
    """Return what there is to know before bringing a blueprint up.

    Without groups when these depend on parameters that must be set.
    """
    folder = choice.catalogs.find(blueprint)
    told = declared(folder)
    groups: tuple[Group, ...] = ()
    with suppress(InvalidError):
        if loaded := check(folder):
            plan = build(loaded, site=choice.site)
            groups = (plan.head, *plan.worker_groups)
    return Description(
        name=told.metadata.name,
        summary=told.metadata.summary,
        kind=told.kind,
        tags=told.metadata.tags,
        folder=folder,
        parameters=told.parameters,
        groups={group.name: _size(group) for group in groups},
    )


def _size(group: Group) -> str:
    least, most = group.min_replicas, group.max_replicas
    replicas = str(least) if least == most else f"{least} to {most}"
    gpus = f", {group.num_gpus} GPU" if group.num_gpus else ""
    return f"{replicas} x {group.cpu} CPU, {group.memory}{gpus}"
