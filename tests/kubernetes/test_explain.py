"""Why runs are pending or failing, as a real scheduler and operator show it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ray_gke.errors import UsageError
from ray_gke.targets.explanation import Cause, Explanation
from ray_gke.targets.kubernetes import view
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.client import Client
from ray_gke.targets.kubernetes.explain import explain
from ray_gke.targets.kubernetes.inventory import Inventory
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.cluster.ray_stand_in import JobCourse, ServeCourse
from tests.kubernetes.explained_runs import (
    SIZE,
    ExplainedRuns,
    cluster_spec,
    labels,
    pod,
    says,
)

pytestmark = pytest.mark.cluster

ACCELERATOR = "cloud.google.com/gke-accelerator"
GPU_SIZE = {**SIZE, "nvidia.com/gpu": "1"}
SERVE = "applications: [{name: hello, import_path: 'app:app', route_prefix: /}]"
Connect = Callable[[Path], Api]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Return the API of a kubeconfig."""

    def of(kubeconfig: Path) -> Api:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        return Api.of(None)

    return of


@pytest.fixture
def runs(cluster: Bed, connect: Connect, namespace: str) -> ExplainedRuns:
    return ExplainedRuns(connect(cluster.kubeconfig), namespace)


def explained(runs: ExplainedRuns, known: Inventory) -> Explanation:
    return explain(runs.api, runs.namespace, known.name)


def until_state(runs: ExplainedRuns, known: Inventory, state: str) -> Explanation:
    """Return the explanation once the sentence on the state is this one."""
    found: list[Explanation] = []

    def is_it() -> bool:
        found.append(explained(runs, known))
        return found[-1].state == state

    try:
        eventually(f"{known.name} to be explained as {state!r}", is_it)
    except Exception as error:
        error.add_note(str(found[-1]))
        raise
    return found[-1]


@contextmanager
def node(cluster: Bed, name: str, **more: Any) -> Iterator[None]:
    """Add a node with one GPU for as long as the block takes."""
    size = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}
    cluster.nodes.add_node(name, allocatable=size, **more)
    try:
        yield
    finally:
        cluster.nodes.remove_node(name)


def gpu_run(runs: ExplainedRuns, name: str, accelerator: str) -> Inventory:
    worker = pod(name, size=GPU_SIZE, nodeSelector={ACCELERATOR: accelerator})
    return runs.put(name, "RayCluster", cluster_spec(name, worker=worker))


def test_a_run_in_order_has_nothing_to_explain(runs: ExplainedRuns) -> None:
    known = runs.put("fine", "RayCluster", cluster_spec("fine"))
    found = until_state(runs, known, "fine is RUNNING; nothing is pending")
    assert (found.causes, found.pending, found.notes) == ((), (), ())
    assert json.loads(json.dumps(asdict(found)))["kind"] == "cluster"


def test_one_look_takes_few_requests(
    runs: ExplainedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = runs.put(
        "few", "RayJob", {"entrypoint": "x", "rayClusterSpec": cluster_spec("few")}
    )
    asked: list[str] = []
    request = Client.request

    def counted(client: Client, method: str, path: str, **more: Any) -> Any:
        asked.append(path)
        return request(client, method, path, **more)

    monkeypatch.setattr(Client, "request", counted)
    view.read(runs.api, known)
    assert len(asked) == 5


def test_a_gpu_that_no_node_has(cluster: Bed, runs: ExplainedRuns) -> None:
    with node(cluster, "l4-other", labels={ACCELERATOR: "nvidia-l4"}):
        known = gpu_run(runs, "wish", "nvidia-tesla-a100")
        cause = runs.until(known, says("cannot be scheduled"))
        assert f"lack {ACCELERATOR}=nvidia-tesla-a100" in cause.what
        assert not cause.lasting
        found = explained(runs, known)
        assert found.state.startswith("wish is STARTING: worker pod wish-small-worker-")
        (pending,) = found.pending
        assert pending.group == "small"
        assert pending.wanted["nvidia.com/gpu"] == "1"
        assert pending.findings == (
            (
                f"no node has the label {ACCELERATOR}=nvidia-tesla-a100 (there are: "
                "nvidia-l4): there is no node pool of that shape, or it has no node now"
            ),
        )
        assert pending.nearest[0].node == "l4-other"
        assert pending.nearest[0].lacks == (
            f"label {ACCELERATOR}=nvidia-tesla-a100 (it has nvidia-l4)",
        )


def test_gpus_that_another_run_has(cluster: Bed, runs: ExplainedRuns) -> None:
    with node(cluster, "l4-full", labels={ACCELERATOR: "nvidia-l4"}):
        first = gpu_run(runs, "first", "nvidia-l4")
        until_state(runs, first, "first is RUNNING; nothing is pending")
        second = gpu_run(runs, "second", "nvidia-l4")
        runs.until(second, says("too little nvidia.com/gpu left"))
        (pending,) = explained(runs, second).pending
        have, taken = pending.findings
        assert have == f"1 node has {ACCELERATOR}=nvidia-l4"
        holder = f"all their GPUs are taken: {runs.namespace}/first-small-worker-"
        assert taken.startswith(holder)
        assert pending.nearest[0].lacks == ("nvidia.com/gpu: 1 wanted, 0 of 1 free",)


def test_a_taint_that_is_not_tolerated(cluster: Bed, runs: ExplainedRuns) -> None:
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    lab = {ACCELERATOR: "nvidia-l4"}
    with node(cluster, "l4-tainted", labels=lab, taints=[taint]):
        known = gpu_run(runs, "plain", "nvidia-l4")
        runs.until(known, says("a taint that it does not tolerate"))
        (pending,) = explained(runs, known).pending
        assert pending.findings[1] == (
            "1 of them would need toleration of nvidia.com/gpu=present:NoSchedule"
        )


def test_who_may_not_list_nodes_is_told_so(
    cluster: Bed, connect: Connect, runs: ExplainedRuns
) -> None:
    known = gpu_run(runs, "hidden", "nvidia-tesla-a100")
    runs.until(known, says("cannot be scheduled"))
    user = f"bob-{runs.namespace}"
    cluster.kubectl(
        *("create", "role", "look", "-n", runs.namespace, "--verb=get,list"),
        "--resource=configmaps,pods,events,rayclusters.ray.io",
    )
    cluster.kubectl(
        *("create", "rolebinding", "look", "-n", runs.namespace, "--role=look"),
        f"--user={user}",
    )
    limited = connect(cluster.control_plane.kubeconfig_for(user))
    seen = ExplainedRuns(limited, runs.namespace)
    eventually("the rights", lambda: bool(explained_or_none(seen, known)))
    found = explained(seen, known)
    assert "cannot be scheduled" in found.causes[0].what
    assert found.pending == ()
    assert any("nodes may not be listed" in note for note in found.notes)


def explained_or_none(runs: ExplainedRuns, known: Inventory) -> Explanation | None:
    from ray_gke.targets.kubernetes.api import NotAllowedError

    try:
        return explained(runs, known)
    except NotAllowedError:
        return None


def limit(cluster: Bed, namespace: str, kind: str, spec: Mapping[str, Any]) -> None:
    one = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "limit"}}
    cluster.kubectl(
        "apply", "-n", namespace, "-f", "-", stdin=json.dumps({**one, "spec": spec})
    )
    if kind == "ResourceQuota":
        path = f"/api/v1/namespaces/{namespace}/resourcequotas/limit"
        eventually(
            "the quota", lambda: "used" in cluster.control_plane.get(path)["status"]
        )


def test_a_quota_that_the_run_exceeds(cluster: Bed, runs: ExplainedRuns) -> None:
    limit(cluster, runs.namespace, "ResourceQuota", {"hard": {"requests.cpu": "1"}})
    known = runs.put("large", "RayCluster", cluster_spec("large"))
    cause = runs.until(known, says("quota limit leaves too little"), later=10)
    assert cause.what == (
        "worker pods of RayCluster/large cannot be made: quota limit leaves too little "
        "(requests.cpu: 1 wanted, 1 of 1 used)"
    )
    assert cause.lasting
    assert "kubectl describe quota limit" in cause.fix
    assert (
        "quota limit: 1 of 1 requests.cpu used, 1 by this run"
        in explained(runs, known).notes
    )


def test_a_quota_without_room_for_the_submitter(
    cluster: Bed, runs: ExplainedRuns
) -> None:
    limit(cluster, runs.namespace, "ResourceQuota", {"hard": {"pods": "2"}})
    assert cluster.stand_in
    cluster.stand_in.jobs[runs.namespace] = JobCourse(600)
    spec = {"entrypoint": "x", "rayClusterSpec": cluster_spec("late")}
    known = runs.put("late", "RayJob", spec)
    cause = runs.until(known, says("submitter pod of Job/late"), later=10)
    assert "pods: 1 wanted, 2 of 2 used" in cause.what
    assert cause.lasting


def test_a_limit_range_that_forbids_the_head(cluster: Bed, runs: ExplainedRuns) -> None:
    limits = {"limits": [{"type": "Container", "max": {"cpu": "500m"}}]}
    limit(cluster, runs.namespace, "LimitRange", limits)
    known = runs.put("wide", "RayCluster", cluster_spec("wide"))
    cause = runs.until(known, says("the head pod of RayCluster/wide"), later=10)
    assert "maximum cpu usage per Container is 500m, but limit is 1" in cause.what
    assert cause.lasting


def test_pod_security_that_forbids_the_head(cluster: Bed, runs: ExplainedRuns) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", runs.namespace, label)
    known = runs.put("loose", "RayCluster", cluster_spec("loose"))
    cause = runs.until(known, says("the head pod of RayCluster/loose"), later=10)
    assert "only takes pods that are 'restricted'" in cause.what
    assert cause.what.endswith(
        "allowPrivilegeEscalation != false, unrestricted capabilities, "
        "runAsNonRoot != true, seccompProfile"
    )
    assert cause.lasting
    assert explained(runs, known).causes[0].what == cause.what


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"priorityClassName": "no-such"}, "there is no PriorityClass no-such"),
        ({"serviceAccountName": "nobody"}, "there is no service account nobody"),
    ],
)
def test_what_a_pod_names_and_is_not_there(
    runs: ExplainedRuns, spec: Mapping[str, Any], words: str
) -> None:
    head = pod("names", **spec)
    known = runs.put("names", "RayCluster", cluster_spec("names", head=head))
    assert runs.until(known, says(words), later=10).lasting


def test_a_cluster_that_the_operator_refuses(runs: ExplainedRuns) -> None:
    head = pod("odd", restartPolicy="Always")
    spec = cluster_spec("odd", head=head, enableInTreeAutoscaling=True)
    spec["autoscalerOptions"] = {"version": "v2"}
    known = runs.put("odd", "RayCluster", spec)
    cause = runs.until(known, says("refused by the KubeRay operator"))
    assert cause.what == (
        "RayCluster/odd is refused by the KubeRay operator: restartPolicy for head Pod "
        "should be Never or unset when using autoscaler V2"
    )
    assert cause.lasting
    assert "InvalidRayClusterSpec" in cause.evidence[0]
    del spec["headGroupSpec"]["template"]["spec"]["restartPolicy"]
    known = runs.put("odd", "RayCluster", spec)
    until_state(runs, known, "odd is RUNNING; nothing is pending")


def test_a_job_that_the_operator_refuses(runs: ExplainedRuns) -> None:
    spec = {
        "entrypoint": "x",
        "activeDeadlineSeconds": 0,
        "rayClusterSpec": cluster_spec("never"),
    }
    known = runs.put("never", "RayJob", spec)
    cause = runs.until(known, says("refused by the KubeRay operator"))
    assert cause.lasting
    assert "activeDeadlineSeconds must be a positive integer" in cause.what
    assert explained(runs, known).state.startswith("never is FAILED: ")


def test_an_operator_that_does_not_look(cluster: Bed, runs: ExplainedRuns) -> None:
    cluster.operator.stop()
    known = runs.put("alone", "RayCluster", cluster_spec("alone"))
    assert runs.causes(known) == []
    (cause,) = runs.causes(known, later=21)
    assert cause.what == "RayCluster/alone is not looked at by any KubeRay operator"
    assert "helm upgrade --install kuberay-operator" in cause.fix
    assert not cause.lasting
    assert runs.causes(known, later=61)[0].lasting


def test_a_job_that_failed_and_one_that_succeeded(
    cluster: Bed, runs: ExplainedRuns
) -> None:
    assert cluster.stand_in
    spec = {"entrypoint": "x", "rayClusterSpec": cluster_spec("work")}
    cluster.stand_in.jobs[runs.namespace] = JobCourse(1, "FAILED", "a\nValueError: b")
    known = runs.put("work", "RayJob", spec)
    cause = runs.until(known, says("RayJob/work failed: ValueError: b"))
    assert cause.lasting
    assert cause.fix == "ray-gke logs work shows what it wrote"
    cluster.stand_in.jobs[runs.namespace] = JobCourse(0)
    known = runs.put("good", "RayJob", {**spec, "rayClusterSpec": cluster_spec("good")})
    until_state(runs, known, "good is SUCCEEDED; nothing is pending")


def test_a_job_that_takes_too_long(cluster: Bed, runs: ExplainedRuns) -> None:
    assert cluster.stand_in
    cluster.stand_in.jobs[runs.namespace] = JobCourse(600)
    spec = {
        "entrypoint": "x",
        "activeDeadlineSeconds": 3,
        "rayClusterSpec": cluster_spec("slow"),
    }
    known = runs.put("slow", "RayJob", spec)
    cause = runs.until(known, says("RayJob/slow took longer than its 3 s"))
    assert cause.lasting
    assert "job.active_deadline_seconds" in cause.fix


def test_a_service_whose_application_fails(cluster: Bed, runs: ExplainedRuns) -> None:
    assert cluster.stand_in
    trouble = "Traceback:\n  File\nKeyError: 'model'"
    cluster.stand_in.services[runs.namespace] = ServeCourse(0, "DEPLOY_FAILED", trouble)
    spec = {"serveConfigV2": SERVE, "rayClusterConfig": cluster_spec("web")}
    known = runs.put("web", "RayService", spec)
    cause = runs.until(known, says("Serve application hello"))
    assert cause.what.endswith("cannot be deployed: KeyError: 'model'")
    assert cause.lasting
    cluster.stand_in.services[runs.namespace] = ServeCourse()
    until_state(runs, known, "web is RUNNING; nothing is pending")


def test_a_ray_object_that_somebody_deleted(cluster: Bed, runs: ExplainedRuns) -> None:
    known = runs.put("gone", "RayCluster", cluster_spec("gone"))
    cluster.kubectl("delete", "raycluster", "gone", "-n", runs.namespace)
    found = explained(runs, known)
    assert found.state.startswith(
        "gone is MISSING: RayCluster/gone is not in namespace"
    )
    assert found.causes == (
        Cause(
            f"RayCluster/gone is not in namespace {runs.namespace}",
            fix="ray-gke up gone makes it again, ray-gke down gone removes the rest",
            lasting=True,
        ),
    )


def test_a_name_that_no_run_has(runs: ExplainedRuns) -> None:
    runs.put("squares", "RayCluster", cluster_spec("squares"))
    with pytest.raises(UsageError) as raised:
        explain(runs.api, runs.namespace, "square")
    assert raised.value.problems[0].hint == "did you mean squares?"


def test_an_elastic_group_says_when_more_workers_come(runs: ExplainedRuns) -> None:
    spec = cluster_spec("grow", replicas=0, enableInTreeAutoscaling=True)
    spec["autoscalerOptions"] = {"version": "v2"}
    known = runs.put("grow", "RayCluster", spec)
    found = until_state(runs, known, "grow is RUNNING; nothing is pending")
    assert found.notes == (
        (
            "group small has 0 of at most 3 workers: more come when tasks or actors "
            "ask for resources that are not free"
        ),
    )
    spec["workerGroupSpecs"][0] |= {"replicas": 3, "minReplicas": 0}
    runs.put("grow", "RayCluster", spec)
    full = "group small has its 3 max_replicas: no more workers come"
    eventually("three workers", lambda: explained(runs, known).notes == (full,))


def test_balloons_are_no_pods_of_the_run_and_give_way(
    cluster: Bed, runs: ExplainedRuns
) -> None:
    known = runs.put("warm", "RayCluster", cluster_spec("warm"))
    balloon = pod("warm")
    balloon["metadata"]["labels"] = {**labels("warm"), "ray-gke/balloon": "small"}
    one = {"apiVersion": "v1", "kind": "Pod", **balloon}
    one["metadata"] |= {"name": "balloon", "namespace": runs.namespace}
    runs.api.apply(one)
    eventually("the balloon", lambda: bool(view.read(runs.api, known).balloons))
    seen = view.read(runs.api, known)
    assert [b["metadata"]["name"] for b in seen.balloons] == ["balloon"]
    assert "balloon" not in [p["metadata"]["name"] for p in seen.pods]
