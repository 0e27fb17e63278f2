"""What is told of pods in trouble, from what a real cluster shows of them."""

from __future__ import annotations

import pytest

from tests.seen_runs import (
    IMAGE,
    NOW,
    PLACED,
    at,
    container,
    ended,
    event,
    in_order,
    only,
    pod,
    ray,
    seen,
    told,
    unschedulable,
    waits,
)


def test_nothing_is_told_of_a_run_in_order() -> None:
    assert told(seen(in_order())) == []


def test_nothing_is_told_of_a_job_that_has_succeeded() -> None:
    status = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
    dead = pod(containerStatuses=[container({"terminated": ended(1)})])
    assert told(seen(dead, one=ray("RayJob", status=status))) == []


def test_pods_that_are_being_deleted_are_no_cause() -> None:
    going = pod(containerStatuses=[container(waits("InvalidImageName"))])
    going["metadata"]["deletionTimestamp"] = at(1)
    assert told(seen(going, in_order())) == []


NOT_FOUND = f"rpc error: code = NotFound desc = docker.io/{IMAGE}: not found"


@pytest.mark.parametrize(
    ("reason", "message", "says", "lasting"),
    [
        ("ErrImagePull", NOT_FOUND, "does not exist", True),
        ("ImagePullBackOff", f"Back-off: ErrImagePull: {NOT_FOUND}", "exist", True),
        ("ErrImagePull", "dial tcp: no such host", "cannot reach the registry", False),
        ("ErrImagePull", "401 Unauthorized", "may not be pulled", True),
        ("ErrImagePull", "pull access denied, not found", "may not be pulled", True),
        ("ErrImagePull", "toomanyrequests: slow down", "limits how much", False),
        ("ErrImagePull", "no match for platform", "not for the CPU", True),
        ("ErrImagePull", "it is full moon", "cannot be pulled", False),
        ("ErrImageNeverPull", "", "may not pull it", True),
    ],
)
def test_an_image_that_does_not_come(
    reason: str, message: str, says: str, *, lasting: bool
) -> None:
    view = seen(pod(containerStatuses=[container(waits(reason, message))]))
    cause = only(view)
    assert cause.what.startswith("head pod demo-head cannot start: ")
    assert says in cause.what
    assert cause.lasting == lasting
    assert message in "".join(cause.evidence)
    assert cause.fix


def test_the_back_off_of_an_image_is_explained_by_the_event_before_it() -> None:
    status = container(waits("ImagePullBackOff", "Back-off pulling image"))
    events = (
        event("Pod/demo-head", "Failed", f'Failed to pull image "x": {NOT_FOUND}'),
        event("Pod/demo-head", "Failed", "Error: ImagePullBackOff", ago=1),
    )
    cause = only(seen(pod(containerStatuses=[status]), events=events))
    assert cause.what.endswith(f"the image {IMAGE} does not exist")
    assert NOT_FOUND in cause.evidence[-1]


def test_a_missing_image_lasts_only_after_20_seconds() -> None:
    failed = event("Pod/demo-head", "Failed", f"Failed to pull image: {NOT_FOUND}")
    status = container(waits("ErrImagePull", NOT_FOUND))
    view = seen(pod(containerStatuses=[status]), events=(failed,))
    assert not only(view).lasting
    assert not only(view, later=14).lasting
    assert only(view, later=15).lasting
    assert only(view).since == NOW - 5


def test_the_name_of_an_image_that_is_none_lasts_at_once() -> None:
    view = seen(pod(ago=1, containerStatuses=[container(waits("InvalidImageName"))]))
    assert only(view).lasting
    assert only(view).what.endswith(f"'{IMAGE}' is not the name of an image")


@pytest.mark.parametrize(("restarts", "lasting"), [(2, False), (3, True)])
def test_a_container_in_a_crash_loop(restarts: int, *, lasting: bool) -> None:
    status = container(
        waits("CrashLoopBackOff"), restarts=restarts, last=ended(3, message="a\nb\n")
    )
    cause = only(seen(pod(containerStatuses=[status])))
    assert cause.what == (
        "head pod demo-head fails: its container ray ended with exit code 3, and is "
        "restarted"
    )
    assert cause.lasting == lasting
    assert cause.evidence == (
        "container ray: Error, exit code 3: a | b",
        f"container ray: restarted {restarts} times",
    )
    assert "--previous" in cause.fix


def test_a_container_that_runs_again_after_it_failed_is_told_but_may_recover() -> None:
    running = {"running": {"startedAt": at(2)}}
    status = container(running, restarts=4, last=ended(1))
    cause = only(seen(pod(phase="Running", containerStatuses=[status])))
    assert "exit code 1" in cause.what
    assert not cause.lasting


def test_a_container_out_of_memory_names_the_limit_and_the_field() -> None:
    last = ended(137, reason="OOMKilled")
    status = container(waits("CrashLoopBackOff"), restarts=3, last=last)
    cause = only(seen(pod("w", group="gpu", containerStatuses=[status]), in_order()))
    assert "more than its memory of 8Gi" in cause.what
    assert cause.fix.startswith("raise memory of worker group gpu")


def test_a_command_that_is_not_there() -> None:
    said = (
        "OCI runtime create failed: unable to start container process: "
        'exec: "nothing-here": executable file not found in $PATH: unknown'
    )
    last = ended(128, reason="StartError", message=said)
    status = container(waits("CrashLoopBackOff"), restarts=3, last=last)
    cause = only(seen(pod(containerStatuses=[status])))
    assert 'cannot be started: exec: "nothing-here": executable file' in cause.what


def test_a_pod_that_is_not_restarted_lasts_once_nobody_replaces_it() -> None:
    never = {"restartPolicy": "Never"}
    status = container({"terminated": ended(1, ago=5)})
    view = seen(pod(spec=never, phase="Running", containerStatuses=[status]))
    assert not only(view).lasting
    assert only(view, later=15).lasting
    assert "is not restarted" in only(view).what


def test_the_end_of_the_autoscaler_leaves_the_head_half_ready_for_good() -> None:
    statuses = [
        {**container({"running": {"startedAt": at(60)}}), "ready": True},
        container({"terminated": ended(1, ago=1)}, name="autoscaler"),
    ]
    head = pod(
        spec={"restartPolicy": "Never"}, phase="Running", containerStatuses=statuses
    )
    cause = only(seen(head))
    assert "Ray's autoscaler beside it has ended with exit code 1" in cause.what
    assert cause.lasting
    assert "kubectl delete pod demo-head -n ml" in cause.fix


def test_an_init_container_that_fails() -> None:
    status = container(waits("CrashLoopBackOff"), name="prepare", restarts=3)
    status["lastState"] = {"terminated": ended(1)}
    cause = only(seen(pod(initContainerStatuses=[status])))
    assert "its init container prepare ended with exit code 1" in cause.what
    assert cause.lasting


def test_a_missing_secret_lasts_after_20_seconds() -> None:
    said = 'secret "no-such" not found'
    status = container(waits("CreateContainerConfigError", said))
    view = seen(pod(ago=10, containerStatuses=[status]))
    assert only(view).what.endswith(
        'cannot start its container ray: secret "no-such" not found'
    )
    assert not only(view).lasting
    assert only(view, later=10).lasting


def test_a_missing_volume_lasts_after_30_seconds() -> None:
    said = 'MountVolume.SetUp failed for volume "v" : configmap "nope" not found'
    mounting = event("Pod/demo-head", "FailedMount", said, first=29, count=7)
    status = container(waits("ContainerCreating"))
    view = seen(pod(containerStatuses=[status]), events=(mounting,))
    assert only(view).what.endswith('FailedMount: configmap "nope" not found')
    assert not only(view).lasting
    assert only(view, later=1).lasting
    assert only(view).evidence[0].endswith("(7 times)")


def test_an_image_that_is_being_pulled_tells_which_and_for_how_long() -> None:
    pulling = event(
        "Pod/demo-head", "Pulling", f'Pulling image "{IMAGE}"', ago=40, type="Normal"
    )
    status = container(waits("ContainerCreating"))
    cause = only(seen(pod(containerStatuses=[status]), events=(pulling,)))
    assert cause.what.endswith(f"waits for its image: the node is pulling {IMAGE}")
    assert cause.evidence == (f'node node-1: Pulling image "{IMAGE}", for 40 s now',)
    assert not cause.lasting


def test_a_probe_that_fails_is_told_after_the_time_to_start() -> None:
    status = container({"running": {"startedAt": at(29)}})
    probe = event("Pod/demo-head", "Unhealthy", "Readiness probe failed: no")
    view = seen(pod(phase="Running", containerStatuses=[status]), events=(probe,))
    assert told(view) == []
    cause = only(view, later=1)
    assert "does not pass its readiness probe" in cause.what
    assert not cause.lasting
    assert "Readiness probe failed: no" in cause.evidence[-1]


def test_workers_that_wait_for_the_head_come_after_the_head() -> None:
    waiting = container({"running": {"startedAt": at(10)}}, name="wait-gcs-ready")
    workers = [
        pod(f"w-{n}", group="gpu", initContainerStatuses=[waiting]) for n in range(2)
    ]
    head = pod(containerStatuses=[container(waits("ErrImagePull", "odd"))])
    found = told(seen(*workers, head))
    assert [cause.what.split(" ")[0] for cause in found] == ["head", "each"]
    assert found[1].what == (
        "each of 2 worker pods of group gpu waits for the head to answer"
    )
    assert found[1].evidence[-1] == "pods: w-0, w-1"


L4 = {"nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"}}


SELECTOR = "node(s) didn't match Pod's node affinity/selector"


TAIL = "no new claims to deallocate, preemption: 0/3 nodes are available: 3 no help."


@pytest.mark.parametrize(
    ("said", "words", "fix"),
    [
        (
            f"0/3 nodes are available: 1 Insufficient cpu, 2 {SELECTOR}. {TAIL}",
            (
                "none of 3 nodes can take it: 2 lack "
                "cloud.google.com/gke-accelerator=nvidia-l4; 1 has too little cpu left"
            ),
            "ask for less cpu",
        ),
        (
            f"0/3 nodes are available: 3 {SELECTOR}. {TAIL}",
            "all lack cloud.google.com/gke-accelerator=nvidia-l4",
            "add nodes with cloud.google.com/gke-accelerator=nvidia-l4",
        ),
        (
            "0/2 nodes are available: 2 Insufficient nvidia.com/gpu. preemption: no.",
            "all have too little nvidia.com/gpu left",
            "ask for less nvidia.com/gpu",
        ),
        (
            (
                "0/1 nodes are available: 1 node(s) had untolerated taint "
                "{nvidia.com/gpu: present}. preemption: 0/1 nodes are available."
            ),
            "the only node cannot take it: it has the taint nvidia.com/gpu=present",
            "explain",
        ),
        (
            f"0/3 nodes are available: 3 node(s) had untolerated taint(s). {TAIL}",
            "all have a taint that it does not tolerate",
            "explain",
        ),
        ("no nodes available to schedule pods", "the cluster has no nodes", "explain"),
        (
            (
                "0/3 nodes are available: pod has unbound immediate "
                "PersistentVolumeClaims. preemption: 0/3 nodes are available."
            ),
            "pod has unbound immediate PersistentVolumeClaims",
            "kubectl get pvc -n ml",
        ),
    ],
)
def test_the_scheduler_is_put_into_words(said: str, words: str, fix: str) -> None:
    cause = only(seen(in_order(), unschedulable(said, **L4)))
    assert cause.what.startswith("worker pod w cannot be scheduled: ")
    assert words in cause.what
    assert fix in cause.fix
    assert not cause.lasting
    assert cause.since == NOW - 30


def test_new_nodes_are_waited_for() -> None:
    scale = event("Pod/w", "TriggeredScaleUp", "pod triggered scale-up: [{a 0->1}]")
    one = unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
    cause = only(seen(in_order(), one, events=(scale,)))
    assert cause.what == (
        "worker pod w waits for new nodes, which the cluster autoscaler is adding"
    )
    assert "0->1" in cause.evidence[-1]


def test_why_no_node_comes_is_told() -> None:
    said = "pod didn't trigger scale-up: 1 max node group size reached"
    scale = event("Pod/w", "NotTriggerScaleUp", said)
    one = unschedulable("0/1 nodes are available: 1 Insufficient cpu.")
    cause = only(seen(in_order(), one, events=(scale,)))
    assert "it has too little cpu left" in cause.what
    assert cause.what.endswith("adds no node: 1 max node group size reached")


def test_what_lasts_comes_first() -> None:
    broken = pod(
        "w",
        group="gpu",
        ago=60,
        containerStatuses=[container(waits("InvalidImageName"))],
    )
    waiting = pod(containerStatuses=[container(waits("ErrImagePull", "odd"))])
    assert [cause.lasting for cause in told(seen(waiting, broken))] == [True, False]


def test_a_pod_that_its_node_ended() -> None:
    lost = pod(phase="Failed", reason="Evicted", message="low on memory")
    cause = only(seen(lost))
    assert cause.what == "head pod demo-head was ended by its node: Evicted"
    assert "low on memory" in cause.evidence[0]
    assert not cause.lasting


def test_a_node_that_does_not_answer() -> None:
    silent = event("Pod/demo-head", "NodeNotReady", "Node is not ready")
    lost = in_order()
    lost["status"]["conditions"] = [PLACED, {"type": "Ready", "status": "False"}]
    cause = only(seen(lost, events=(silent,)))
    assert "is cut off: its node does not answer" in cause.what
