"""What is told of Ray objects in trouble, and of pods that cannot be made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ray_gke.targets.kubernetes.view import View
from tests.seen_runs import (
    NOW,
    at,
    event,
    in_order,
    only,
    ray,
    seen,
    told,
    unschedulable,
)

FORBIDDEN = 'Failed to create head Pod ml/, pods "demo-head-" is forbidden: '


@pytest.mark.parametrize(
    ("said", "words", "fix"),
    [
        (
            (
                'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != '
                'false (container "ray" must set it), runAsNonRoot != true (pod or '
                'container "ray" must set it)'
            ),
            (
                "only takes pods that are 'restricted': "
                "allowPrivilegeEscalation != false, "
                "runAsNonRoot != true"
            ),
            "kubectl label namespace ml",
        ),
        (
            "maximum cpu usage per Container is 500m, but limit is 1",
            "a LimitRange of namespace ml forbids it: maximum cpu usage per Container",
            "kubectl describe limitrange -n ml",
        ),
        (
            "failed quota: q: must specify limits.cpu for: ray",
            "quota q wants limits.cpu for: ray to be set",
            "patch",
        ),
        ("no PriorityClass with name x was found", "no PriorityClass x", "create it"),
        (
            'error looking up service account ml/demo: serviceaccount "demo" not found',
            "there is no service account demo",
            "ray-gke up demo",
        ),
        (
            'admission webhook "gate.example.com" denied the request: no root',
            "the policy gate.example.com forbids it: no root",
            "patch",
        ),
        (
            (
                "unable to create new content in namespace ml because it is being "
                "terminated"
            ),
            "namespace ml is being deleted",
            "wait until it is gone",
        ),
    ],
)
def test_a_head_that_may_not_be_made(said: str, words: str, fix: str) -> None:
    failed = event(
        "RayCluster/demo", "FailedToCreateHeadPod", FORBIDDEN + said, first=20
    )
    cause = only(seen(events=(failed,)))
    assert cause.what.startswith("the head pod of RayCluster/demo cannot be made: ")
    assert words in cause.what
    assert fix in cause.fix
    assert cause.lasting


def test_a_webhook_that_does_not_answer_may_come_back() -> None:
    said = 'failed calling webhook "gate.example.com": connection refused'
    failed = event("RayCluster/demo", "FailedToCreateHeadPod", said, first=60)
    cause = only(seen(events=(failed,)))
    assert "the webhook gate.example.com does not answer" in cause.what
    assert not cause.lasting


def test_a_head_that_could_not_be_made_at_first_is_no_cause_once_it_is_there() -> None:
    failed = event("RayCluster/demo", "FailedToCreateHeadPod", FORBIDDEN + "x")
    assert told(seen(in_order(), events=(failed,))) == []


ROLE = "Failed to create role ml/demo, roles is forbidden: no"


@pytest.mark.parametrize("reason", ["FailedToCreateRole", "FailedToCreateService"])
@pytest.mark.parametrize("kind", ["RayCluster", "RayService"])
def test_what_could_not_be_made_once_is_no_cause_once_there_are_pods(
    kind: str, reason: str
) -> None:
    failed = event(f"{kind}/demo", reason, ROLE, ago=20)
    one = ray(kind)
    (cause,) = (c for c in told(seen(one=one, events=(failed,))) if "made" in c.what)
    assert cause.evidence == (f"event of {kind}/demo: {reason}: {ROLE}",)
    assert told(seen(in_order(), one=one, events=(failed,))) == []


@pytest.mark.parametrize(
    ("ago", "first", "age", "counts"),
    [
        (29, 50, 60, True),
        (30, 50, 60, False),
        (20, 50, 19, False),
        (5, 50, 60, True),
    ],
)
def test_what_cannot_be_made_again_and_again(
    ago: float, first: float, age: float, *, counts: bool
) -> None:
    """Pods from before do not tell that it is there, those from after do."""
    head = in_order()
    head["metadata"]["creationTimestamp"] = at(age)
    failed = event(
        "RayCluster/demo", "FailedToCreateRole", ROLE, ago=ago, first=first, count=2
    )
    assert bool(told(seen(head, events=(failed,)))) == counts


def test_a_submitter_that_is_there_was_made() -> None:
    failed = event("RayJob/demo", "FailedToCreateRayJobSubmitter", ROLE, count=2)
    submitter = {"kind": "Job", "metadata": {"name": "demo"}}
    job = ray("RayJob")
    assert told(seen(in_order(), one=job, events=(failed,)))
    assert not told(seen(in_order(), one=job, events=(failed,), submitter=submitter))


@pytest.mark.parametrize(("count", "found"), [(1, 0), (2, 1)])
def test_a_second_cluster_that_cannot_be_made(count: int, found: int) -> None:
    failed = event("RayService/demo", "FailedToCreateRayCluster", ROLE, count=count)
    view = seen(in_order(), one=ray("RayService"), events=(failed,))
    assert len(told(view)) == found


QUOTA = (
    "Failed to create worker Pod for the cluster ml/demo, pods is forbidden: exceeded "
    "quota: q, requested: requests.cpu=2, used: requests.cpu={used}, limited: "
    "requests.cpu=4"
)


@pytest.mark.parametrize(
    ("used", "lasting"), [("3", False), ("4", False), ("1", False)]
)
def test_a_quota_that_others_fill_may_become_free(used: str, *, lasting: bool) -> None:
    said = QUOTA.format(used=used)
    failed = event("RayCluster/demo", "FailedToCreateWorkerPod", said, first=60)
    one = ray(status={"observedGeneration": 1, "desiredWorkerReplicas": 1})
    cause = only(seen(in_order(), one=one, events=(failed,)))
    assert "worker pods of RayCluster/demo cannot be made: quota q" in cause.what
    assert cause.lasting == lasting


def test_a_quota_that_the_run_itself_fills_stays_full() -> None:
    failed = event(
        "RayCluster/demo", "FailedToCreateWorkerPod", QUOTA.format(used="3"), first=60
    )
    one = ray(status={"observedGeneration": 1, "desiredWorkerReplicas": 3})
    workers = [in_order() for _ in range(2)]
    for number, worker in enumerate(workers):
        worker["metadata"]["labels"]["ray.io/group"] = "gpu"
        worker["metadata"]["name"] = f"w-{number}"
    cause = only(seen(in_order(), *workers, one=one, events=(failed,)))
    assert cause.what.endswith("(requests.cpu: 2 wanted, 3 of 4 used)")
    assert cause.lasting


def test_without_the_right_to_see_events_the_condition_tells_it() -> None:
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreateHeadPod",
        "message": FORBIDDEN + "no PriorityClass with name x was found",
    }
    one = ray(status={"observedGeneration": 1, "conditions": [failure]})
    cause = only(seen(one=one, hidden=("list events: is forbidden",)))
    assert "there is no PriorityClass x" in cause.what


@pytest.mark.parametrize("kind", ["RayCluster", "RayJob", "RayService"])
def test_without_a_status_there_is_no_operator(kind: str) -> None:
    one = ray(kind, ago=19, status={})
    view = seen(one=one, clusters=())
    assert told(view) == []
    cause = told(view, later=1)[0]
    assert cause.what == f"{kind}/demo is not looked at by any KubeRay operator"
    assert not cause.lasting
    assert "helm upgrade --install kuberay-operator" in cause.fix
    assert not told(view, later=40)[0].lasting
    assert told(view, later=41)[0].lasting


def test_what_the_operator_refuses_is_told_until_it_accepts_it() -> None:
    refused = event(
        "RayCluster/demo",
        "InvalidRayClusterSpec",
        "The RayCluster spec is invalid ml/demo: no good",
    )
    one = ray(ago=10, status={})
    cause = only(seen(one=one, events=(refused,)))
    assert cause.what == "RayCluster/demo is refused by the KubeRay operator: no good"
    assert cause.lasting
    accepted = ray(ago=10)
    assert told(seen(one=accepted, events=(refused,))) == []


def test_a_refusal_of_what_was_there_before_an_edit_is_not_told() -> None:
    refused = event("RayCluster/demo", "InvalidRayClusterSpec", "x: no", ago=9)
    one = ray(ago=10, status={})
    one["metadata"]["managedFields"] = [{"manager": "ray-gke", "time": at(3)}]
    assert told(seen(one=one, events=(refused,))) == []


def deleted(status: str, **more: Any) -> dict[str, Any]:
    said = (
        "Deleted head Pod ml/demo-head; Pod status: Running; Pod restart policy: "
        f"Never; Ray container terminated status: {status}"
    )
    return event("RayCluster/demo", "DeletedHeadPod", said, type="Normal", **more)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("&ContainerStateTerminated{ExitCode:3,Signal:0,Reason:Error", "exit code 3"),
        ("&ContainerStateTerminated{ExitCode:137,Reason:OOMKilled", "its memory"),
        ("nil", "each ends before Ray runs in it"),
    ],
)
def test_heads_that_are_replaced_again_and_again(status: str, words: str) -> None:
    cause = only(seen(in_order(), events=(deleted(status, count=2),)))
    assert words in cause.what
    assert not cause.lasting
    twice = (deleted(status, count=2, ago=9), deleted(status))
    assert only(seen(in_order(), events=twice)).lasting


def test_a_cluster_without_pods_for_no_reason_points_at_the_operator() -> None:
    cause = only(seen())
    assert cause.what.startswith("RayCluster/demo has no pods")


@pytest.mark.parametrize(
    ("status", "words", "fix"),
    [
        (
            {"reason": "AppFailed", "message": "Traceback\n  x\nValueError: no\n"},
            "failed: ValueError: no",
            "ray-gke logs demo",
        ),
        (
            {"reason": "DeadlineExceeded", "message": "passed"},
            "took longer than its 60 s",
            "job.active_deadline_seconds",
        ),
        (
            {"reason": "SubmissionFailed", "message": "Job submission has failed."},
            "could not be submitted to Ray: Job submission has failed.",
            "ray-gke logs demo",
        ),
        ({"reason": "New", "message": ""}, "failed: New", "ray-gke logs demo"),
    ],
)
def test_how_a_job_failed(status: Mapping[str, Any], words: str, fix: str) -> None:
    one = ray(
        "RayJob",
        spec={"activeDeadlineSeconds": 60},
        status={"jobDeploymentStatus": "Failed", "endTime": at(7), **status},
    )
    cause = only(seen(one=one))
    assert cause.what == f"RayJob/demo {words}"
    assert fix in cause.fix
    assert cause.lasting
    assert cause.since == NOW - 7


def test_a_job_that_is_tried_again_may_still_succeed() -> None:
    status = {"jobDeploymentStatus": "Retrying", "failed": 1, "reason": "AppFailed"}
    one = ray("RayJob", spec={"backoffLimit": 2}, status=status)
    cause = told(seen(in_order(), one=one))[0]
    assert "is tried again (1 of 2 retries used)" in cause.what
    assert not cause.lasting


def service(status: str, message: str = "", **more: Any) -> dict[str, Any]:
    application = {
        "status": status,
        "message": message,
        "serveDeploymentStatuses": {
            "Model": {"status": "UNHEALTHY", "message": "no GPU"}
        },
    }
    active = {"rayClusterName": "demo", "applicationStatuses": {"chat": application}}
    found = {"observedGeneration": 1, "activeServiceStatus": active, **more}
    return ray("RayService", status=found)


@pytest.mark.parametrize(
    ("status", "words", "lasting"),
    [
        ("DEPLOY_FAILED", "cannot be deployed: KeyError: 'x'", True),
        ("UNHEALTHY", "is not healthy: KeyError: 'x'", False),
        ("DEPLOYING", "is being deployed: KeyError: 'x'", False),
    ],
)
def test_an_application_of_ray_serve(status: str, words: str, *, lasting: bool) -> None:
    one = service(status, "Traceback:\n  File\nKeyError: 'x'\n")
    cause = only(seen(in_order(), one=one))
    assert cause.what == f"Serve application chat on RayCluster/demo {words}"
    assert cause.lasting == lasting
    assert "deployment Model: UNHEALTHY: no GPU" in cause.evidence


def test_a_service_that_was_given_up() -> None:
    ready = {"type": "Ready", "status": "False", "reason": "InitializingTimeout"}
    ready["message"] = "it took 30m"
    cause = only(seen(in_order(), one=service("RUNNING", conditions=[ready])))
    assert cause.what == "RayService/demo was given up: it took 30m"
    assert cause.lasting


def test_other_warnings_of_the_operator_come_last() -> None:
    odd = event("RayCluster/demo", "FailedToUpdateService", "it is full moon")
    found = told(seen(unschedulable("no nodes available"), in_order(), events=(odd,)))
    assert [cause.what.split(" ")[0] for cause in found] == [
        "worker",
        "RayCluster/demo",
    ]


def test_a_ray_object_that_is_gone() -> None:
    view = seen()
    view = View(view.inventory)
    cause = only(view)
    assert cause.what == "RayCluster/demo is not in namespace ml"
    assert "ray-gke up demo" in cause.fix


@pytest.mark.parametrize(
    ("ago", "fix"), [(5, "wait until it is gone"), (90, "helm upgrade --install kub")]
)
def test_a_finished_job_that_does_not_go(ago: float, fix: str) -> None:
    done = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
    job = ray("RayJob", status=done)
    job["metadata"]["deletionTimestamp"] = at(ago)
    job["metadata"]["finalizers"] = ["ray.io/rayjob-finalizer"]
    cause = only(seen(one=job))
    assert cause.what == "RayJob/demo is being deleted"
    assert cause.evidence == ("finalizers of RayJob/demo: ray.io/rayjob-finalizer",)
    assert fix in cause.fix
