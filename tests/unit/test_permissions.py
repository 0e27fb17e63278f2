"""The commands that give a user what is missing."""

from __future__ import annotations

from ray_gke.targets.kubernetes.permissions import (
    Access,
    command,
    for_dashboard,
    for_down,
    for_up,
)


def test_resources_are_written_as_kubectl_has_them() -> None:
    log = Access("ml", "", "pods/log", "get")
    job = Access("ml", "ray.io", "rayjobs", "create")
    assert [log.what, job.what] == ["pods/log", "rayjobs.ray.io"]
    assert str(job) == "create rayjobs.ray.io in namespace ml"
    assert str(Access("", "", "namespaces", "create")) == (
        "create namespaces in the cluster"
    )


def test_a_role_holds_resources_with_the_same_missing_verbs() -> None:
    lacking = [
        Access("ml", "", "pods", "get"),
        Access("ml", "", "pods", "list"),
        Access("ml", "ray.io", "rayjobs", "get"),
        Access("ml", "ray.io", "rayjobs", "list"),
        Access("ml", "", "pods/log", "get"),
        Access("", "", "namespaces", "create"),
    ]
    assert command(lacking, "ada").split(" && ") == [
        (
            "kubectl create role ray-gke -n ml --verb=get,list "
            "--resource=pods,rayjobs.ray.io"
        ),
        "kubectl create rolebinding ray-gke -n ml --role=ray-gke --user=ada",
        "kubectl create role ray-gke-2 -n ml --verb=get --resource=pods/log",
        "kubectl create rolebinding ray-gke-2 -n ml --role=ray-gke-2 --user=ada",
        "kubectl create clusterrole ray-gke-3 --verb=create --resource=namespaces",
        (
            "kubectl create clusterrolebinding ray-gke-3 --clusterrole=ray-gke-3 "
            "--user=ada"
        ),
    ]


def test_a_service_account_is_bound_as_such() -> None:
    lacking = [Access("ml", "", "pods", "get")]
    assert "--serviceaccount=ml:robot" in command(
        lacking, "system:serviceaccount:ml:robot"
    )


def test_up_needs_to_write_what_it_makes_and_to_see_what_becomes_of_it() -> None:
    needed = {str(one) for one in for_up("ml", ["RayJob", "PriorityClass"])}
    assert {
        "create rayjobs.ray.io in namespace ml",
        "delete rayjobs.ray.io in namespace ml",
        "patch priorityclasses.scheduling.k8s.io in the cluster",
        "patch configmaps in namespace ml",
        "update leases.coordination.k8s.io in namespace ml",
        "list events in namespace ml",
        "list rayclusters.ray.io in namespace ml",
        "get pods/log in namespace ml",
    } <= needed
    assert "create rayclusters.ray.io in namespace ml" not in needed


def test_other_commands_need_less() -> None:
    assert "create pods/portforward in namespace ml" in map(str, for_dashboard("ml"))
    assert "get secrets in namespace ml" in map(str, for_dashboard("ml"))
    down = {one.verb for one in for_down("ml", ["RayCluster"])}
    assert "patch" not in down
