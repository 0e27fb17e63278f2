"""The variables of the Terraform stacks `platform` and `addons`, as plain data.

Their types are in `terraform/*/variables.tf`. What is null, or what a stack takes
without it, is left out: a file says what is particular about a platform.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ray_gke.gke import nodes
from ray_gke.gke.sharing import STRATEGIES
from ray_gke.planning.capacity import Capacity, NodePool
from ray_gke.planning.pool_names import SYSTEM_POOL
from ray_gke.rendering import pod_security
from ray_gke.rendering.templates import Manifest
from ray_gke.versions import OPERATOR_NAMESPACE

if TYPE_CHECKING:
    # Only its types: what reads a platform file also reads git repositories.
    from ray_gke.catalog.platform import Platform, PlatformSpec

Variables = dict[str, Any]

PLATFORM_FILE = "platform.tfvars.json"
ADDONS_FILE = "addons.tfvars.json"

_STRATEGIES: Mapping[str, str] = {
    label: strategy.terraform for label, strategy in STRATEGIES.items()
}


def files(
    capacity: Capacity,
    whole: Platform,
    manifests: Sequence[Manifest],
    kuberay_version: str,
) -> dict[str, str]:
    """Return the files of variables by name, the same bytes for the same platform.

    `capacity` and `manifests` must be those of all runs: Terraform deletes the node
    pools and namespaces that the variables do not name.
    """
    return {
        PLATFORM_FILE: text(platform(capacity, whole.spec, whole.name)),
        ADDONS_FILE: text(addons(manifests, whole.spec, kuberay_version)),
    }


def platform(capacity: Capacity, spec: PlatformSpec, name: str) -> Variables:
    """Return the variables of the stack `platform`, for a platform called `name`.

    The cluster is protected from deletion, which no platform file takes back: a
    cluster that is lost cannot be had again, and the variable is changed in a moment.
    """
    pools = [pool for pool in capacity.pools if pool.name != SYSTEM_POOL]
    return _particular(
        {
            "project_id": spec.project,
            "region": spec.region,
            "zones": list(spec.zones),
            "network": _network(spec),
            "cluster": _cluster(capacity, spec, name),
            "node_pools": {pool.name: _pool(pool, spec.zones) for pool in pools},
        }
    )


def addons(
    manifests: Iterable[Manifest], spec: PlatformSpec, kuberay_version: str
) -> Variables:
    """Return the variables of the stack `addons`, but where the cluster is.

    Namespaces are those of the runs' `manifests`. They enforce "restricted", but where
    it would refuse the runs' pods: those that share a GPU by MPS need the node's IPC,
    and patches may ask for more. Balloons are no variables: they go with their run.
    """
    within: dict[str, list[Manifest]] = {}
    for one in manifests:
        namespace = one["metadata"].get("namespace")
        if namespace and not _of_kubernetes(namespace):
            within.setdefault(namespace, []).append(one)
    return _particular(
        {
            "kuberay": {
                # No platform file asks for GKE's own operator.
                "install": True,
                "namespace": spec.kuberay.namespace or OPERATOR_NAMESPACE,
                "version": kuberay_version,
            },
            "namespaces": {
                name: {"pod_security": pod_security.level(objects)}
                for name, objects in within.items()
            },
        }
    )


def _of_kubernetes(namespace: str) -> bool:
    """Tell whether a namespace is there without being made."""
    return namespace == "default" or namespace.startswith("kube-")


def _network(spec: PlatformSpec) -> Variables:
    given = spec.network
    ranges = {
        "nodes": given.nodes,
        "pods": given.pods,
        "services": given.services,
    }
    return _particular(
        {
            "ranges": _particular(ranges),
            "max_pods_per_node": given.max_pods_per_node,
        },
        max_pods_per_node=110,
    )


def _cluster(capacity: Capacity, spec: PlatformSpec, name: str) -> Variables:
    given = spec.cluster
    system = [pool for pool in capacity.pools if pool.name == SYSTEM_POOL]
    return _particular(
        {
            "name": given.name or name,
            "location": given.location,
            "release_channel": given.release_channel,
            "version": given.version,
            "deletion_protection": True,
            "autoscaling_profile": capacity.autoscaling_profile,
            "system_pool": _system_pool(system[0]) if system else None,
        },
        location="regional",
        release_channel="REGULAR",
        autoscaling_profile="OPTIMIZE_UTILIZATION",
    )


def _system_pool(pool: NodePool) -> Variables:
    """Return what of the cluster's own pool is not as its module makes it."""
    return _particular(
        {"machine_type": pool.machine_type, "boot_disk_gib": pool.boot_disk_gib},
        machine_type="e2-standard-4",
        boot_disk_gib=100,
    )


def _pool(pool: NodePool, of_platform: tuple[str, ...]) -> Variables:
    """Return a node pool; the module adds the taints and labels that its GPUs need."""
    machine = {"type": pool.machine_type, "boot_disk_gib": pool.boot_disk_gib}
    return _particular(
        {
            "zones": list(pool.zones) if pool.zones != of_platform else None,
            "machine": _particular(machine, boot_disk_gib=100),
            "gpu": _gpu(pool),
            "provisioning": _provisioning(pool),
            "autoscaling": _autoscaling(pool),
            "placement": _particular({"type": pool.placement_policy}),
            "nodes": _nodes(pool),
        }
    )


def _provisioning(pool: NodePool) -> Variables:
    return _particular(
        {
            "mode": pool.provisioning,
            "reservation": pool.reservation,
            "queued": pool.queued_provisioning,
        },
        mode="standard",
        queued=False,
    )


def _autoscaling(pool: NodePool) -> Variables:
    return _particular(
        {
            "total_min_node_count": pool.total_min_node_count,
            "total_max_node_count": pool.total_max_node_count,
            "initial_node_count": pool.initial_node_count,
            "location_policy": pool.location_policy,
        },
        total_min_node_count=0,
        initial_node_count=0,
    )


def _nodes(pool: NodePool) -> Variables:
    own = {k: v for k, v in pool.labels.items() if not nodes.is_reserved(k)}
    disks = list(pool.secondary_boot_disks)
    return _particular({"labels": own, "secondary_boot_disks": disks})


def _gpu(pool: NodePool) -> Variables:
    if pool.accelerator is None:
        return {}
    sharing = {}
    if pool.sharing_strategy:
        sharing = {
            "strategy": _STRATEGIES[pool.sharing_strategy],
            "max_shared_clients_per_gpu": pool.max_shared_clients_per_gpu,
        }
    return _particular(
        {
            "accelerator": pool.accelerator,
            "count": pool.gpus_per_node,
            "partition_size": pool.partition,
            "sharing": sharing,
        },
        count=1,
    )


def _particular(values: Mapping[str, Any], **defaults: Any) -> Variables:
    """Leave out what is null or empty, and what is the same without saying it."""
    return {
        key: value
        for key, value in values.items()
        if value is not None
        and value not in ({}, [])
        and (key not in defaults or value != defaults[key])
    }


def text(variables: Variables) -> str:
    """Return variables as the text of a `.tfvars.json` file."""
    return json.dumps(variables, indent=2, sort_keys=True) + "\n"
