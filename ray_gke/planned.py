"""What a command line means for Google Cloud: the site, and the capacity of runs."""

from __future__ import annotations

from collections.abc import Sequence

from ray_gke.catalog.platform import Platform
from ray_gke.planning.capacity import Capacity
from ray_gke.planning.pools import capacity as planned
from ray_gke.planning.runs import PlatformFacts, Run
from ray_gke.selection import Choice, Selected


def capacity(selected: Sequence[Selected], choice: Choice) -> Capacity:
    """Return what the runs need together. Raises InvalidError when it cannot be."""
    runs = [
        Run(
            one.plan,
            one.namespace,
            {
                group.name: one.loaded.document.place(
                    ("spec", "worker_groups", index, "warm_replicas")
                )
                for index, group in enumerate(one.plan.worker_groups)
                if group.warm_replicas
            },
        )
        for one in selected
    ]
    return planned(runs, choice.site, _facts(choice.platform))


def _facts(platform: Platform | None) -> PlatformFacts:
    if platform is None:
        return PlatformFacts()
    spec, network = platform.spec, platform.spec.network
    keys = {f"{purpose}_range": purpose for purpose in ("nodes", "pods", "services")}
    keys["max_pods_per_node"] = "max_pods_per_node"
    return PlatformFacts(
        name=platform.name,
        project=spec.project,
        regional=spec.cluster.location == "regional",
        nodes_range=network.nodes,
        pods_range=network.pods,
        services_range=network.services,
        max_pods_per_node=network.max_pods_per_node,
        places={
            field: platform.document.place(("spec", "network", key))
            for field, key in keys.items()
        },
    )
