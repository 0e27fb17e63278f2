"""Node selectors of a blueprint that no node of the group's own pool would match."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.catalog.groups import Group as Given
from ray_gke.gke.nodes import automatic_labels, is_reserved
from ray_gke.planning.plan import Group
from ray_gke.planning.rules import Fault
from ray_gke.planning.site import Site


def faults(given: Given, group: Group, site: Site) -> Iterator[Fault]:
    """Yield what would leave the pods pending for ever.

    Other labels than those of GKE and Kubernetes the pool gets itself.
    """
    if group.choice is None:
        return
    best = group.choice.best
    known = automatic_labels(
        best.shape, best.machine.type.name, site.region, given.zones or site.zones
    )
    for key, value in given.node_selector.items():
        if is_reserved(key) and known.get(key) != value:
            has = f"has {known[key]}" if key in known else "has no such label"
            yield (
                ("node_selector", key),
                f"the group's node pool {has}, and the group selects {key}: {value}",
                "leave it out; gpu, machine_type, zones and provisioning choose nodes",
            )
