"""What is checked before anything is written, on clusters that lack something."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.errors import RefusedError
from ray_gke.targets.kubernetes import (
    checks,
    cluster_facts,
    kuberay_operator,
    permissions,
)
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.checks import Needs, check, reachable
from tests.cluster import kuberay
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually, free_port

pytestmark = pytest.mark.cluster

KINDS = frozenset({"RayCluster", "ServiceAccount"})
Connect = Callable[[Path], Api]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Return the API of a kubeconfig."""

    def of(kubeconfig: Path) -> Api:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        return Api.of(None)

    return of


@pytest.fixture
def api(cluster: Bed, connect: Connect) -> Api:
    return connect(cluster.kubeconfig)


def refusal(api: Api, needs: Needs) -> tuple[str, str]:
    """Return what is refused and what to do about it."""
    with pytest.raises(RefusedError) as raised:
        check(api, needs)
    (problem,) = raised.value.problems
    return problem.message, problem.hint or ""


def test_a_whole_cluster_is_taken_without_a_word(api: Api, namespace: str) -> None:
    found = check(api, Needs(namespace, KINDS))
    assert found.kubernetes.startswith("1.")
    assert found.kuberay == "1.5.1"
    assert found.notes == ()


def test_checks_write_nothing(api: Api, cluster: Bed, namespace: str) -> None:
    def asked() -> list[str]:
        """Return what this client has posted, put, patched or deleted so far."""
        lines = cluster.control_plane.audit_log.read_text().splitlines()
        events = [json.loads(line) for line in lines]
        ours = [e for e in events if e.get("userAgent", "").startswith("ray-gke/")]
        return [e["requestURI"] for e in ours]

    before = len(asked())
    check(api, Needs(namespace, KINDS, gpu=True, pods_restricted=False))
    eventually("the log to tell of the question", lambda: len(asked()) > before)
    assert all("selfsubjectaccessreviews" in path for path in asked()[before:])


def test_a_server_that_is_not_there(
    cluster: Bed, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "PATIENCE_SECONDS", 0.5)
    server = f"https://127.0.0.1:{free_port()}"
    nowhere = elsewhere(cluster.kubeconfig, tmp_path / "kubeconfig", server)
    with pytest.raises(RefusedError) as raised:
        reachable(connect(nowhere))
    message = str(raised.value)
    assert server in message
    assert "context " in message
    assert "refused" in message
    assert "--context" in (raised.value.problems[0].hint or "")


def elsewhere(kubeconfig: Path, file: Path, server: str) -> Path:
    """Write a kubeconfig that differs only in the server."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = server
    file.write_text(yaml.safe_dump(config))
    return file


def test_credentials_that_are_not_accepted(
    cluster: Bed, connect: Connect, tmp_path: Path
) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": "not-a-token"}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(RefusedError, match="credentials of context"):
        reachable(connect(file))


@contextmanager
def without_definitions(cluster: Bed) -> Iterator[None]:
    """Take the definitions of the Ray kinds away, and bring them back."""
    # Without an operator nothing that carries its finalizers ever goes.
    plurals = "rayservices,rayjobs,rayclusters"
    cluster.kubectl("delete", plurals, "-A", "--all", "--timeout=90s")
    cluster.operator.stop()
    kinds = [f"{plural}.ray.io" for plural in ("rayclusters", "rayjobs", "rayservices")]
    saved = cluster.kubectl("get", "crd", *kinds, "-o", "json")
    items = json.loads(saved)["items"]
    for one in items:
        one["metadata"] = {
            key: one["metadata"][key]
            for key in ("name", "annotations")
            if key in one["metadata"]
        }
        del one["status"]
    try:
        cluster.kubectl("delete", "crd", *kinds)
        yield
    finally:
        for one in items:
            cluster.control_plane.apply(json.dumps(one), manager=kuberay.NAME)
        eventually("the definitions", lambda: _are_established(cluster, kinds))
        cluster.operator.start()


def _are_established(cluster: Bed, names: Iterable[str]) -> bool:
    """Tell whether definitions count; one that is quite new has no conditions yet."""
    found = json.loads(cluster.kubectl("get", "crd", *names, "-o", "json"))["items"]
    conditions = [(one.get("status") or {}).get("conditions") or () for one in found]
    return all(
        any(c["type"] == "Established" and c["status"] == "True" for c in of_one)
        for of_one in conditions
    )


def test_a_cluster_without_kuberay(api: Api, cluster: Bed, namespace: str) -> None:
    with without_definitions(cluster):
        eventually(
            "the kinds to be gone",
            lambda: len(kuberay_operator.missing_kinds(api)) == 3,
        )
        message, hint = refusal(api, Needs(namespace, KINDS))
        assert "KubeRay's operator, not its definitions" in message
        assert "RayCluster, RayJob, RayService of ray.io/v1" in message
        assert hint.startswith("kubectl apply --server-side")
        cluster.operator.remove_deployment()
        assert cluster_facts.read(api).kuberay_version is None
        message, hint = refusal(api, Needs(namespace, KINDS))
        assert "has no KubeRay" in message
        assert hint.startswith("helm repo add kuberay")
        assert "--version 1.5.1" in hint


def test_an_operator_that_is_switched_off(
    api: Api, cluster: Bed, namespace: str
) -> None:
    scale = ("scale", "deployment", kuberay.NAME, "-n", kuberay.NAMESPACE)
    cluster.kubectl(*scale, "--replicas=0")
    try:
        eventually("no replicas", lambda: not ready(api))
        message, hint = refusal(api, Needs(namespace, KINDS))
        assert "has 0 replicas" in message
        assert hint == (
            "kubectl -n kuberay-system scale deployment kuberay-operator --replicas=1"
        )
    finally:
        cluster.kubectl(*scale, "--replicas=1")
        eventually("a replica", lambda: ready(api) == 1)


def ready(api: Api) -> int:
    operator = kuberay_operator.find(api)
    return operator.ready if operator else 0


def test_an_operator_that_does_not_start(
    api: Api, cluster: Bed, namespace: str
) -> None:
    change = {"spec": {"template": {"spec": {"nodeSelector": {"no-such": "node"}}}}}
    patch = ("patch", "deployment", kuberay.NAME, "-n", kuberay.NAMESPACE)
    cluster.kubectl(*patch, "-p", json.dumps(change))
    try:
        eventually("no replicas", lambda: not ready(api))
        message, hint = refusal(api, Needs(namespace, KINDS))
        assert "has 0 of 1 replicas ready" in message
        assert "minimum availability" in message
        assert "kubectl -n kuberay-system describe pods" in hint
    finally:
        cluster.operator.remove_deployment()
        cluster.operator.add_deployment()


def test_an_operator_out_of_sight_is_known_by_the_definitions(
    api: Api, cluster: Bed, namespace: str
) -> None:
    cluster.operator.remove_deployment()
    found = check(api, Needs(namespace, KINDS))
    assert found.kuberay == "1.5.1"
    assert cluster_facts.read(api).kuberay_version == "1.5.1"
    (note,) = found.notes
    assert "no Deployment of the KubeRay operator is in sight" in note


@contextmanager
def operator_image(cluster: Bed, tag: str) -> Iterator[None]:
    """Let the operator's Deployment name another version."""
    image = f"{kuberay.NAME}=quay.io/kuberay/operator:{tag}"
    place = (f"deployment/{kuberay.NAME}", "-n", kuberay.NAMESPACE)
    cluster.kubectl("set", "image", *place, image)
    try:
        cluster.kubectl("rollout", "status", *place, "--timeout=30s")
        yield
    finally:
        cluster.operator.remove_deployment()
        cluster.operator.add_deployment()


def test_an_operator_that_is_too_old(api: Api, cluster: Bed, namespace: str) -> None:
    with operator_image(cluster, "v1.4.2"):
        message, hint = refusal(api, Needs(namespace, KINDS))
    assert "the cluster's KubeRay is 1.4.2" in message
    definitions, _, chart = hint.partition(" && ")
    assert definitions.startswith("kubectl apply --server-side --force-conflicts -k ")
    assert "--namespace kuberay-system" in chart


def test_an_operator_newer_than_all_that_we_know(
    api: Api, cluster: Bed, namespace: str
) -> None:
    with operator_image(cluster, "v1.99.0"):
        found = check(api, Needs(namespace, KINDS))
        assert cluster_facts.read(api).kuberay_version == "1.7.0"
    assert found.kuberay == "1.99.0"
    assert "newer than 1.7.0" in found.notes[0]


def test_objects_for_a_newer_kuberay_are_noted(api: Api, namespace: str) -> None:
    found = check(api, Needs(namespace, KINDS, kuberay_version="1.7.0"))
    assert "written for KubeRay 1.7.0, the cluster has 1.5.1" in found.notes[0]


def test_fields_are_looked_for_where_the_definitions_have_them(api: Api) -> None:
    document: Any = api.read("/openapi/v3/apis/ray.io/v1")
    schemas = kuberay_operator._schemas(document)
    for kind, *path in kuberay_operator._PLACES.values():
        place = schemas[kind]
        for step in path:
            place = kuberay_operator._properties(place)[step]
        assert kuberay_operator._properties(place), path


def test_a_namespace_that_is_stricter_than_the_pods(
    api: Api, cluster: Bed, namespace: str
) -> None:
    label = "pod-security.kubernetes.io/enforce"
    needs = Needs(namespace, KINDS, pods_restricted=False)
    assert check(api, needs).notes == ()
    cluster.kubectl("label", "namespace", namespace, f"{label}=restricted")
    assert check(api, Needs(namespace, KINDS)).notes == ()
    message, hint = refusal(api, needs)
    assert f"namespace {namespace} has the label {label}=restricted" in message
    assert f"{label}=privileged --overwrite" in hint
    for level, notes in (("baseline", 1), ("privileged", 0)):
        label_it = ("label", "namespace", namespace, "--overwrite")
        cluster.kubectl(*label_it, f"{label}={level}")
        assert len(check(api, needs).notes) == notes


def test_no_gpu_in_sight_is_noted(api: Api, cluster: Bed, namespace: str) -> None:
    needs = Needs(namespace, KINDS, gpu=True)
    assert "no node has a GPU now" in check(api, needs).notes[0]
    size = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}
    cluster.nodes.add_node("gpu-note", allocatable=size)
    try:
        assert check(api, needs).notes == ()
    finally:
        cluster.nodes.remove_node("gpu-note")


def test_all_missing_permissions_are_told_with_the_command_that_gives_them(
    cluster: Bed, connect: Connect, namespace: str
) -> None:
    user = f"ada-{namespace}"
    limited = connect(cluster.control_plane.kubeconfig_for(user))
    message, hint = refusal(limited, Needs(namespace, KINDS))
    assert f"user {user} may not do what this needs:" in message
    told = message.splitlines()[1:]
    assert f"  create rayclusters.ray.io in namespace {namespace}" in told
    assert f"  get pods/log in namespace {namespace}" in told
    needed = permissions.for_up(namespace, KINDS)
    assert len(told) == len(needed)
    run_as_administrator(cluster, hint.partition(": ")[2])
    eventually("the rights", lambda: not permissions.missing(limited, needed))
    assert check(limited, Needs(namespace, KINDS)).kuberay == "1.5.1"


def run_as_administrator(cluster: Bed, commands: str) -> None:
    """Run the commands of a hint."""
    for command in commands.split(" && "):
        program, *arguments = command.split()
        assert program == "kubectl"
        cluster.kubectl(*arguments)


def test_only_what_is_missing_is_told(
    cluster: Bed, connect: Connect, namespace: str
) -> None:
    user = f"eve-{namespace}"
    needed = permissions.for_up(namespace, KINDS)
    lacking = [one for one in needed if one.resource == "leases"]
    given = [one for one in needed if one not in lacking]
    run_as_administrator(cluster, permissions.command(given, user))
    limited = connect(cluster.control_plane.kubeconfig_for(user))
    eventually(
        "the rights", lambda: permissions.missing(limited, needed) == sorted(lacking)
    )
    message, hint = refusal(limited, Needs(namespace, KINDS))
    assert message.splitlines()[1:] == [f"  {one}" for one in sorted(lacking)]
    assert "--verb=create,delete,get,update --resource=leases.coordination" in hint


def test_a_service_account_gets_a_binding_of_its_own_kind(
    cluster: Bed, connect: Connect, namespace: str, tmp_path: Path
) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    token = cluster.control_plane.token_of(namespace, "default")
    config["users"][0]["user"] = {"token": token}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    _, hint = refusal(connect(file), Needs(namespace, KINDS))
    assert f"--serviceaccount={namespace}:default" in hint


def test_who_owns_the_namespace_is_asked_once(
    api: Api, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = Api.ask

    def counted(api: Api, path: str, question: dict[str, Any]) -> dict[str, Any]:
        asked.append(path)
        return ask(api, path, question)

    monkeypatch.setattr(Api, "ask", counted)
    permissions.check(api, permissions.for_up(namespace, KINDS))
    assert len(asked) == 1


def test_who_may_not_even_ask_is_not_held_up(
    api: Api, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_allowed(*_given: object) -> dict[str, Any]:
        raise NotAllowedError("no")

    monkeypatch.setattr(Api, "ask", not_allowed)
    permissions.check(api, permissions.for_up(namespace, KINDS))
