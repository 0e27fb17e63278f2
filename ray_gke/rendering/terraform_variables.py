"""The variables of the Terraform stacks `platform` and `addons`, as plain data.

Their types are in `terraform/*/variables.tf`. What is null, or what a stack takes
without it, is left out: a file says what is particular about a platform.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ray_gke.catalog.image_registry import beside_cluster
from ray_gke.catalog.teams import is_of_kubernetes
from ray_gke.gke import nodes
from ray_gke.gke.sharing import STRATEGIES
from ray_gke.planning.capacity import Capacity, NodePool
from ray_gke.planning.pool_names import SYSTEM_POOL
from ray_gke.rendering import feature_gates, pod_security
from ray_gke.rendering.image_references import images_of
from ray_gke.rendering.templates import Manifest
from ray_gke.versions import KUBERAY_VERSION, OPERATOR_IMAGE, OPERATOR_NAMESPACE

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
        PLATFORM_FILE: text(platform(capacity, whole.spec, whole.name, manifests)),
        ADDONS_FILE: text(addons(manifests, whole.spec, kuberay_version, whole.name)),
    }


def platform(
    capacity: Capacity,
    spec: PlatformSpec,
    name: str,
    manifests: Iterable[Manifest] = (),
) -> Variables:
    """Return the variables of the stack `platform`, for a platform called `name`.

    The images of `manifests` say which repositories are pulled through.
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
            "image_registry": _image_registry(spec, name, manifests),
            "labels": dict(spec.labels),
        }
    )


def backend(spec: PlatformSpec, name: str, stack: str) -> dict[str, str]:
    """Return the values of `-backend-config` for a stack of a platform called `name`.

    Each stack has its own state. Nothing where the state is in a folder.
    """
    if spec.state is None:
        return {}
    prefix = spec.state.prefix or name
    return {"bucket": spec.state.bucket, "prefix": f"{prefix}/{stack}"}


def addons(
    manifests: Sequence[Manifest],
    spec: PlatformSpec,
    kuberay_version: str,
    name: str | None = None,
) -> Variables:
    """Return the variables of the stack `addons`, but where the cluster is.

    Namespaces are those of the runs' `manifests`, and of all teams: one without a run
    keeps its own, and what is in it. They enforce "restricted", but where it would
    refuse the runs' pods: those that share a GPU by MPS need the node's IPC, and
    patches may ask for more. Balloons are no variables: they go with their run. The
    image of KubeRay's operator comes from the registry of the platform called `name`.
    """
    return _particular(
        {
            "kuberay": _kuberay(spec, kuberay_version, name, manifests),
            "namespaces": _namespaces(manifests, spec),
        }
    )


def operator_image(
    spec: PlatformSpec, kuberay_version: str, name: str | None = None
) -> str | None:
    """Return the image of KubeRay's operator; None where GKE runs its own.

    With the `name` of a platform it is the name under which its nodes pull it. Source:
    the chart kuberay-operator, whose image has its tag from the chart's appVersion.
    """
    if spec.cluster.ray_operator:
        return None
    image = f"{OPERATOR_IMAGE}:v{kuberay_version}"
    registry = beside_cluster(spec, name) if name else None
    return registry.pulled(image) if registry else image


def _kuberay(
    spec: PlatformSpec, version: str, name: str | None, manifests: Iterable[Manifest]
) -> Variables:
    if spec.cluster.ray_operator:
        return {"install": False}
    return {
        "install": True,
        "namespace": spec.kuberay.namespace or OPERATOR_NAMESPACE,
        "version": version,
        **({"image": operator_image(spec, version, name)} if name else {}),
        **_operator_values(manifests),
    }


def _operator_values(manifests: Iterable[Manifest]) -> Variables:
    """Return what the operator's chart is told: the gates that some run needs.

    Those that the chart has on are on without it as well.
    """
    gates = [{"name": g, "enabled": True} for g in feature_gates.needed(manifests)]
    return {"values": json.dumps({"featureGates": gates})} if gates else {}


def _image_registry(
    spec: PlatformSpec, name: str, manifests: Iterable[Manifest]
) -> Variables:
    registry = beside_cluster(spec, name)
    if registry is None:
        return {}
    operator = operator_image(spec, KUBERAY_VERSION, name)
    found = [*images_of(manifests), *([operator] if operator else [])]
    return _particular({"upstreams": registry.upstreams(found)})


def _namespaces(manifests: Iterable[Manifest], spec: PlatformSpec) -> Variables:
    within: dict[str, list[Manifest]] = {}
    quotas: dict[str, dict[str, str]] = {}
    for name, team in spec.teams.items():
        namespace = team.namespace or name
        within[namespace] = []
        # Of teams that share a namespace one at most has a quota.
        quotas[namespace] = dict(team.quota) or quotas.get(namespace, {})
    for one in manifests:
        within.setdefault(one["metadata"].get("namespace", "default"), []).append(one)
    return {
        name: _particular(
            {"pod_security": pod_security.level(objects), "quota": quotas.get(name)}
        )
        for name, objects in within.items()
        if not is_of_kubernetes(name)
    }


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
            "existing": given.existing and given.existing.model_dump(exclude_none=True),
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
            "deletion_protection": given.deletion_protection,
            "autoscaling_profile": capacity.autoscaling_profile,
            "features": _features(spec) if given.ray_operator else None,
            "system_pool": _system_pool(system[0]) if system else None,
        },
        location="regional",
        release_channel="REGULAR",
        autoscaling_profile="OPTIMIZE_UTILIZATION",
    )


def _features(spec: PlatformSpec) -> Variables:
    """Return GKE's own Ray operator, with nothing that the runs bring already.

    Those have a PodMonitoring, and but for `logs.mode: gke` a sidecar: two that collect
    the same cost twice.
    """
    return {
        "ray_operator": True,
        "ray_logging": spec.logs.mode == "gke",
        "ray_monitoring": False,
    }


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
