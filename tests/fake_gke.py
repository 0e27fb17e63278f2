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

Object = dict[str, Any]


@cache
def facts() -> Object:
    """Return the figures."""
    text = (Path(__file__).parent / "facts" / "gke.yaml").read_text(encoding="utf-8")
    found: Object = yaml.safe_load(text)
    return found


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
    required = (
        pod.get("affinity", {})
        .get("nodeAffinity", {})
        .get("requiredDuringSchedulingIgnoredDuringExecution", {})
    )
    for expression in (
        e
        for term in required.get("nodeSelectorTerms", ())
        for e in term["matchExpressions"]
    ):
        have = labels.get(expression["key"])
        if expression["operator"] == "DoesNotExist" and have is not None:
            return False
        if expression["operator"] == "NotIn" and have in expression["values"]:
            return False
    return True
