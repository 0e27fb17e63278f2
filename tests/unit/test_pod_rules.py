from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from ray_gke.errors import InvalidError
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render

Planned = Callable[..., Plan]

FILES = {"a.py": b"print(1)"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "patches.md"
EXAMPLES = re.findall(
    r"^```yaml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL
)
BLUEPRINT = "{name: blueprint, configMap: {name: demo-files%s}}"


def of_the_head(patch: str) -> str:
    return f"""
    - kind: RayCluster
      patch: {{spec: {{headGroupSpec: {{template: {{spec: {{{patch}}}}}}}}}}}
    """


def plan_of(planned: Planned, patches: str) -> Plan:
    text = textwrap.dedent(patches).strip()
    spec = f"logs: {{mode: none}}\ncluster: {{}}\npatches:\n{text}\n"
    return planned(spec, files=FILES)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            "volumes: [{name: scratch, emptyDir: {}}]",
            "containers[0].volumeMounts[0].name: no volume of the pod is called bluep",
        ),
        ("volumes: null", "no volume of the pod is called blueprint"),
        (
            "initContainers: [{name: a, volumeMounts: [{name: x, mountPath: /x}]}]",
            "initContainers[0].volumeMounts[0].name: no volume of the pod is called x",
        ),
        (
            f"volumes: [{BLUEPRINT % ', items: [{key: a.yp, path: a.py}]'}]",
            "configMap.items[0].key: ConfigMap demo-files has no key a.yp",
        ),
        (
            (
                f"volumes: [{BLUEPRINT % ''}, {{name: p, projected: {{sources: [{{"
                "configMap: {name: demo-files, items: [{key: b.py, path: b}]}}]}}]"
            ),
            "volumes[1].projected.sources[0].configMap.items[0].key: ConfigMap demo-",
        ),
        (
            "initContainers: [{name: ray-head}]",
            "containers[0].name: another container of the pod is called ray-head too",
        ),
        (
            f"volumes: [{BLUEPRINT % ''}, {{name: blueprint, emptyDir: {{}}}}]",
            "volumes[1].name: another volume of the pod is called blueprint too",
        ),
    ],
)
def test_a_pod_that_kubernetes_would_refuse(
    planned: Planned, patch: str, message: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        render(plan_of(planned, of_the_head(patch)), kuberay_version="1.5.1")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.place is not None
    assert problem.place.line == 9


@pytest.mark.parametrize(
    "patch",
    [
        f"volumes: [{BLUEPRINT % ''}, {{name: scratch, emptyDir: {{}}}}]",
        f"volumes: [{BLUEPRINT % ', optional: true, items: [{key: b, path: b}]'}]",
        (
            f"volumes: [{BLUEPRINT % ''}, {{name: theirs, configMap: "
            "{name: theirs, items: [{key: a, path: a}]}}]"
        ),
        "initContainers: [{name: a, volumeMounts: [{name: shared-mem, mountPath: /}]}]",
    ],
)
def test_a_pod_that_kubernetes_takes(planned: Planned, patch: str) -> None:
    assert render(plan_of(planned, of_the_head(patch)), kuberay_version="1.5.1")


def test_a_key_taken_from_the_config_map_is_missed(planned: Planned) -> None:
    plan = plan_of(planned, "- {kind: ConfigMap, patch: {data: {a.py: null}}}")
    with pytest.raises(InvalidError, match=r"RayCluster/demo: .* has no key a\.py"):
        render(plan, kuberay_version="1.5.1")


TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.mark.parametrize("name", ["ray-logs", "certificates"])
def test_the_autoscaler_mounts_volumes_of_the_head(planned: Planned, name: str) -> None:
    plan = planned(
        f"""
        cluster: {{}}
        worker_groups: [{{name: a, min_replicas: 0, max_replicas: 2}}]
        patches:
        - kind: RayCluster
          patch:
            spec: {{autoscalerOptions: {{volumeMounts: [
              {{name: {name}, mountPath: /c}},
              {{name: autoscaler-token, mountPath: {TOKEN}}}]}}}}
        """
    )
    if name == "ray-logs":
        assert render(plan, kuberay_version="1.5.1")
        return
    with pytest.raises(InvalidError, match=r"autoscalerOptions\.volumeMounts\[0\]"):
        render(plan, kuberay_version="1.5.1")


def test_the_submitter_is_a_pod_too(planned: Planned) -> None:
    plan = planned(
        """
        job: {entrypoint: python a.py}
        patches:
        - kind: RayJob
          patch:
            spec: {submitterPodTemplate: {spec: {initContainers: [
              {name: a}, {name: a}]}}}
        """,
        files=FILES,
    )
    with pytest.raises(InvalidError, match=r"submitterPodTemplate.*another container"):
        render(plan, kuberay_version="1.5.1")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_document_render(planned: Planned, example: str) -> None:
    spec = textwrap.dedent(example.removeprefix("spec:\n"))
    plan = planned(f"job: {{entrypoint: python a.py}}\n{spec}", files=FILES)
    assert plan.patches
    assert render(plan, kuberay_version="1.5.1")


def test_the_document_has_examples() -> None:
    assert EXAMPLES
