"""What cannot work ends in time, with the cause in a sentence, and leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ray_gke.targets.kubernetes import permissions
from tests.cluster.processes import eventually
from tests.cluster.ray_stand_in import JobCourse, ServeCourse
from tests.kubernetes import lives
from tests.kubernetes.commands import Command
from tests.kubernetes.desk import Desk
from tests.kubernetes.holdings import holdings
from tests.kubernetes.lives import Life, new_life
from tests.kubernetes.moments import held_at
from tests.kubernetes.written import written

pytestmark = pytest.mark.cluster

HUGE = "{cpu: 500, memory: 2Gi}"


@pytest.fixture
def life(desk: Desk) -> Life:
    """A cluster that is to come, in a namespace that is not there yet."""
    lives.write(desk)
    return new_life(desk, "stays", desk.new_namespace())


def ends(life: Life, code: int, *options: str, within: float = 60) -> str:
    """Run an `up` that must not succeed; return its one error."""
    command = life.start("up", *options)
    assert command.wait() == code, str(command)
    assert command.seconds < within, str(command)
    return the_error(command)


def the_error(command: Command) -> str:
    assert "Traceback" not in command.said, str(command)
    lines = command.said.splitlines()
    (begin,) = (n for n, line in enumerate(lines) if line.startswith("error: "))
    return "\n".join(lines[begin:])


def goes(life: Life) -> None:
    life.done("down")
    life.leaves_nothing()


def test_a_pod_that_no_node_can_hold(life: Life) -> None:
    life.desk.write("stays", f"head: {HUGE}\n{lives.GROUPS}\ncluster: {{}}\n")
    said = ends(life, 1, "--timeout", "5s")
    assert "is not ready after 5 s" in said
    assert "cpu" in said.lower()
    goes(life)


def test_no_operator_at_all(life: Life) -> None:
    life.cluster.operator.stop()
    life.cluster.operator.remove_deployment()
    said = ends(life, 1, "--timeout", "25s")
    assert "operator" in said
    assert "helm" in said
    goes(life)


def test_an_operator_that_dies_in_the_middle(life: Life) -> None:
    def writes_the_cluster(request: Any) -> bool:
        return request.method == "PATCH" and "/rayclusters/" in request.path

    with held_at(life, writes_the_cluster, "--timeout", "25s") as held:
        life.cluster.operator.stop()
        held.go_on()
        assert held.command.wait() == 1, str(held.command)
    assert "operator" in the_error(held.command)
    goes(life)


def test_a_job_whose_operator_has_died_goes_all_the_same(desk: Desk) -> None:
    lives.write(desk)
    life = new_life(desk, "works", desk.new_namespace())
    life.done("up", "--detach")
    life.cluster.operator.stop()
    command = life.start("down")
    # KubeRay's finalizer keeps the job until KubeRay is back.
    eventually("down to wait for it", lambda: "remove the objects" in command.said)
    life.cluster.heal()
    assert command.wait() == 0, str(command)
    life.leaves_nothing()


def test_a_quota_that_has_no_room_for_the_pods(life: Life, namespace: str) -> None:
    life.namespace = namespace
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "tight", "namespace": namespace},
        "spec": {"hard": {"limits.cpu": "1", "requests.cpu": "1"}},
    }
    life.desk.apply(quota)
    said = ends(life, 1, "--timeout", "10s")
    assert "quota" in said
    assert "tight" in said
    life.done("down")
    assert set(holdings(life.cluster, namespace)) == {"ResourceQuota/tight"}


def test_a_namespace_that_is_going(life: Life) -> None:
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "stays-there",
            "namespace": life.namespace,
            "finalizers": ["example.com/held"],
        },
    }
    kubectl = life.cluster.kubectl
    kubectl("create", "namespace", life.namespace)
    life.desk.apply(held)
    kubectl("delete", "namespace", life.namespace, "--wait=false")
    try:
        said = ends(life, 4)
        assert f"Namespace/{life.namespace} is being deleted" in said
    finally:
        where = ("configmap", "stays-there", "-n", life.namespace)
        kubectl("patch", *where, "-p", '{"metadata":{"finalizers":null}}')


def test_a_namespace_that_begins_to_go_in_the_middle(life: Life) -> None:
    def writes_the_account(request: Any) -> bool:
        return request.method == "PATCH" and "/serviceaccounts/" in request.path

    with held_at(life, writes_the_account) as held:
        life.cluster.kubectl("delete", "namespace", life.namespace, "--wait=false")
        held.go_on()
        code = held.command.wait()
    assert code == 1, str(held.command)
    assert life.namespace in the_error(held.command)


def test_an_object_that_somebody_removes_while_we_wait(life: Life) -> None:
    life.cluster.operator.stop()
    command = life.start("up")
    eventually("it to wait", lambda: "wait until it is ready" in command.said)
    eventually("it", lambda: life.desk.all("RayCluster", life.namespace))
    life.cluster.kubectl("delete", "raycluster", "stays", "-n", life.namespace)
    assert command.wait() == 1, str(command)
    assert "RayCluster/stays was removed by somebody else" in the_error(command)
    life.cluster.heal()
    life.done("up")
    goes(life)


def test_a_job_that_fails(desk: Desk) -> None:
    lives.write(desk)
    assert desk.cluster.stand_in
    life = new_life(desk, "works", desk.new_namespace())
    course = JobCourse(1, "FAILED", "the disk is full")
    desk.cluster.stand_in.jobs[life.namespace] = course
    said = ends(life, 1)
    assert "job works failed" in said
    assert "the disk is full" in said
    goes(life)


def test_a_service_that_cannot_be_deployed(desk: Desk) -> None:
    lives.write(desk)
    assert desk.cluster.stand_in
    life = new_life(desk, "serves", desk.new_namespace())
    course = ServeCourse(0, "DEPLOY_FAILED", "no module named app")
    desk.cluster.stand_in.services[life.namespace] = course
    said = ends(life, 1)
    assert "no module named app" in said
    goes(life)


@pytest.fixture
def jane(life: Life, namespace: str) -> Path:
    """Somebody who may do all of an `up` but create RayClusters."""
    life.namespace = namespace
    kinds = ["ServiceAccount", "NetworkPolicy", "RayCluster", "PodMonitoring", "Rules"]
    needed = permissions.for_up(namespace, kinds)
    missing = permissions.Access(namespace, "ray.io", "rayclusters", "create")
    assert missing in needed
    name = f"jane-{namespace}"
    user = life.cluster.control_plane.kubeconfig_for(name)
    rules = [
        {"apiGroups": [a.group], "resources": [a.resource], "verbs": [a.verb]}
        for a in needed
        if a != missing
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "most"}
    for one in (
        {"kind": "Role", "rules": rules},
        {
            "kind": "RoleBinding",
            "roleRef": role,
            "subjects": [{"kind": "User", "name": name}],
        },
    ):
        metadata = {"name": "most", "namespace": namespace}
        api = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": metadata}
        life.desk.apply({**api, **one})
    return user


def test_a_user_without_some_right(life: Life, jane: Path) -> None:
    before = written(life.cluster, life.namespace)
    life.kubeconfig = jane
    said = ends(life, 4)
    place = f"create rayclusters.ray.io in namespace {life.namespace}"
    assert place in said
    assert said.count(" in namespace ") == 1
    assert f"--user=jane-{life.namespace}" in said
    assert written(life.cluster, life.namespace) == before


def test_a_user_without_any_right_hears_of_all_at_once(
    life: Life, namespace: str
) -> None:
    life.namespace = namespace
    life.kubeconfig = life.cluster.control_plane.kubeconfig_for(f"joe-{namespace}")
    said = ends(life, 4)
    for what in ("list networkpolicies.networking.k8s.io", "create rayclusters.ray.io"):
        assert f"{what} in namespace {namespace}" in said
