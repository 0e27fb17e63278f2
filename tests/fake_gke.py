"""What GKE makes of a node pool, from `facts/gke.yaml` and Compute Engine's series.

Nothing here asks ray_gke: the two must be able to disagree.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import yaml

GIB = 2**30
GPU = "nvidia.com/gpu"
_PREFIX = "cloud.google.com/"
_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
    "NO_EXECUTE": "NoExecute",
}

Object = dict[str, Any]


@cache
def facts() -> Object:
    """Return the figures."""
    text = (Path(__file__).parent / "facts" / "gke.yaml").read_text(encoding="utf-8")
    found: Object = yaml.safe_load(text)
    return found


def pool_of_terraform(values: Object) -> Object:
    """Return a node pool in the words of the plan's JSON, given Terraform's values.

    `labels` are those of the pool itself. Of the plan's keys it has those that the
    functions below look at.
    """
    (node,) = values["node_config"]
    (gpu,) = node["guest_accelerator"] or [{}]
    (sharing,) = gpu.get("gpu_sharing_config") or [{}]
    (reservation,) = node["reservation_affinity"] or [{}]
    strategies = facts()["sharing"]["label_value"]
    return {
        "name": values["name"],
        "machine_type": node["machine_type"],
        "provisioning": _provisioning(node),
        "reservation": (reservation.get("values") or [None])[0],
        # The label is the pool's own affair: GKE does not set it.
        "queued_provisioning": False,
        "labels": node["labels"] or {},
        "taints": [
            {**taint, "effect": _EFFECTS[taint["effect"]]} for taint in node["taint"]
        ],
        "accelerator": gpu.get("type"),
        "gpus_per_node": gpu.get("count", 0),
        "partition": gpu.get("gpu_partition_size") or None,
        "sharing_strategy": strategies.get(sharing.get("gpu_sharing_strategy")),
        "max_shared_clients_per_gpu": sharing.get("max_shared_clients_per_gpu"),
    }


def _provisioning(node: Object) -> str:
    for kind in ("spot", "flex_start"):
        if node[kind]:
            return kind.replace("_", "-")
    return "standard"


def node_labels(pool: Object) -> dict[str, str]:
    """Return the labels that GKE puts on the nodes of a pool of the plan's JSON."""
    kind = pool["provisioning"]
    labels = {
        f"{_PREFIX}gke-nodepool": pool["name"],
        f"{_PREFIX}gke-provisioning": "standard" if kind == "reservation" else kind,
        "node.kubernetes.io/instance-type": pool["machine_type"],
    }
    # A node pool may set other labels than those of GKE and Kubernetes itself.
    labels |= {k: v for k, v in pool["labels"].items() if "/" not in k}
    labels["kubernetes.io/os"] = "linux"
    if kind == "spot":
        labels[f"{_PREFIX}gke-spot"] = "true"
    if pool["reservation"]:
        labels[f"{_PREFIX}reservation-name"] = pool["reservation"]
    if pool["queued_provisioning"]:
        labels[f"{_PREFIX}gke-queued"] = "true"
    if pool["accelerator"]:
        labels[f"{_PREFIX}gke-accelerator"] = pool["accelerator"]
        labels[f"{_PREFIX}gke-gpu"] = "true"
    if pool["partition"]:
        labels[f"{_PREFIX}gke-gpu-partition-size"] = pool["partition"]
    if pool["sharing_strategy"]:
        labels[f"{_PREFIX}gke-gpu-sharing-strategy"] = pool["sharing_strategy"]
        clients = str(pool["max_shared_clients_per_gpu"])
        labels[f"{_PREFIX}gke-max-shared-clients-per-gpu"] = clients
    return labels


def node_taints(pool: Object) -> set[tuple[str, str, str]]:
    """Return the taints of the nodes: the pool's own, and GKE's of every GPU."""
    taints = {(t["key"], t["value"], t["effect"]) for t in pool["taints"]}
    return taints | ({(GPU, "present", "NoSchedule")} if pool["accelerator"] else set())


def devices(pool: Object) -> int:
    """Return how many nvidia.com/gpu a node offers."""
    if not pool["accelerator"]:
        return 0
    gpu = facts()["accelerators"][pool["accelerator"]]
    machine = gpu.get("machine_types", {}).get(pool["machine_type"])
    gpus = machine["gpus"] if machine else pool["gpus_per_node"]
    assert gpus == pool["gpus_per_node"]
    assert gpus in gpu["gpu_counts"]
    size = pool["partition"]
    each = gpu["mig_partitions"][size]["max_per_gpu"] if size else 1
    return int(gpus * each * (pool["max_shared_clients_per_gpu"] or 1))


def machine(pool: Object) -> tuple[int, Fraction]:
    """Return vCPUs and GiB of memory of a pool's machine type."""
    name = pool["machine_type"]
    gpu = facts()["accelerators"].get(pool["accelerator"], {})
    if name in gpu.get("machine_types", {}):
        known = gpu["machine_types"][name]
        return known["vcpu"], Fraction(known["memory_gib"])
    if name == "n2-highmem-128":
        # It has less memory for each vCPU than the others.
        return 128, Fraction(864)
    series, vcpus = name.rsplit("-", 1)
    gib = {
        "e2-standard": "4",
        "e2-highmem": "8",
        "n1-standard": "3.75",
        "n1-highmem": "6.5",
        "n1-highcpu": "0.9",
        "n2-standard": "4",
        "n2-highmem": "8",
    }[series]
    return int(vcpus), Fraction(gib) * int(vcpus)


def allocatable(pool: Object) -> tuple[Fraction, Fraction]:
    """Return CPUs and bytes by the documented formula, the most a node can offer."""
    vcpus, gib = machine(pool)
    reserve = facts()["allocatable"]
    each = reserve["cpu_reserved_millicores_per_core"]
    cpu = Fraction(each["core_1"])
    cpu += each["core_2"] * min(1, max(0, vcpus - 1))
    cpu += each["cores_3_4_each"] * min(2, max(0, vcpus - 2))
    cpu += Fraction(str(each["further_each"])) * max(0, vcpus - 4)
    memory, low = Fraction(0), 0
    for tier in reserve["memory_reserved_tiers_gib"]:
        upto = tier.get("upto", 10**9)
        part = max(Fraction(0), min(gib, Fraction(upto)) - low)
        memory, low = memory + part * Fraction(str(tier["ratio"])), upto
    memory = (gib - memory) * GIB - reserve["memory_eviction_mib"] * 2**20
    return vcpus - cpu / 1000, memory


def tolerates(pod: Object, taint: tuple[str, str, str]) -> bool:
    """Tell whether a pod may run in spite of a taint (Kubernetes' rules)."""
    key, value, effect = taint
    return any(
        t.get("key") in (None, key)
        and t.get("effect") in (None, effect)
        and (t.get("operator", "Equal") == "Exists" or t.get("value", "") == value)
        for t in pod.get("tolerations", ())
    )


def admits(pod: Object, labels: dict[str, str]) -> bool:
    """Tell whether node selector and node affinity of a pod allow these labels."""
    if not pod.get("nodeSelector", {}).items() <= labels.items():
        return False
    terms = (
        pod.get("affinity", {})
        .get("nodeAffinity", {})
        .get("requiredDuringSchedulingIgnoredDuringExecution", {})
        .get("nodeSelectorTerms")
    )
    return terms is None or any(
        all(_holds(one, labels) for one in term.get("matchExpressions", ()))
        for term in terms
    )


def _holds(expression: Object, labels: dict[str, str]) -> bool:
    have = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return have in expression["values"]
        case "NotIn":
            return have not in expression["values"]
        case "Exists":
            return have is not None
        case "DoesNotExist":
            return have is None
        case other:
            raise ValueError(f"nobody here knows the operator {other}")
