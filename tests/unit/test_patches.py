from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ray_gke.errors import InvalidError, Problem
from ray_gke.planning.plan import Plan
from ray_gke.rendering.patches import merge
from ray_gke.rendering.render import render

Planned = Callable[..., Plan]


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    # RFC 7386, appendix A.
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


def patched(planned: Planned, patches: str, kuberay: str = "1.5.1") -> dict[str, Any]:
    plan = planned(f"job: {{entrypoint: 'true'}}\npatches:\n{patches}")
    return job(render(plan, kuberay_version=kuberay))


def job(objects: Sequence[dict[str, Any]]) -> dict[str, Any]:
    (one,) = (one for one in objects if one["kind"] == "RayJob")
    return one


def refused(planned: Planned, patches: str, kuberay: str = "1.5.1") -> Problem:
    with pytest.raises(InvalidError) as caught:
        patched(planned, patches, kuberay)
    (problem,) = caught.value.problems
    return problem


def test_a_patch_reaches_what_the_blueprint_does_not_model(planned: Planned) -> None:
    one = patched(
        planned,
        """\
- kind: RayJob
  patch: {spec: {rayClusterSpec: {headGroupSpec: {enableIngress: true}}}}
- kind: RayJob
  name: demo
  patch: {spec: {submitterConfig: null}}
""",
    )
    assert one["spec"]["rayClusterSpec"]["headGroupSpec"]["enableIngress"] is True
    assert "submitterConfig" not in one["spec"]
    assert one["spec"]["entrypoint"] == "true"


@pytest.mark.parametrize(
    ("patch", "message", "hint"),
    [
        (
            "{spec: {rayClusterSpec: {rayVersoin: '2.60.0'}}}",
            "RayJob/demo: spec.rayClusterSpec.rayVersoin: unknown field",
            "did you mean 'rayVersion'?",
        ),
        (
            "{spec: {backoffLimit: many}}",
            'RayJob/demo: spec.backoffLimit: "many" is not of type "integer"',
            None,
        ),
        (
            "{spec: {rayClusterSpec: {authOptions: {mode: password}}}}",
            (
                'RayJob/demo: spec.rayClusterSpec.authOptions.mode: "password" '
                "is not one of its values"
            ),
            "known are: disabled, token",
        ),
        (
            "{spec: {rayClusterSpec: null}}",
            "RayJob/demo: spec.rayClusterSpec: is required",
            "keep one of rayClusterSpec and clusterSelector",
        ),
        (
            "{spec: {shutdownAfterJobFinishes: false}}",
            "RayJob/demo: spec.ttlSecondsAfterFinished: needs shutdownAfterJobFinishes",
            "set shutdownAfterJobFinishes to true, or ttlSecondsAfterFinished to 0",
        ),
        (
            "{spec: {submissionMode: Http}}",
            "RayJob/demo: spec.submissionMode: Http is unknown",
            "its values are K8sJobMode, HTTPMode, SidecarMode, InteractiveMode",
        ),
        (
            "{metadata: {name: other}}",
            "a patch cannot change metadata.name",
            "leave it out of the patch",
        ),
        (
            "{kind: RayCluster}",
            "a patch cannot change kind",
            "leave it out of the patch",
        ),
        ("{metadata: {name: null}}", "a patch cannot change metadata.name", None),
    ],
)
def test_a_patch_that_breaks_the_object_is_refused(
    planned: Planned, patch: str, message: str, hint: str | None
) -> None:
    problem = refused(planned, f"- kind: RayJob\n  patch: {patch}")
    assert problem.message == message
    assert hint is None or problem.hint == hint
    assert problem.place is not None
    assert problem.place.line == 8


def test_the_place_is_that_of_the_key(planned: Planned) -> None:
    problem = refused(
        planned,
        """\
- kind: RayJob
  patch:
    spec:
      rayClusterSpec:
        headGroupSpec:
          template:
            spec:
              nodeSelecter: {a: b}
""",
    )
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (14, 17)
    assert problem.place.file == "demo/blueprint.yaml"
    assert problem.hint == "did you mean 'nodeSelector'?"


@pytest.mark.parametrize(
    ("patch", "key", "message", "hint"),
    [
        (
            "kind: RayJbo",
            "kind",
            "no RayJbo is rendered",
            "did you mean 'RayJob'?",
        ),
        (
            "kind: RayJob\n  name: demoo",
            "name",
            "no rendered RayJob is called demoo",
            "did you mean 'demo'?",
        ),
    ],
)
def test_a_patch_that_finds_nothing_is_refused(
    planned: Planned, patch: str, key: str, message: str, hint: str
) -> None:
    problem = refused(planned, f"- {patch}\n  patch: {{spec: {{}}}}")
    assert (problem.message, problem.hint) == (message, hint)
    assert problem.place is not None
    assert problem.place.key == f"spec.patches[0].{key}"


def test_a_field_of_a_younger_kuberay_is_told_as_such(planned: Planned) -> None:
    patch = "- kind: RayJob\n  patch: {spec: {preRunningDeadlineSeconds: 60}}"
    problem = refused(planned, patch, "1.5.1")
    assert problem.message == (
        "RayJob/demo: spec.preRunningDeadlineSeconds: "
        "KubeRay 1.5.1 does not have this field"
    )
    assert problem.hint == "use KubeRay 1.6.2 or later, or leave it out"
    assert patched(planned, patch, "1.6.2")["spec"]["preRunningDeadlineSeconds"] == 60


def test_http_mode_wants_the_plain_command(planned: Planned) -> None:
    spec = """
    job: {entrypoint: echo a; echo b}
    patches:
    - {kind: RayJob, patch: {spec: {submissionMode: HTTPMode%s}}}
    """
    with pytest.raises(InvalidError, match="quoted for the shell"):
        render(planned(spec % ""), kuberay_version="1.5.1")
    plain = planned(spec % ", entrypoint: echo a; echo b")
    one = job(render(plain, kuberay_version="1.5.1"))
    assert one["spec"]["entrypoint"] == "echo a; echo b"


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("headGroupSpec: {resources: {CPU: '1'}}", "headGroupSpec.resources: cannot"),
        ("headGroupSpec: {rayStartParams: {labels: a=b}}", "labels: is not supported"),
        ("rayVersion: '2.51.0'", "rayVersion: token authentication needs Ray 2.52.0"),
        ("rayVersion: nightly", "rayVersion: token authentication needs Ray 2.52.0"),
        (
            "headGroupSpec: {template: {spec: {containers: []}}}",
            "containers: needs at least one",
        ),
        (
            (
                "headGroupSpec: {template: {spec: {containers: "
                "[{name: r, ports: [{name: serve, containerPort: 8000}]}]}}}"
            ),
            "ports: has no port called dashboard",
        ),
        (
            "workerGroupSpecs: [{groupName: a, minReplicas: 0, template: {}}]",
            "maxReplicas: is required",
        ),
        (
            """workerGroupSpecs: [{groupName: a, minReplicas: 2, maxReplicas: 1,
            template: {spec: {containers: [{name: ray-worker}]}}}]""",
            "workerGroupSpecs[0].minReplicas: is more than maxReplicas",
        ),
        (
            "headGroupSpec: {template: {spec: {restartPolicy: Sometimes}}}",
            '"Sometimes" is not one of its values',
        ),
        (
            (
                "headGroupSpec: {template: {spec: {volumes: [{name: v, emptyDir: "
                "{sizeLimit: 5GiB}}]}}}"
            ),
            '"5GiB" does not match',
        ),
    ],
)
def test_the_operator_s_own_rules(planned: Planned, patch: str, message: str) -> None:
    problem = refused(
        planned, f"- kind: RayJob\n  patch: {{spec: {{rayClusterSpec: {{{patch}}}}}}}"
    )
    assert message in problem.message
    assert problem.place is not None
    assert problem.place.line == 8


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            "{ttlSecondsAfterFinished: -1}",
            "ttlSecondsAfterFinished: must be at least 0",
        ),
        (
            (
                "{shutdownAfterJobFinishes: false, ttlSecondsAfterFinished: 0, "
                "suspend: true}"
            ),
            "suspend: needs",
        ),
        (
            (
                "{deletionStrategy: {deletionRules: [{policy: DeleteSelf, condition: "
                "{jobStatus: FAILED}}]}}"
            ),
            "deletionRules: cannot stand beside shutdownAfterJobFinishes",
        ),
        (
            "{submissionMode: InteractiveMode, backoffLimit: 1}",
            "backoffLimit: must be 0 with InteractiveMode",
        ),
        (
            "{submissionMode: SidecarMode, submitterConfig: null}",
            "submitterPodTemplate: cannot stand beside SidecarMode",
        ),
        ("{activeDeadlineSeconds: 0}", "activeDeadlineSeconds: must be at least 1"),
        ("{backoffLimit: -1}", "backoffLimit: must be at least 0"),
        ("{runtimeEnvYAML: '['}", "runtimeEnvYAML: must be the text of a YAML mapping"),
        ("{backoffLimit: 3000000000}", "backoffLimit: 3000000000 is greater than"),
    ],
)
def test_the_operator_s_rules_for_jobs(
    planned: Planned, patch: str, message: str
) -> None:
    problem = refused(planned, f"- kind: RayJob\n  patch: {{spec: {patch}}}")
    assert message in problem.message


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("{upgradeStrategy: {type: Rolling}}", "type: Rolling is unknown"),
        (
            "{upgradeStrategy: {type: NewClusterWithIncrementalUpgrade}}",
            "clusterUpgradeOptions: is required",
        ),
        (
            "{rayClusterConfig: {headGroupSpec: {headService: {metadata: {name: a}}}}}",
            "headService.metadata.name: must not be set",
        ),
        ("{serveConfigV2: 'a: ['}", "serveConfigV2: must be the text of a YAML"),
        ("{suspend: true}", "suspend: KubeRay 1.5.1 does not have this field"),
    ],
)
def test_the_operator_s_rules_for_services(
    planned: Planned, patch: str, message: str
) -> None:
    plan = planned(
        "service: {serve_config: serve.yaml}\n"
        "worker_groups: [{name: a, min_replicas: 0, max_replicas: 2}]\n"
        f"patches: [{{kind: RayService, patch: {{spec: {patch}}}}}]",
        files={
            "serve.yaml": b"applications: [{name: a, import_path: 'app:app'}]\n",
            "app.py": b"app = None\n",
        },
    )
    with pytest.raises(InvalidError) as caught:
        render(plan, kuberay_version="1.5.1")
    assert message in caught.value.problems[0].message


def test_workers_are_never_restarted_beside_autoscaler_v2(planned: Planned) -> None:
    plan = planned(
        """
        cluster: {}
        worker_groups: [{name: a, min_replicas: 0, max_replicas: 2}]
        patches:
        - kind: RayCluster
          patch:
            spec: {headGroupSpec: {template: {spec: {restartPolicy: Always}}}}
        """
    )
    with pytest.raises(InvalidError, match="must be Never with autoscaler v2"):
        render(plan, kuberay_version="1.5.1")


AUTOSCALER = "enableInTreeAutoscaling: true, headGroupSpec: {template: {spec: {%s}}}"
WITH_TOKEN = AUTOSCALER % "automountServiceAccountToken: true"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            f"{{{WITH_TOKEN}}}",
            "autoscalerOptions.version: must be v2 with enableInTreeAutoscaling",
        ),
        (
            f"{{{WITH_TOKEN}, autoscalerOptions: {{version: v1}}}}",
            "autoscalerOptions.version: must be v2 with enableInTreeAutoscaling",
        ),
        (
            "{autoscalerOptions: {version: v2}, "
            + AUTOSCALER
            % "automountServiceAccountToken: true, restartPolicy: OnFailure"
            + "}",
            "restartPolicy: must be Never with autoscaler v2",
        ),
        (
            "{enableInTreeAutoscaling: true, autoscalerOptions: {version: v2}}",
            "autoscalerOptions.volumeMounts: the autoscaler gets no token",
        ),
        ("{workerGroupSpecs: null}", "workerGroupSpecs: is required"),
    ],
)
def test_traps_that_the_operator_accepts(
    planned: Planned, spec: str, message: str
) -> None:
    problem = refused(
        planned, f"- kind: RayJob\n  patch: {{spec: {{rayClusterSpec: {spec}}}}}"
    )
    assert message in problem.message
    assert problem.place is not None
    assert problem.hint


def test_the_autoscaler_can_be_patched_in(planned: Planned) -> None:
    one = patched(
        planned,
        """\
- kind: RayJob
  patch:
    spec:
      rayClusterSpec:
        enableInTreeAutoscaling: true
        autoscalerOptions: {version: v2}
        headGroupSpec: {template: {spec: {automountServiceAccountToken: true}}}
""",
    )
    assert one["spec"]["rayClusterSpec"]["enableInTreeAutoscaling"] is True


HEAD = "rayClusterSpec: {headGroupSpec: {%s}}"
FIRST = HEAD % "template: {spec: {containers: [{%s}]}}"
WORKER = (
    "rayClusterSpec: {workerGroupSpecs: [{groupName: %s, minReplicas: 0, "
    "maxReplicas: 1, template: {spec: {containers: [{name: ray-worker}]}}}]}"
)
PORT = "name: ray-head, ports: [{name: dashboard, containerPort: 8265}, %s]"


@pytest.mark.parametrize(
    ("patch", "message", "hint"),
    [
        (
            HEAD % "template: {metadata: {labels: {team: a b}}}",
            'metadata.labels.team: Kubernetes refuses the value "a b"',
            "at most 63 of A-Z",
        ),
        (
            HEAD % f"template: {{metadata: {{labels: {{team: {'a' * 64}}}}}}}",
            "labels.team: Kubernetes refuses the value",
            "at most 63",
        ),
        (
            HEAD % "template: {metadata: {labels: {my team: a}}}",
            "metadata.labels.my team: Kubernetes refuses this key",
            "an optional PREFIX/",
        ),
        (
            HEAD % "labels: {Example.com/team: a}",
            "headGroupSpec.labels.Example.com/team: Kubernetes refuses this key",
            "an optional PREFIX/",
        ),
        (
            HEAD % "template: {spec: {nodeSelector: {zone: a/b}}}",
            'nodeSelector.zone: Kubernetes refuses the value "a/b"',
            "at most 63",
        ),
        (
            FIRST % "name: Ray_Head",
            'containers[0].name: Kubernetes refuses the name "Ray_Head"',
            "at most 63 of a-z",
        ),
        (
            FIRST % (PORT % "{name: sixteen-letters-, containerPort: 1}"),
            'ports[1].name: Kubernetes refuses the name "sixteen-letters-"',
            "at most 15 of a-z",
        ),
        (
            FIRST % (PORT % "{name: Metrics, containerPort: 1}"),
            'ports[1].name: Kubernetes refuses the name "Metrics"',
            "at most 15 of a-z",
        ),
        (
            HEAD % "headService: {metadata: {name: My_Service}}",
            'headService.metadata.name: Kubernetes refuses the name "My_Service"',
            "at most 253 of a-z",
        ),
        (
            HEAD % "template: {spec: {volumes: [{name: a.b, emptyDir: {}}]}}",
            'volumes[0].name: Kubernetes refuses the name "a.b"',
            "at most 63 of a-z",
        ),
        (
            WORKER % "GPU_workers",
            'groupName: Kubernetes refuses the name "GPU_workers"',
            "at most 63 of a-z",
        ),
    ],
)
def test_names_that_kubernetes_refuses(
    planned: Planned, patch: str, message: str, hint: str
) -> None:
    problem = refused(planned, f"- kind: RayJob\n  patch: {{spec: {{{patch}}}}}")
    assert message in problem.message
    assert problem.hint is not None
    assert hint in problem.hint
    assert problem.place is not None
    assert problem.place.line == 8


@pytest.mark.parametrize(
    "patch",
    [
        HEAD % "template: {metadata: {labels: {team: '', example.com/Team: A_b.c-1}}}",
        HEAD % f"template: {{metadata: {{labels: {{{'a' * 63}: {'a' * 63}}}}}}}",
        HEAD % f"template: {{metadata: {{name: {'a' * 253}}}}}",
        HEAD % f"template: {{metadata: {{name: {'a.' * 126}a}}}}",
        HEAD % "template: {spec: {nodeSelector: {cloud.google.com/gke-spot: 'true'}}}",
        FIRST % (PORT % "{name: fifteen-letters, containerPort: 1}"),
        WORKER % "1-gpu",
    ],
)
def test_names_that_kubernetes_takes(planned: Planned, patch: str) -> None:
    assert patched(planned, f"- kind: RayJob\n  patch: {{spec: {{{patch}}}}}")


def test_a_key_of_a_config_map_is_a_file_name(planned: Planned) -> None:
    plan = planned(
        "cluster: {}\npatches: [{kind: ConfigMap, patch: {data: {a/b: c}}}]",
        files={"a.py": b""},
    )
    with pytest.raises(InvalidError, match=r"data\.a/b: Kubernetes refuses this key"):
        render(plan, kuberay_version="1.5.1")
