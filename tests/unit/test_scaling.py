"""Which numbers of workers a RayService's cluster is given, as plain data."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.targets.kubernetes import scaling

Object = dict[str, Any]


def group(name: str, least: int, most: int, replicas: int | None = None) -> Object:
    fixed = {} if replicas is None else {"replicas": replicas}
    return {"groupName": name, "minReplicas": least, "maxReplicas": most, **fixed}


def cluster(*groups: Object) -> Object:
    labels = {"a": "b"}
    metadata = {"name": "demo-x", "namespace": "ml", "uid": "1", "labels": labels}
    spec = {"headGroupSpec": {}, "workerGroupSpecs": list(groups)}
    return {"kind": "RayCluster", "metadata": metadata, "spec": spec}


def service(*groups: Object, elastic: bool = True) -> Object:
    config = {"workerGroupSpecs": list(groups), "enableInTreeAutoscaling": elastic}
    return {"kind": "RayService", "spec": {"rayClusterConfig": config}}


@pytest.mark.parametrize("replicas", [0, 2, 9])
def test_what_the_autoscaler_writes_is_no_difference(replicas: int) -> None:
    live = cluster(group("a", 1, 3, replicas), group("b", 2, 2, 2))
    wanted = service(group("a", 1, 3), group("b", 2, 2, 2))
    assert scaling.scaled(live, wanted) is None


@pytest.mark.parametrize(
    ("least", "most", "before", "after"),
    [(2, 8, 0, 2), (1, 8, 3, 3), (1, 2, 3, 2), (0, 8, 0, 0)],
)
def test_elastic_groups_keep_their_workers_within_the_limits(
    least: int, most: int, before: int, after: int
) -> None:
    other = group("b", 2, 2, 2) | {"template": {}, "scaleStrategy": {}}
    live = cluster(group("a", 1, 3, before), other)
    found = scaling.scaled(live, service(group("a", least, most), group("b", 2, 2, 2)))
    assert found == {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "demo-x", "namespace": "ml"},
        "spec": {"workerGroupSpecs": [group("a", least, most, after), other]},
    }
    assert (
        scaling.scaled(
            cluster(*found["spec"]["workerGroupSpecs"]),
            service(group("a", least, most), group("b", 2, 2, 2)),
        )
        is None
    )


@pytest.mark.parametrize("elastic", [True, False])
def test_groups_of_fixed_size_get_their_number(*, elastic: bool) -> None:
    wanted = service(group("a", 2, 2, 2), elastic=elastic)
    found = scaling.scaled(cluster(group("a", 2, 2, 1)), wanted)
    assert found
    assert found["spec"]["workerGroupSpecs"] == [group("a", 2, 2, 2)]


@pytest.mark.parametrize("names", ["ab", "ba", ""])
def test_other_groups_are_left_to_kuberay(names: str) -> None:
    wanted = service(*(group(name, 2, 8) for name in names))
    assert scaling.scaled(cluster(group("a", 1, 3, 1)), wanted) is None
