from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ray_gke.errors import InvalidError
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render

Planned = Callable[..., Plan]

SQUARES = "job: {entrypoint: python squares.py}"
BARE = """\
logs: {mode: none}
metrics: {mode: none}
network_policy: {mode: none}
"""


def by_kind(plan: Plan, **options: Any) -> dict[str, dict[str, Any]]:
    objects = render(plan, **{"kuberay_version": "1.5.1", **options})
    return {one["kind"]: one for one in objects}


def test_objects_come_in_the_order_in_which_they_are_applied(planned: Planned) -> None:
    plan = planned(
        "cluster: {}\nworker_groups: [{name: a, warm_replicas: 1}, {name: b}]\n"
        "metrics: {mode: PodMonitor, dashboards: false}",
        files={"notes.txt": b"x"},
    )
    assert [
        (o["kind"], re.sub("-[0-9a-f]{8}$", "-DIGEST", o["metadata"]["name"]))
        for o in render(plan, kuberay_version="1.5.1")
    ] == [
        ("ServiceAccount", "demo"),
        ("NetworkPolicy", "demo"),
        ("NetworkPolicy", "demo.head"),
        ("ConfigMap", "demo-fluent-bit"),
        ("PriorityClass", "demo-balloon"),
        ("ConfigMap", "demo-files-DIGEST"),
        ("RayCluster", "demo"),
        ("Deployment", "demo-a-balloon"),
        ("PodMonitor", "demo"),
        ("PrometheusRule", "demo"),
    ]


def test_a_blueprint_without_files_mounts_nothing(planned: Planned) -> None:
    objects = by_kind(planned(f"{BARE}cluster: {{}}"))
    assert objects.keys() == {"ServiceAccount", "RayCluster"}
    pod = objects["RayCluster"]["spec"]["headGroupSpec"]["template"]["spec"]
    assert "volumes" not in pod
    assert "workingDir" not in pod["containers"][0]
    env = {variable["name"] for variable in pod["containers"][0]["env"]}
    assert "PYTHONPATH" not in env


def test_files_keep_their_paths_and_bytes(planned: Planned) -> None:
    plan = planned(
        f"{BARE}{SQUARES}",
        files={
            "squares.py": b"print(1)\r\n",
            "package/__init__.py": b"",
            "data/model.bin": b"\xff\x00",
            "data/b c.txt": "é\n".encode(),
            "data/b-c.txt": b"2",
        },
    )
    objects = by_kind(plan)
    config = objects["ConfigMap"]
    contents = {key: text.encode() for key, text in config["data"].items()}
    contents |= {k: base64.b64decode(v) for k, v in config["binaryData"].items()}
    pod = objects["RayJob"]["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]
    (volume,) = pod["spec"]["volumes"]
    assert {
        item["path"]: contents[item["key"]] for item in volume["configMap"]["items"]
    } == {
        "squares.py": b"print(1)\r\n",
        "package/__init__.py": b"",
        "data/model.bin": b"\xff\x00",
        "data/b c.txt": "é\n".encode(),
        "data/b-c.txt": b"2",
    }
    (mount,) = pod["spec"]["containers"][0]["volumeMounts"]
    assert mount["mountPath"] == "/home/ray/blueprint"
    assert {"name": "PYTHONPATH", "value": "/home/ray/blueprint"} in (
        pod["spec"]["containers"][0]["env"]
    )


def test_other_files_make_other_pods(planned: Planned) -> None:
    def names(content: bytes) -> tuple[str, str, str]:
        plan = planned(f"{BARE}{SQUARES}", files={"squares.py": content})
        objects = by_kind(plan)
        cluster = objects["RayJob"]["spec"]["rayClusterSpec"]
        (volume,) = cluster["headGroupSpec"]["template"]["spec"]["volumes"]
        return (
            volume["configMap"]["name"],
            objects["ConfigMap"]["metadata"]["name"],
            objects["RayJob"]["metadata"]["name"],
        )

    one, same, other = names(b"print(1)"), names(b"print(1)"), names(b"print(2)")
    assert one == same
    assert one[0] == one[1]
    assert all(mine != theirs for mine, theirs in zip(one, other, strict=True))


def test_a_job_that_runs_something_else_is_another_object(planned: Planned) -> None:
    def name(spec: str, run: str = "demo") -> str:
        objects = by_kind(planned(spec, name=run))
        return str(objects["RayJob"]["metadata"]["name"])

    job = "job: {entrypoint: 'true'}"
    assert name(job) == name(job) != name("job: {entrypoint: 'false'}")
    assert name(job).startswith("demo-")
    longest = "a" * 46
    one, other = name(job, f"{longest}b"), name(job, f"{longest}c")
    assert one != other
    assert len(one) == len(other) == 47


def test_the_namespace_is_on_what_lives_in_one(planned: Planned) -> None:
    plan = planned("cluster: {}\nworker_groups: [{name: a, warm_replicas: 1}]")
    namespaces = {
        kind: one["metadata"].get("namespace")
        for kind, one in by_kind(plan, namespace="ml").items()
    }
    assert namespaces == {
        "ServiceAccount": "ml",
        "NetworkPolicy": "ml",
        "ConfigMap": "ml",
        "PriorityClass": None,
        "RayCluster": "ml",
        "Deployment": "ml",
        "PodMonitor": "ml",
        "PrometheusRule": "ml",
    }


def test_priority_needs_a_kuberay_that_has_it(planned: Planned) -> None:
    plan = planned("cluster: {}\nworker_groups:\n- name: a\n  priority: 5")
    with pytest.raises(InvalidError) as caught:
        render(plan, kuberay_version="1.6.2")
    (problem,) = caught.value.problems
    assert problem.message == "KubeRay 1.6.2 has no priority of worker groups"
    assert problem.hint == "use KubeRay 1.7.0 or later, or leave priority out"
    assert problem.place is not None
    assert (problem.place.line, problem.place.key) == (
        8,
        "spec.worker_groups[0].priority",
    )
    (group,) = by_kind(plan, kuberay_version="1.7.0")["RayCluster"]["spec"][
        "workerGroupSpecs"
    ]
    assert group["priority"] == 5


def test_an_unknown_kuberay_is_refused_with_those_that_are_known(
    planned: Planned,
) -> None:
    with pytest.raises(InvalidError) as caught:
        render(planned("cluster: {}"), kuberay_version="1.4.2")
    assert caught.value.problems[0].hint == (
        "the supported versions are 1.5.1, 1.6.2, 1.7.0"
    )


def test_a_job_s_own_options_arrive(planned: Planned) -> None:
    plan = planned(
        """
        job:
          entrypoint: python -c 'print("a")'
          runtime_env: {env_vars: {PRICE: "5$ or `6`"}}
          metadata: {owner: me}
          entrypoint_num_cpus: 0.5
          entrypoint_num_gpus: 1.0
          backoff_limit: 2
          active_deadline_seconds: 60
          ttl_seconds_after_finished: 0
        """
    )
    spec = by_kind(plan)["RayJob"]["spec"]
    assert spec["runtimeEnvYAML"] == (
        'env_vars:\n  PRICE: "5${RAY_GKE_DOLLAR} or '
        '${RAY_GKE_BACKTICK}6${RAY_GKE_BACKTICK}"\n'
    )
    assert spec["submitterPodTemplate"]["spec"]["containers"][0]["env"] == [
        {"name": "RAY_GKE_DOLLAR", "value": "$"},
        {"name": "RAY_GKE_BACKTICK", "value": "`"},
    ]
    wanted = {
        "metadata": {"owner": "me"},
        "entrypointNumCpus": 0.5,
        "entrypointNumGpus": 1.0,
        "backoffLimit": 2,
        "activeDeadlineSeconds": 60,
        "ttlSecondsAfterFinished": 0,
        "shutdownAfterJobFinishes": True,
        "submissionMode": "K8sJobMode",
    }
    assert {key: spec[key] for key in wanted} == wanted


def test_custom_resources_are_quoted_for_shell_and_autoscaler(planned: Planned) -> None:
    plan = planned("cluster: {}\nhead: {resources: {slots: 2, my_gpu: 1}}")
    params = by_kind(plan)["RayCluster"]["spec"]["headGroupSpec"]["rayStartParams"]
    assert params["resources"] == '\'{"slots": 2, "my_gpu": 1}\''


def test_mps_needs_the_ipc_of_the_host(planned: Planned) -> None:
    plan = planned(
        """
        cluster: {}
        worker_groups:
        - name: shared
          gpu:
            accelerator: nvidia-l4
            sharing: {strategy: mps, max_shared_clients_per_gpu: 2}
        """
    )
    (group,) = by_kind(plan)["RayCluster"]["spec"]["workerGroupSpecs"]
    assert group["template"]["spec"]["hostIPC"] is True


def test_a_catalog_s_own_template_is_used_and_checked(
    planned: Planned, tmp_path: Path
) -> None:
    text = (
        "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {{ metadata | inline }}\n"
        "spec: {{ cluster_spec | inline }}\n"
    )
    template = tmp_path / "ray-cluster.yaml.j2"
    template.write_text(text.replace("metadata: ", "metadata:\n  name: other\n  a: "))
    with pytest.raises(InvalidError, match=r"RayCluster/other: metadata\.a: unknown"):
        by_kind(planned("cluster: {}"), templates=tmp_path)


@pytest.mark.parametrize("text", ["a: 1", "kind: RayCluster", "metadata: {name: 1}"])
def test_a_template_of_no_object_is_refused(
    planned: Planned, tmp_path: Path, text: str
) -> None:
    (tmp_path / "ray-cluster.yaml.j2").write_text(text)
    with pytest.raises(InvalidError):
        by_kind(planned("cluster: {}"), templates=tmp_path)
