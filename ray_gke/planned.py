"""What a command line means for Google Cloud: the site, and the capacity of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ray_gke import selection
from ray_gke.catalog.platform import Platform
from ray_gke.gke.image_names import ImageName, parse
from ray_gke.gke.image_registry import is_googles, preload_image
from ray_gke.planning.capacity import Capacity, NodePool
from ray_gke.planning.pools import capacity as planned
from ray_gke.planning.runs import PlatformFacts, Run
from ray_gke.rendering.image_references import images_of
from ray_gke.rendering.terraform_variables import operator_image
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
    found = planned(runs, choice.site, _facts(choice.platform))
    disk = preloaded(selected, choice)
    if disk is None:
        return found
    return replace(found, pools=tuple(_with_disk(pool, disk) for pool in found.pools))


def preloaded(selected: Sequence[Selected], choice: Choice) -> str | None:
    """Return the disk image of nodes with GPUs, None where none is asked for.

    It is that of all runs of the platform, of which `selected` are as they are here.
    """
    registry = choice.site.image_registry
    if not (registry and registry.preload and choice.site.target == "gke"):
        return None
    return preload_image(registry, images(selected, choice))


def images(selected: Sequence[Selected], choice: Choice) -> tuple[str, ...]:
    """Return the images of all runs of the platform, as nodes pull them."""
    of_platform = choice.platform.spec.blueprints if choice.platform else ()
    runs = {one.plan.name: one for one in selected}
    if len(runs) < len(of_platform):
        everything = selection.select(choice, None)
        runs = {one.plan.name: one for one in everything} | runs
    return images_of(selection.rendered(list(runs.values()), choice))


def images_as_named(choice: Choice) -> tuple[str, ...]:
    """Return all images of the platform under the names that files give them.

    With that of KubeRay's operator where we install it.
    """
    assert choice.platform
    as_named = choice.with_images_as_named()
    named = images(selection.select(as_named, None), as_named)
    operator = operator_image(choice.platform.spec, choice.kuberay_version)
    return (*named, operator) if operator else named


def images_to_copy(choice: Choice) -> list[ImageName]:
    """Return the platform's images, but those in Google's own registries."""
    named = (parse(one) for one in images_as_named(choice))
    return [one for one in dict.fromkeys(named) if not is_googles(one.host)]


def _with_disk(pool: NodePool, disk: str) -> NodePool:
    if pool.accelerator is None:
        return pool
    return replace(pool, secondary_boot_disks=(*pool.secondary_boot_disks, disk))


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
