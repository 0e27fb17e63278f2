from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest

from ray_gke.catalog import schema
from ray_gke.catalog.platform import load
from ray_gke.catalog.yaml_file import read
from ray_gke.errors import InvalidError

HEAD = "apiVersion: ray-gke/v1\nkind: Platform\nmetadata: {name: ours}\n"


def _write(tmp_path: Path, spec: str) -> Path:
    file = tmp_path / "ray-gke.yaml"
    file.write_text(f"{HEAD}spec:\n{spec}", encoding="utf-8")
    return file


def test_a_whole_platform(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        "  target: local\n"
        "  kuberay: {version: 1.7.0}\n"
        "  catalogs: [{path: ours}, {git: ../x, commit: '" + "0" * 40 + "', path: y}]\n"
        "  blueprints:\n"
        "    - {blueprint: squares, set: {count: 3, name: x, on: true}}\n"
        "    - {blueprint: squares, name: more-squares}\n",
    )
    platform = load(file)
    assert (platform.name, platform.folder) == ("ours", tmp_path)
    assert platform.spec.kuberay.version == "1.7.0"
    first, second = platform.spec.blueprints
    assert first.set == {"count": 3, "name": "x", "on": True}
    assert second.name == "more-squares"
    (assigned,) = platform.assigned(0)
    place = assigned.place("count")
    assert (place.line, place.key) == (9, "spec.blueprints[0].set.count")


GOOGLE = """
  target: gke
  project: example.com:my-project
  region: europe-west4
  zones: [europe-west4-a, europe-west4-b]
  cluster: {name: ray-prod, release_channel: STABLE, version: 1.34.1-gke.1000}
  network: {nodes: 10.0.0.0/20, pods: 10.4.0.0/14, services: 10.8.0.0/20}
  prices: our-prices.yaml
  namespace: ray
  teams:
    vision: {set: {count: 3}}
    text: {namespace: text-team}
  blueprints:
    - {blueprint: a, team: vision}
    - {blueprint: b, team: vision, namespace: own}
    - {blueprint: c, team: text}
    - {blueprint: d}
"""


def test_a_platform_on_google_cloud(tmp_path: Path) -> None:
    platform = load(_write(tmp_path, GOOGLE))
    spec = platform.spec
    assert (spec.target, spec.project) == ("gke", "example.com:my-project")
    assert (spec.region, spec.zones[1]) == ("europe-west4", "europe-west4-b")
    assert (spec.cluster.location, spec.cluster.release_channel) == (
        "regional",
        "STABLE",
    )
    assert (spec.network.pods, spec.network.max_pods_per_node) == ("10.4.0.0/14", 110)
    assert platform.prices == tmp_path / "our-prices.yaml"
    namespaces = [platform.namespace(run) for run in spec.blueprints]
    assert namespaces == ["vision", "own", "text-team", "ray"]


def test_what_nobody_says(tmp_path: Path) -> None:
    platform = load(_write(tmp_path, "  blueprints: [{blueprint: a}]\n"))
    spec = platform.spec
    assert (spec.target, spec.project, spec.region, spec.zones) == (
        "local",
        None,
        None,
        (),
    )
    assert (platform.prices, platform.namespace(spec.blueprints[0])) == (None, None)
    network = spec.network
    assert (network.nodes, network.pods, network.services) == (None, None, None)


TERRAFORM = """
  target: gke
  project: my-project
  region: northamerica-northeast1
  state: {bucket: a.team_1-terraform, prefix: ray/prod_1.2}
  labels: {owner: team_vision, x: ''}
  cluster: {deletion_protection: false, ray_operator: true}
  logs: {mode: gke}
  network:
    max_pods_per_node: 32
    existing:
      network: shared
      subnetwork: ray
      pods_range_name: pods
      services_range_name: services
      network_project_id: example.com:host-project
  teams:
    vision:
      quota:
        requests.nvidia.com/gpu: 8
        requests.google.com/tpu: 0
        limits.cpu: 1500m
        requests.memory: 1.5Gi
        requests.storage: 1T
        pods: 100
        count/rayclusters.ray.io: 3
        fast.storageclass.storage.k8s.io/requests.storage: 2Ti
    text: {namespace: vision}
"""


def test_what_terraform_needs_of_a_platform(tmp_path: Path) -> None:
    spec = load(_write(tmp_path, TERRAFORM)).spec
    assert spec.state is not None
    assert (spec.state.bucket, spec.state.prefix) == (
        "a.team_1-terraform",
        "ray/prod_1.2",
    )
    assert spec.labels == {"owner": "team_vision", "x": ""}
    assert (spec.cluster.deletion_protection, spec.cluster.ray_operator) == (
        False,
        True,
    )
    assert spec.network.existing is not None
    assert spec.network.existing.network_project_id == "example.com:host-project"
    assert spec.teams["vision"].quota == {
        "requests.nvidia.com/gpu": "8",
        "requests.google.com/tpu": "0",
        "limits.cpu": "1500m",
        "requests.memory": "1.5Gi",
        "requests.storage": "1T",
        "pods": "100",
        "count/rayclusters.ray.io": "3",
        "fast.storageclass.storage.k8s.io/requests.storage": "2Ti",
    }


def test_an_editor_takes_what_terraform_needs(tmp_path: Path) -> None:
    data = read(_write(tmp_path, TERRAFORM), "ray-gke.yaml").data
    jsonschema_rs.Draft202012Validator(schema.platform()).validate(data)


def test_what_terraform_gets_where_nobody_says_it(tmp_path: Path) -> None:
    spec = load(_write(tmp_path, "  blueprints: [{blueprint: a}]\n")).spec
    assert (spec.state, spec.labels, spec.network.existing) == (None, {}, None)
    assert spec.cluster.deletion_protection
    assert not spec.cluster.ray_operator


@pytest.mark.parametrize(
    "region",
    ["us-central1", "europe-southwest1", "me-central2", "africa-south1", "asia-east9"],
)
def test_regions_whose_words_google_uses(tmp_path: Path, region: str) -> None:
    assert load(_write(tmp_path, f"  region: {region}\n")).spec.region == region


@pytest.mark.parametrize(
    "network",
    [
        "nodes: 192.168.0.0/29",
        "nodes: 100.64.0.0/10",
        "nodes: 240.0.0.0/8",
        "pods: 34.64.0.0/14",
        "services: 10.64.0.0/16",
        "services: 10.64.0.0/28",
        "nodes: 10.0.0.0/24, pods: 10.0.1.0/24, services: 10.0.2.0/24",
        # GKE's table: 8 pods take 16 addresses, 128 take 256, 129 take 512.
        "max_pods_per_node: 8, pods: 10.64.0.0/28",
        "max_pods_per_node: 128, pods: 10.64.0.0/24",
        "max_pods_per_node: 256, pods: 10.64.0.0/23",
    ],
)
def test_ranges_that_gke_takes(tmp_path: Path, network: str) -> None:
    assert load(_write(tmp_path, f"  network: {{{network}}}\n"))


def test_a_pod_range_for_less_than_a_node(tmp_path: Path) -> None:
    network = "{max_pods_per_node: 129, pods: 10.64.0.0/24}"
    with pytest.raises(InvalidError, match="pods of one node, /23"):
        load(_write(tmp_path, f"  network: {network}\n"))


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("  targt: local\n", (5, "spec.targt", "unknown key", "'target'")),
        (
            "  kuberay: {version: 1.4.0}\n",
            (5, "spec.kuberay.version", "1.4.0", "1.5.1"),
        ),
        ("  catalogs: [{}]\n", (5, "spec.catalogs[0]", "needs path", "path:")),
        ("  catalogs:\n  - git: ../x\n", (6, "spec.catalogs[0].git", "commit", "40")),
        (
            "  catalogs:\n  - {git: ../x, commit: main}\n",
            (6, "spec.catalogs[0].commit", "a branch, tag or short hash", "40 digits"),
        ),
        (
            "  catalogs:\n  - {git: 'ext::sh', commit: main}\n",
            (6, "spec.catalogs[0].git", "not the URL", "https"),
        ),
        (
            "  catalogs:\n  - {git: ../x, path: ../y, commit: " + "a" * 40 + "}\n",
            (6, "spec.catalogs[0].path", "leads out", "inside"),
        ),
        (
            "  catalogs:\n  - {path: x, commit: " + "a" * 40 + "}\n",
            (6, "spec.catalogs[0].commit", "without git", "remove"),
        ),
        (
            "  blueprints:\n  - {blueprint: a}\n  - {blueprint: b, name: a}\n",
            (7, "spec.blueprints[1].name", "two runs are called 'a'", "its own"),
        ),
        (
            "  blueprints: [{blueprint: a, set: {x: [1]}}]\n",
            (5, "spec.blueprints[0].set.x", "a list is not text", "text"),
        ),
    ],
)
def test_faults(tmp_path: Path, spec: str, told: tuple[int, str, str, str]) -> None:
    line, key, message, hint = told
    with pytest.raises(InvalidError) as caught:
        load(_write(tmp_path, spec))
    problem = caught.value.problems[0]
    assert problem.place is not None
    assert (problem.place.line, problem.place.key) == (line, key)
    assert message in problem.message
    assert problem.hint is not None
    assert hint in problem.hint


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="cannot be read"):
        load(tmp_path / "nowhere.yaml")
