"""The quotas of the talk's two platforms, counted by hand.

Machines: a2-highgpu-1g 12 vCPUs and an A100, g2-standard-16 16 vCPUs and an L4,
n1-standard-16 16 vCPUs, e2-standard-4 and -8 have 4 and 8. A boot disk has 100 GB.
CPUs of A2 on demand are A2_CPUS, of Spot PREEMPTIBLE_CPUS, of all others CPUS.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ray_gke.targets.gke.doctor import asking, quotas
from ray_gke.targets.gke.doctor.asking import Cloud
from ray_gke.targets.google.answers import Granted, Region
from tests.doctor.world import Patient
from tests.google.apis import GoogleApis
from tests.reference_systems.systems import HERE

SPOT = " if Spot counts"
# By metric and place: what is needed at minimum and at maximum.
Count = dict[tuple[str, str], tuple[int, int]]

# The platform's own, with Cloud NAT.
NETWORK: Count = {
    ("NETWORKS", "global"): (1, 1),
    ("SUBNETWORKS", "global"): (1, 1),
    ("ROUTERS", "global"): (1, 1),
}
# europe-west4, zones a, b and c. Nodes at minimum and at maximum:
#   system        e2-standard-4   one a zone                                 3    3
#   heads         e2-standard-8   l4-cluster: 4 CPUs and its sidecars        1    1
#                 e2-standard-4   stable-diffusion and slices-and-spot       2    2
#   l4            g2-standard-16  1 to 2 workers, one a node                 1    2
#   t4            n1-standard-16  1 to 8 workers, eight share a GPU          1    1
#   slices        a2-highgpu-1g   1 + 2 warm, up to 7 workers, seven a node  1    1
#   whole, Spot   a2-highgpu-1g   1 to 2 workers, one a node                 1    2
KUBERAY_EXAMPLE: Count = {
    **NETWORK,
    ("IN_USE_ADDRESSES", "europe-west4"): (1, 1),  # Cloud NAT
    ("NVIDIA_L4_GPUS", "europe-west4"): (1, 2),
    ("NVIDIA_T4_GPUS", "europe-west4"): (1, 1),
    ("NVIDIA_A100_GPUS", "europe-west4"): (1, 1),
    ("PREEMPTIBLE_NVIDIA_A100_GPUS", "europe-west4"): (1, 2),
    # 3 x 4 + 1 x 8 + 2 x 4 = 28, and 1 x 16 + 1 x 16 to 2 x 16 + 1 x 16
    ("CPUS", "europe-west4"): (28 + 32, 28 + 48),
    ("A2_CPUS", "europe-west4"): (12, 12),
    ("PREEMPTIBLE_CPUS", "europe-west4"): (12, 24),
    # 6 + 4 nodes, and 6 + 6
    ("SSD_TOTAL_GB", "europe-west4"): (1000, 1200),
    # On demand; Spot besides, if it counts: 1 to 2.
    ("GPUS_ALL_REGIONS", "global"): (3, 4),
    (f"GPUS_ALL_REGIONS{SPOT}", "global"): (1, 2),
    ("CPUS_ALL_REGIONS", "global"): (60 + 12 + 12, 76 + 12 + 24),
}
# us-central1, zones a, b and c:
#   system        e2-standard-4   one a zone                                 3    3
#   heads         e2-standard-8   two: 6 CPUs each                           2    2
#   t4            n1-standard-16  2 to 4 workers of both, two T4 a node      1    2
AI_ON_GKE: Count = {
    **NETWORK,
    ("IN_USE_ADDRESSES", "us-central1"): (1, 1),
    ("NVIDIA_T4_GPUS", "us-central1"): (2, 4),
    # 3 x 4 + 2 x 8 = 28, and 16 to 32
    ("CPUS", "us-central1"): (28 + 16, 28 + 32),
    ("SSD_TOTAL_GB", "us-central1"): (600, 700),
    ("GPUS_ALL_REGIONS", "global"): (2, 4),
    ("CPUS_ALL_REGIONS", "global"): (44, 60),
}
BY_HAND = {"kuberay_example": KUBERAY_EXAMPLE, "ai_on_gke": AI_ON_GKE}


@pytest.fixture(params=sorted(BY_HAND))
def count(request: pytest.FixtureRequest) -> Count:
    return BY_HAND[request.param]


@pytest.fixture
def system(
    count: Count, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Patient]:
    (name,) = (name for name, found in BY_HAND.items() if found is count)
    leave = shutil.ignore_patterns(".ray-gke")
    folder = shutil.copytree(HERE / name, tmp_path / name, ignore=leave)
    with GoogleApis(project="my-project-1") as google:
        for variable, value in google.env().items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "some-token")
        yield Patient(folder, google, project="my-project-1")


def test_what_the_plan_needs_is_what_was_counted(system: Patient, count: Count) -> None:
    needed = {
        (
            quota.metric + ("" if quota.certain else SPOT),
            quota.region or "global",
        ): (quota.at_minimum, quota.at_maximum)
        for quota in system.needs().quotas
    }
    assert needed == count


def test_exactly_as_much_is_enough(system: Patient, count: Count) -> None:
    for (metric, place), amount in together(count).items():
        region = None if place == "global" else place
        system.google.grant(metric, amount, region=region)
    found = [one for one in system.examine().findings if one.check == "quota"]
    assert {one.status for one in found} == {"ok"}
    assert len(found) == len(together(count))


def test_one_less_is_a_warning_at_maximum_and_a_refusal_at_minimum(
    system: Patient, count: Count
) -> None:
    needs = system.needs()
    answers = asking.ask(needs, system.world())
    assert answers.cloud
    for key, (least, most) in count.items():
        if key[0].endswith(SPOT):
            continue
        for limit in (most - 1, least - 1):
            cloud = granted(answers.cloud, {**together(count), key: limit})
            (found,) = [
                one
                for one in quotas.quotas(needs, cloud, answers.ours)
                if one.subject == " ".join(key)
            ]
            assert found.status == ("refused" if limit < least else "warning")
            # Without any, Spot nodes count against another quota.
            assert not limit or f"{limit} granted" in found.message


def together(count: Count) -> dict[tuple[str, str], int]:
    """Return the maximum of each quota, with what may count besides."""
    found: dict[tuple[str, str], int] = {}
    for (metric, place), (_, most) in count.items():
        key = metric.removesuffix(SPOT), place
        found[key] = found.get(key, 0) + most
    return found


def granted(cloud: Cloud, limits: Mapping[tuple[str, str], int]) -> Cloud:
    """Return the same answers with these quotas."""
    assert isinstance(cloud.region, Region)
    tables: dict[bool, dict[str, Granted]] = {True: {}, False: {}}
    for (metric, place), limit in limits.items():
        tables[place == "global"][metric] = Granted(limit, 0)
    region = replace(cloud.region, quotas=tables[False])
    return replace(cloud, region=region, global_quotas=tables[True])
