from __future__ import annotations

from collections.abc import Callable

import pytest

from ray_gke.errors import InvalidError, Problem
from ray_gke.planning.plan import Group, Plan

Planned = Callable[..., Plan]


def worker(planned: Planned, lines: str) -> Group:
    return planned(
        f"cluster: {{}}\nworker_groups:\n- name: workers\n{lines}"
    ).worker_groups[0]


def refused(planned: Planned, spec: str, **options: str) -> Problem:
    with pytest.raises(InvalidError) as caught:
        planned(spec, **options)
    (problem,) = caught.value.problems
    return problem


def test_a_ray_node_counts_started_cpus(planned: Planned) -> None:
    group = worker(planned, "  cpu: 1500m\n  memory: 10Gi")
    assert group.num_cpus == 2
    assert group.cpu == "1500m"


def test_ray_leaves_memory_to_its_object_store(planned: Planned) -> None:
    assert worker(planned, "  memory: 10G").memory_bytes == 7_000_000_000


@pytest.mark.parametrize(
    ("spec", "num_cpus"),
    [
        ("cluster: {}", 2),
        ("cluster: {}\nhead: {cpu: 2500m}", 3),
        ("cluster: {}\nworker_groups: [{name: a}]", 0),
        ("cluster: {}\nworker_groups: [{name: a}]\nhead: {num_cpus: 1}", 1),
        ("cluster: {}\nhead: {num_cpus: 0}", 0),
    ],
)
def test_cpus_of_the_head(planned: Planned, spec: str, num_cpus: int) -> None:
    assert planned(spec).head.num_cpus == num_cpus


def test_a_cpu_group_selects_no_nodes_and_tolerates_nothing(planned: Planned) -> None:
    group = worker(planned, "  cpu: 1")
    assert group.node_selector == {}
    assert group.tolerations == ()
    assert group.labels == {"ray.io/market-type": "on-demand"}
    assert group.env == {}


def test_the_head_is_never_on_a_machine_that_google_may_take_back(
    planned: Planned,
) -> None:
    (expression,) = planned("cluster: {}").head.node_affinity
    assert expression == {
        "key": "cloud.google.com/gke-provisioning",
        "operator": "NotIn",
        "values": ["spot", "preemptible", "flex-start"],
    }


def test_a_spot_group(planned: Planned) -> None:
    group = worker(planned, "  provisioning: spot")
    assert group.node_selector == {"cloud.google.com/gke-provisioning": "spot"}
    assert group.tolerations == (
        {
            "key": "cloud.google.com/gke-spot",
            "operator": "Equal",
            "value": "true",
            "effect": "NoSchedule",
        },
    )
    assert group.labels["ray.io/market-type"] == "spot"
    assert group.env == {"RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "10"}
    assert group.termination_grace_period_seconds == 15


def test_an_own_drain_timeout_wins_and_the_pod_gets_the_time(planned: Planned) -> None:
    plan = planned(
        """
        cluster: {}
        env: {RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S: "90"}
        worker_groups:
        - {name: spot, provisioning: spot}
        - {name: standard}
        """
    )
    assert [group.env for group in plan.worker_groups] == [{}, {}]
    graces = [g.termination_grace_period_seconds for g in plan.worker_groups]
    assert graces == [95, 120]


def test_a_mig_partition_is_one_gpu_of_its_own_nodes(planned: Planned) -> None:
    group = worker(
        planned, "  gpu: {accelerator: nvidia-tesla-a100, partition: 1g.5gb}"
    )
    assert group.num_gpus == 1
    assert group.node_selector == {
        "cloud.google.com/gke-accelerator": "nvidia-tesla-a100",
        "cloud.google.com/gke-gpu-partition-size": "1g.5gb",
    }
    assert group.tolerations == (
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
    )
    assert group.labels == {
        "ray.io/market-type": "on-demand",
        "ray.io/accelerator-type": "A100",
        "ray-gke/gpu-partition": "1g.5gb",
    }


def test_a_whole_gpu_is_not_taken_from_nodes_that_divide_it(planned: Planned) -> None:
    group = worker(planned, "  gpu: {accelerator: nvidia-tesla-a100}")
    absent = {e["key"] for e in group.node_affinity if e["operator"] == "DoesNotExist"}
    assert absent == {
        "cloud.google.com/gke-gpu-partition-size",
        "cloud.google.com/gke-gpu-sharing-strategy",
    }


def test_a_shared_gpu(planned: Planned) -> None:
    group = worker(
        planned,
        "  gpu:\n    accelerator: nvidia-l4\n"
        "    sharing: {strategy: time-sharing, max_shared_clients_per_gpu: 4}",
    )
    assert group.node_selector == {
        "cloud.google.com/gke-accelerator": "nvidia-l4",
        "cloud.google.com/gke-gpu-sharing-strategy": "time-sharing",
        "cloud.google.com/gke-max-shared-clients-per-gpu": "4",
    }
    assert not group.host_ipc


def test_mps_shares_the_ipc_of_the_host(planned: Planned) -> None:
    plan = planned(
        """
        cluster: {}
        worker_groups:
        - name: workers
          gpu:
            accelerator: nvidia-l4
            sharing: {strategy: mps, max_shared_clients_per_gpu: 2}
        """
    )
    assert plan.worker_groups[0].host_ipc


def test_what_the_user_says_comes_on_top(planned: Planned) -> None:
    group = worker(
        planned,
        """\
  gpu: {accelerator: nvidia-tesla-a100}
  labels: {ray.io/accelerator-type: A100-40G, team: vision}
  node_selector: {topology.kubernetes.io/zone: us-central1-a}
  tolerations:
  - {key: dedicated, value: ray, effect: NoExecute, toleration_seconds: 60}
""",
    )
    assert group.labels["ray.io/accelerator-type"] == "A100-40G"
    assert group.labels["team"] == "vision"
    assert group.node_selector["topology.kubernetes.io/zone"] == "us-central1-a"
    assert group.tolerations[-1] == {
        "key": "dedicated",
        "operator": "Equal",
        "value": "ray",
        "effect": "NoExecute",
        "tolerationSeconds": 60,
    }


@pytest.mark.parametrize(
    ("ray", "version", "image"),
    [
        ("{}", "2.60.0", "rayproject/ray:2.60.0-py311"),
        ("{version: 2.53.1}", "2.53.1", "rayproject/ray:2.53.1-py311"),
        (
            "{image: 'rayproject/ray:2.59.0-py312'}",
            "2.59.0",
            "rayproject/ray:2.59.0-py312",
        ),
        (
            "{image: 'host:5000/a/ray:2.58.0@sha256:" + "a" * 64 + "'}",
            "2.58.0",
            "host:5000/a/ray:2.58.0@sha256:" + "a" * 64,
        ),
        ("{image: example/app, version: 2.55.0}", "2.55.0", "example/app"),
    ],
)
def test_version_and_image(
    planned: Planned, ray: str, version: str, image: str
) -> None:
    plan = planned(f"cluster: {{}}\nray: {ray}")
    assert (plan.ray_version, plan.image) == (version, image)
    assert plan.notes == ()


def test_a_gpu_anywhere_brings_the_gpu_image(planned: Planned) -> None:
    plan = planned(
        "cluster: {}\nworker_groups: [{name: a, gpu: {accelerator: nvidia-l4}}]"
    )
    assert plan.image == "rayproject/ray:2.60.0-py311-gpu"


def test_a_version_beside_another_in_the_tag_is_noted(planned: Planned) -> None:
    plan = planned(
        "cluster: {}\nray: {version: 2.60.0, image: 'rayproject/ray:2.59.0-py311'}"
    )
    assert plan.ray_version == "2.60.0"
    assert "2.59.0" in plan.notes[0]


def test_an_image_without_version_is_noted(planned: Planned) -> None:
    (note,) = planned("cluster: {}\nray: {image: 'example/app:latest'}").notes
    assert "2.60.0 is assumed" in note


def test_autoscaling_is_asked_by_any_elastic_group(planned: Planned) -> None:
    groups = "worker_groups: [{name: a}, {name: b, min_replicas: 0, max_replicas: 2}]"
    assert planned(f"cluster: {{}}\n{groups}").autoscaling
    assert not planned("cluster: {}\nworker_groups: [{name: a}]").autoscaling


@pytest.mark.parametrize(
    ("gpu", "key", "message", "hint"),
    [
        (
            "accelerator: nvidia-tesla-a100, partition: 4g.20gb",
            "partition",
            "4g.20gb",
            "its partitions are 1g.5gb, 2g.10gb, 3g.20gb, 7g.40gb",
        ),
        (
            "accelerator: nvidia-tesla-a100, partition: 1g.10gb",
            "partition",
            "1g.10gb",
            "its partitions are 1g.5gb, 2g.10gb, 3g.20gb, 7g.40gb",
        ),
        (
            "accelerator: nvidia-l4, partition: 1g.5gb",
            "partition",
            "nvidia-l4 has no MIG partitions",
            "leave partition out",
        ),
        (
            "accelerator: nvidia-tesla-t4, count: 8",
            "count",
            "no machine with nvidia-tesla-t4 gives one pod 8 GPUs",
            "use at most 4 for one pod, and more replicas",
        ),
        (
            """accelerator: nvidia-l4, count: 2, sharing:
            {strategy: time-sharing, max_shared_clients_per_gpu: 4}""",
            "count",
            "a pod on a time-shared GPU gets exactly one, not 2",
            "with more replicas, or leave sharing out",
        ),
    ],
)
def test_a_gpu_that_gke_does_not_have_is_refused(
    planned: Planned, gpu: str, key: str, message: str, hint: str
) -> None:
    spec = f"cluster: {{}}\nworker_groups:\n- name: a\n  cpu: 1\n  gpu: {{{gpu}}}"
    problem = refused(planned, spec)
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert problem.place is not None
    assert problem.place.key == f"spec.worker_groups[0].gpu.{key}"
    assert problem.place.line == 9


def test_an_unknown_accelerator_is_refused_with_the_nearest(planned: Planned) -> None:
    problem = refused(planned, "cluster: {}\nhead: {gpu: {accelerator: nvidia-a100}}")
    assert problem.message == "GKE has no accelerator nvidia-a100"
    assert problem.hint is not None
    assert problem.hint.startswith("did you mean nvidia-")


@pytest.mark.parametrize(
    ("group", "key"),
    [
        ("labels: {ray.io/cluster: x}", "labels.ray.io/cluster"),
        ("labels: {app.kubernetes.io/name: x}", "labels.app.kubernetes.io/name"),
        ("resources: {CPU: 1}", "resources.CPU"),
        ("resources: {gpu: 1}", "resources.gpu"),
        ("tolerations: [{value: a}]", "tolerations[0]"),
        (
            "tolerations: [{key: a, operator: Exists, value: b}]",
            "tolerations[0].value",
        ),
        (
            "tolerations: [{key: a, toleration_seconds: 1}]",
            "tolerations[0].toleration_seconds",
        ),
    ],
)
def test_what_kubernetes_or_kuberay_would_refuse(
    planned: Planned, group: str, key: str
) -> None:
    problem = refused(planned, f"cluster: {{}}\nhead: {{{group}}}")
    assert problem.place is not None
    assert problem.place.key == f"spec.head.{key}"
    assert problem.hint


def test_priority_needs_a_ray_that_has_it(planned: Planned) -> None:
    spec = (
        "cluster: {}\nray: {version: 2.55.0}\nworker_groups: [{name: a, priority: 1}]"
    )
    problem = refused(planned, spec)
    assert problem.message == "Ray 2.55.0 has no priority of worker groups"
    assert problem.hint == "use Ray 2.56.0 or later, or leave priority out"


def test_an_image_of_an_old_ray_is_refused(planned: Planned) -> None:
    problem = refused(planned, "cluster: {}\nray: {image: 'rayproject/ray:2.37.0'}")
    assert problem.message == "Ray 2.37.0 has no token authentication"
    assert problem.place is not None
    assert problem.place.key == "spec.ray.image"


def test_a_run_has_its_own_name(planned: Planned) -> None:
    plan = planned("cluster: {}", name="other")
    assert (plan.name, plan.blueprint) == ("other", "demo")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("cluster: {}", "a" * 54),
        ("job: {entrypoint: 'true'}", "a" * 48),
        ("cluster: {}", "Upper"),
        ("cluster: {}", "-a"),
    ],
)
def test_a_name_that_kuberay_would_refuse(
    planned: Planned, spec: str, name: str
) -> None:
    assert name in refused(planned, spec, name=name).message


def test_the_longest_names_pass(planned: Planned) -> None:
    assert planned("cluster: {}", name="a" * 53).name == "a" * 53
    assert planned("job: {entrypoint: 'true'}", name="a" * 47).name == "a" * 47
