"""The commands that give a user what is missing."""

from __future__ import annotations

import re
import shlex

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
    lines = command(lacking, "ada").split(" && ")
    names = [line.split()[3] for line in lines[::2]]
    assert lines == [
        (
            f"kubectl create role {names[0]} -n ml --verb=get,list "
            "--resource=pods,rayjobs.ray.io"
        ),
        f"kubectl create rolebinding {names[0]} -n ml --role={names[0]} --user=ada",
        f"kubectl create role {names[1]} -n ml --verb=get --resource=pods/log",
        f"kubectl create rolebinding {names[1]} -n ml --role={names[1]} --user=ada",
        f"kubectl create clusterrole {names[2]} --verb=create --resource=namespaces",
        (
            f"kubectl create clusterrolebinding {names[2]} --clusterrole={names[2]} "
            "--user=ada"
        ),
    ]
    assert all(re.fullmatch("ray-gke-[0-9a-f]{8}", name) for name in names)
    assert len(set(names)) == 3


def test_roles_of_other_users_and_of_other_rights_have_other_names() -> None:
    pods = [Access("ml", "", "pods", "get")]
    secrets = [Access("ml", "", "secrets", "get")]
    given = [(pods, "ada"), (pods, "eve"), (secrets, "ada")]
    assert len({command(*one).split()[3] for one in given}) == 3
    assert command(pods, "ada") == command(pods, "ada")


def test_a_user_s_name_is_one_word_to_the_shell() -> None:
    hint = command([Access("ml", "", "pods", "get")], "Ada Lovelace; #1")
    assert shlex.split(hint)[-1] == "--user=Ada Lovelace; #1"


def test_up_makes_a_namespace_and_never_takes_one_away() -> None:
    verbs = {
        one.verb for one in for_up("ml", ["Namespace"]) if one.what == "namespaces"
    }
    assert verbs == {"get", "create", "patch"}


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
