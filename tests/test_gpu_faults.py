"""What GKE would refuse about GPUs: one mistake, one error, with the way out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ray_gke.catalog import prices
from ray_gke.catalog.load import load
from ray_gke.errors import InvalidError
from ray_gke.planning.build import build
from ray_gke.planning.site import Site

FAULTS = Path(__file__).parent / "faults_gpu"
GROUP = "spec.worker_groups[0]"
GPU = f"{GROUP}.gpu"
A100_ZONES = "us-central1-a, us-central1-b, us-central1-c, us-central1-f"
A100_PARTITIONS = "1g.5gb, 2g.10gb, 3g.20gb, 7g.40gb"


@dataclass(frozen=True)
class Fault:
    """Which folder, and what a user must be told about it."""

    folder: str
    line: int
    key: str
    message: str
    hint: str
    region: str = "us-central1"
    zones: tuple[str, ...] = ()


CASES = [
    # Accelerators
    Fault(
        "accelerator-unknown",
        9,
        f"{GPU}.accelerator",
        "no accelerator nvidia-rtx-9999",
        "mean nvidia-rtx-pro-6000?",
    ),
    Fault(
        "accelerator-without-tesla",
        9,
        f"{GPU}.accelerator",
        "no accelerator nvidia-a100",
        "mean nvidia-tesla-a100 or nvidia-a100-80gb?",
    ),
    Fault(
        "accelerator-without-memory",
        9,
        f"{GPU}.accelerator",
        "no accelerator nvidia-h100",
        "mean nvidia-h100-80gb or nvidia-h100-mega-80gb?",
    ),
    # Partitions
    Fault(
        "partition-4g-20gb",
        10,
        f"{GPU}.partition",
        "GKE refuses 4g.20gb on nvidia-tesla-a100: GKE's device plugin does not know",
        A100_PARTITIONS,
    ),
    Fault(
        "partition-1g-10gb",
        10,
        f"{GPU}.partition",
        "GKE refuses 1g.10gb on nvidia-tesla-a100: GKE takes this name for a size of "
        "the A100 80GB",
        A100_PARTITIONS,
    ),
    Fault(
        "partition-of-another-gpu",
        10,
        f"{GPU}.partition",
        "nvidia-tesla-a100 has no MIG partition 1g.20gb",
        A100_PARTITIONS,
    ),
    Fault(
        "partition-on-l4",
        10,
        f"{GPU}.partition",
        "nvidia-l4 has no MIG partitions, so not 1g.5gb",
        "such as nvidia-tesla-a100",
    ),
    Fault(
        "partition-on-part-of-a-gpu",
        11,
        f"{GROUP}.machine_type",
        "g4-standard-12 has a part of a GPU only, and MIG does not work on it",
        "use g4-standard-48",
    ),
    Fault(
        "machine-with-one-partition",
        12,
        f"{GROUP}.machine_type",
        "a2-highgpu-1g has 1 partition 7g.40gb, and a pod asks 2",
        "use a2-highgpu-2g",
    ),
    Fault(
        "partitions-too-many-on-the-machine",
        12,
        f"{GROUP}.machine_type",
        "a2-highgpu-1g has 2 partitions 3g.20gb, and a pod asks 4",
        "use a2-highgpu-2g",
    ),
    # Sharing
    Fault(
        "clients-1",
        10,
        f"{GPU}.sharing.max_shared_clients_per_gpu",
        "1 is less than 2",
        "GKE takes 2 to 48",
    ),
    Fault(
        "clients-49",
        10,
        f"{GPU}.sharing.max_shared_clients_per_gpu",
        "49 is more than 48",
        "GKE takes 2 to 48",
    ),
    Fault(
        "time-sharing-count-2",
        11,
        f"{GPU}.count",
        "a pod on a time-shared GPU gets exactly one, not 2",
        "use count: 1",
    ),
    Fault(
        "mps-count-2-on-two-gpus",
        11,
        f"{GPU}.count",
        "only where the node has exactly one GPU or partition, and g2-standard-24 has "
        "2 GPUs",
        "use count: 1, or g2-standard-4",
    ),
    Fault(
        "mps-count-2-no-single-gpu",
        11,
        f"{GPU}.count",
        "no machine has one nvidia-h200-141gb",
        "use count: 1",
    ),
    Fault(
        "mps-count-more-than-clients",
        11,
        f"{GPU}.count",
        "one pod cannot have 5 of 4 shares",
        "use count: 4 or less",
    ),
    Fault(
        "sharing-on-part-of-a-gpu",
        11,
        f"{GROUP}.machine_type",
        "g4-standard-12 has a part of a GPU only, and sharing does not work on it",
        "use g4-standard-48",
    ),
    # Provisioning
    Fault(
        "spot-with-reservation",
        10,
        f"{GROUP}.reservation",
        "spot nodes cannot consume reservation ours",
        "use provisioning: reservation, or leave reservation out",
    ),
    Fault(
        "spot-and-reservation",
        9,
        f"{GROUP}.provisioning",
        "reservation does not go with spot in one group",
        "use provisioning: reservation alone",
    ),
    Fault(
        "reservation-without-name",
        9,
        f"{GROUP}.provisioning",
        "provisioning reservation needs the name of one",
        "add reservation: NAME, or use provisioning: standard",
    ),
    Fault(
        "queued-with-spot",
        10,
        f"{GROUP}.queued_provisioning",
        "does not go with provisioning spot",
        "use provisioning: flex-start or standard",
    ),
    Fault(
        "queued-with-reservation",
        10,
        f"{GROUP}.queued_provisioning",
        "does not go with provisioning reservation",
        "use provisioning: flex-start or standard",
    ),
    Fault(
        "h100-of-one-standard",
        10,
        f"{GROUP}.machine_type",
        "a3-highgpu-1g cannot be had as standard, only as spot or flex-start",
        "use a3-highgpu-8g or a3-edgegpu-8g, or use provisioning: spot or flex-start",
    ),
    Fault(
        "h200-standard",
        7,
        f"{GROUP}.provisioning",
        "nvidia-h200-141gb cannot be had as standard",
        "use provisioning: spot or flex-start",
    ),
    Fault(
        "machine-of-two-gpus-as-reservation",
        10,
        f"{GROUP}.machine_type",
        "a3-highgpu-2g cannot be had as reservation",
        "use a3-highgpu-8g",
    ),
    # Machine types
    Fault(
        "machine-with-other-gpus",
        9,
        f"{GROUP}.machine_type",
        "g2-standard-8 has nvidia-l4, and the group asks for nvidia-tesla-a100",
        "use a2-highgpu-1g",
    ),
    Fault(
        "machine-without-gpus",
        9,
        f"{GROUP}.machine_type",
        "e2-standard-8 has no nvidia-tesla-a100",
        "use a2-highgpu-1g",
    ),
    Fault(
        "machine-with-too-few-gpus",
        9,
        f"{GROUP}.machine_type",
        "a2-highgpu-2g has 2 GPUs, and a pod asks 4",
        "use a2-highgpu-4g or a2-highgpu-8g or a2-megagpu-16g",
    ),
    Fault(
        "machine-unknown",
        9,
        f"{GROUP}.machine_type",
        "a2-highgpu-3g is not a machine type",
        "'a2-highgpu-",
    ),
    Fault(
        "machine-unknown-without-gpu",
        8,
        f"{GROUP}.machine_type",
        "m1-ultramem-40 is not a machine type",
        "e2-standard-8",
    ),
    Fault(
        "machine-with-gpus-for-nothing",
        8,
        f"{GROUP}.machine_type",
        "a2-highgpu-1g carries 1 nvidia-tesla-a100, and the group has no gpu",
        "add gpu: {accelerator: nvidia-tesla-a100}",
    ),
    Fault(
        "n1-with-too-many-vcpus-for-one",
        11,
        f"{GPU}.count",
        "exactly one GPU or partition, and n1-standard-64 has 4 GPUs",
        "n1-standard-8",
    ),
    Fault(
        "gpus-more-than-any-machine",
        8,
        f"{GPU}.count",
        "no machine with nvidia-tesla-t4 gives one pod 5 GPUs",
        "use at most 4",
    ),
    # Places
    Fault(
        "zone-without-the-gpu",
        9,
        f"{GROUP}.zones[1]",
        "us-central1-d has no nvidia-tesla-a100",
        f"use {A100_ZONES}",
    ),
    Fault(
        "zone-outside-the-region",
        9,
        f"{GROUP}.zones[0]",
        "europe-west4-a is not in us-central1",
        "such as us-central1-a",
    ),
    Fault(
        "zone-of-another-region-without-the-gpu",
        9,
        f"{GROUP}.zones[0]",
        "europe-west1-b is not in us-central1",
        "such as us-central1-a",
    ),
    Fault(
        "region-without-the-gpu",
        8,
        f"{GPU}.accelerator",
        "europe-north1 has no nvidia-tesla-a100",
        "us-central1",
        region="europe-north1",
    ),
    Fault(
        "zones-of-the-platform-without-the-gpu",
        8,
        f"{GPU}.accelerator",
        "none of the platform's zones us-central1-d, us-central1-e has",
        f"add zones: [{A100_ZONES}]",
        zones=("us-central1-d", "us-central1-e"),
    ),
    Fault(
        "compact-without-a-zone",
        9,
        f"{GROUP}.placement_policy",
        "COMPACT needs exactly one zone, and the group names none",
        "add zones: [us-central1-a]",
    ),
    Fault(
        "compact-in-two-zones",
        9,
        f"{GROUP}.placement_policy",
        "exactly one zone, and the group has 2: us-central1-a, us-central1-b",
        "use zones: [us-central1-a]",
    ),
    Fault(
        "compact-in-the-platforms-zones",
        9,
        f"{GROUP}.placement_policy",
        "exactly one zone, and the group has 2: us-central1-a, us-central1-b",
        "add zones: [us-central1-a]",
        zones=("us-central1-a", "us-central1-b"),
    ),
    # By need
    Fault(
        "need-more-memory-than-any",
        9,
        f"{GPU}.memory",
        "no GPU has 300Gi: the largest, nvidia-gb300, has 259Gi",
        "ask at most 259Gi",
    ),
    Fault(
        "need-more-memory-than-these",
        9,
        f"{GPU}.memory",
        "no GPU of these has 30Gi: the largest, nvidia-l4, has 22Gi",
        "ask at most 22Gi",
    ),
    Fault(
        "need-accelerators-unknown",
        12,
        f"{GPU}.accelerators[1]",
        "GKE has no accelerator nvidia-l5",
        "nvidia-l4",
    ),
    Fault(
        "need-and-name",
        10,
        f"{GPU}.memory",
        "gpu has accelerator and memory",
        "name the accelerator, or say the memory",
    ),
    Fault(
        "need-nor-name",
        8,
        GPU,
        "gpu needs accelerator, or memory",
        "accelerator: nvidia-l4, or memory: 10Gi",
    ),
    Fault(
        "need-with-partition",
        10,
        f"{GPU}.partition",
        "partition does not go with memory",
        "leave partition out, or memory",
    ),
    Fault(
        "need-with-sharing",
        10,
        f"{GPU}.sharing",
        "sharing does not go with memory",
        "leave sharing out, or memory",
    ),
    Fault(
        "name-with-isolation",
        10,
        f"{GPU}.isolation",
        "isolation does not go with accelerator",
        "leave isolation out, or accelerator",
    ),
    Fault(
        "name-with-accelerators",
        10,
        f"{GPU}.accelerators",
        "accelerators does not go with accelerator",
        "leave accelerators out, or accelerator",
    ),
    Fault(
        "need-among-none",
        10,
        f"{GPU}.accelerators",
        "the list is empty",
        "at least one",
    ),
    Fault(
        "need-count-beyond-l4",
        11,
        f"{GPU}.count",
        "no machine gives one pod 9 of these GPUs",
        "use at most 8",
    ),
    Fault(
        "need-count-of-large-memory",
        10,
        f"{GROUP}.gpu.count",
        "16 nvidia.com/gpu: a4x-highgpu-4g leaves",
        "ask at most 4 of nvidia.com/gpu",
    ),
    Fault(
        "need-more-than-these-machines",
        7,
        f"{GROUP}.provisioning",
        "nvidia-b200 and nvidia-h200-141gb cannot be had as standard",
        "use provisioning: spot or flex-start",
    ),
    Fault(
        "need-on-a-machine-of-less",
        7,
        GROUP,
        "GKE has no GPU with 30Gi of memory on g2-standard-8",
        "ask at most 22Gi of GPU memory, or use machine_type: a2-highgpu-1g",
    ),
    Fault(
        "need-on-a-cpu-machine",
        10,
        f"{GROUP}.machine_type",
        "e2-standard-8 has no GPU, and the group asks for one",
        "use a2-highgpu-1g",
    ),
    Fault(
        "need-on-a-spot-machine",
        10,
        f"{GROUP}.machine_type",
        "a3-highgpu-1g cannot be had as standard",
        "use provisioning: spot or flex-start",
    ),
    Fault(
        "need-in-a-zone-without",
        7,
        GROUP,
        "with 30Gi of memory among nvidia-tesla-a100 to be had as standard in "
        "us-central1-d",
        "leave zones out",
    ),
    # Pods that fit no machine
    Fault(
        "pod-larger-than-the-machine",
        10,
        f"{GROUP}.memory",
        "a2-highgpu-1g does not hold a pod of 1.05 CPU, 80.1 GiB and 1 nvidia.com/gpu: "
        "it leaves 11.05 CPU, 75.7 GiB and 1 for pods; memory is missing",
        "ask at most 75.6 GiB of memory",
    ),
    Fault(
        "pod-larger-than-any-with-that-gpu",
        9,
        f"{GROUP}.cpu",
        "no machine holds a pod of 100.05 CPU, 4.1 GiB and 1 nvidia.com/gpu: "
        "g2-standard-96 leaves 94.84 CPU",
        "ask at most 94.79 CPU",
    ),
    Fault(
        "pod-larger-than-any-machine",
        8,
        f"{GROUP}.cpu",
        "a pod of 200.05 CPU, 1000.1 GiB: n2-highmem-128 leaves 126.76 CPU, 824.4 GiB "
        "for pods; CPU and memory are missing",
        "ask at most 126.71 CPU and 824.3 GiB of memory",
    ),
    Fault(
        "pod-cpu-on-a-small-machine",
        9,
        f"{GROUP}.cpu",
        "e2-standard-4 does not hold a pod of 4.05 CPU, 4.1 GiB: it leaves 3.07 CPU",
        "ask at most 3.02 CPU",
    ),
    Fault(
        "pod-by-need-too-large",
        12,
        f"{GROUP}.memory",
        "group gpu: no machine holds a pod of 10.05 CPU, 400.1 GiB and 1 "
        "nvidia.com/gpu: g2-standard-96 leaves",
        "ask at most 361.8 GiB of memory",
    ),
    # Heads
    Fault(
        "head-on-spot-machines-only",
        7,
        "spec.head.gpu",
        "nvidia-h200-141gb cannot be had as standard",
        "a head is always standard: move gpu to a group",
    ),
    Fault(
        "head-on-a-spot-machine",
        8,
        "spec.head.machine_type",
        "a3-highgpu-1g cannot be had as standard",
        "use a3-highgpu-8g or a3-edgegpu-8g",
    ),
    Fault(
        "head-with-refused-partition",
        9,
        "spec.head.gpu.partition",
        "GKE refuses 4g.20gb on nvidia-tesla-a100",
        A100_PARTITIONS,
    ),
    Fault(
        "head-time-shared-count-2",
        10,
        "spec.head.gpu.count",
        "exactly one, not 2",
        "use count: 1",
    ),
    Fault(
        "head-in-a-zone-without-the-gpu",
        8,
        "spec.head.zones[0]",
        "us-central1-d has no nvidia-tesla-a100",
        f"use {A100_ZONES}",
    ),
    Fault(
        "head-larger-than-the-machine",
        6,
        "spec.head.cpu",
        "head: e2-standard-2 does not hold a pod of 2.05 CPU, 16.1 GiB",
        "ask at most 1.03 CPU and 5 GiB of memory",
    ),
]


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.folder)
def test_fault(fault: Fault) -> None:
    site = Site(prices.load(), "gke", fault.region, fault.zones)
    with pytest.raises(InvalidError) as caught:
        build(load(FAULTS / fault.folder, {}, display=fault.folder), site=site)
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert problem.hint is not None
    assert problem.place.file == f"{fault.folder}/blueprint.yaml"
    assert (problem.place.line, problem.place.key) == (fault.line, fault.key)
    assert problem.place.column is not None
    assert fault.message in problem.message
    assert fault.hint in problem.hint


def test_every_folder_is_a_case() -> None:
    folders = {folder.name for folder in FAULTS.iterdir()}
    assert folders == {fault.folder for fault in CASES}
