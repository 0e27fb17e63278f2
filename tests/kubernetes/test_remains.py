"""What keeps a GKE cluster from going goes for good, whoever has made it."""

from __future__ import annotations

import pytest

from ray_gke.targets.gke import remains
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.resources import RAY_KINDS
from tests.cluster import shared_storage
from tests.cluster.processes import eventually
from tests.kubernetes.desk import Desk

pytestmark = pytest.mark.cluster

RAY_CLUSTER = """
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: theirs}
spec:
  headGroupSpec:
    serviceType: LoadBalancer
    rayStartParams: {}
    template:
      spec:
        containers: [{name: ray, image: rayproject/ray:2.58.0}]
        volumes: [{name: data, persistentVolumeClaim: {claimName: shared}}]
"""
DAEMON_SET = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: readers}
spec:
  selector: {matchLabels: {app: readers}}
  template:
    metadata: {labels: {app: readers}}
    spec:
      containers: [{name: reader, image: reader}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: shared}}]
"""
CRON_JOB = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: often}
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: reader, image: reader}]
          volumes: [{name: data, persistentVolumeClaim: {claimName: shared}}]
"""
BYSTANDER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: bystander}
spec:
  selector: {matchLabels: {app: bystander}}
  template:
    metadata: {labels: {app: bystander}}
    spec: {containers: [{name: web, image: web}]}
"""


def test_what_a_controller_would_make_anew_goes_with_it(desk: Desk, place: str) -> None:
    bed = desk.cluster
    bed.kubectl("create", "namespace", place)
    shared_storage.claim(bed.control_plane, place, desk.folder / "shared")
    every = f"{RAY_CLUSTER}---{DAEMON_SET}---{CRON_JOB}---{BYSTANDER}"
    bed.kubectl("apply", "-n", place, "-f", "-", stdin=every)
    eventually("the head's Service", lambda: "theirs-head-svc" in services(desk, place))
    eventually("pods that hold the volume", lambda: len(holding(desk, place)) > 1)
    with desk.seated():
        api = Api.of(None)
    ours = [one for one in remains.find(api) if one["metadata"]["namespace"] == place]
    assert {one["kind"] for one in ours} == {"Service", "PersistentVolumeClaim"}
    remains.remove(api, ours)
    for kind in (*RAY_KINDS, "Service", "PersistentVolumeClaim"):
        assert api.list(kind, place) == []
    assert api.list("DaemonSet", place) == api.list("CronJob", place) == []
    assert [one["metadata"]["name"] for one in api.list("Deployment", place)] == [
        "bystander"
    ]


def services(desk: Desk, place: str) -> list[str]:
    return list(desk.all("Service", place))


def holding(desk: Desk, place: str) -> list[str]:
    """Return the pods on nodes that hold the volume."""
    return [
        name
        for name, pod in desk.all("Pod", place).items()
        if pod["spec"].get("nodeName") and "bystander" not in name
    ]
