"""What `validate` warns of: one small blueprint for each weakness."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from ray_gke.errors import Problem
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import weaknesses
from tests.weak_blueprints import CLUSTER, FIRST_LINE, JOB, STRONG, WEAKNESSES, group

Planned = Callable[..., Plan]

ROOT = Path(__file__).parents[2]
FILES = {
    "a.py": b"print(1)",
    "serve.yaml": b"applications: [{name: a, import_path: 'a:app'}]",
}


def told(planned: Planned, spec: str, kuberay: str = "1.5.1") -> tuple[Problem, ...]:
    return weaknesses(planned(spec, files=FILES), kuberay_version=kuberay)


@pytest.mark.parametrize("name", WEAKNESSES)
def test_a_weakness_is_told_at_its_line(planned: Planned, name: str) -> None:
    weak = WEAKNESSES[name]
    warnings = told(planned, weak.spec, weak.kuberay)
    found = [one for one in warnings if weak.message in one.message]
    assert len(found) == 1, warnings
    place, hint = found[0].place, found[0].hint
    assert place is not None
    assert (place.file, place.line) == ("demo/blueprint.yaml", FIRST_LINE + weak.line)
    assert place.key is not None
    assert place.key.startswith(weak.key)
    assert weak.hint in (hint or "")
    # What else is told, if anything, follows from the same line.
    assert {one.place.line for one in warnings if one.place} == {place.line}
    assert all(one.place for one in warnings)


# An init container in its place brings several; the others are one mistake, one line.
SEVERAL = {"init-container"}


@pytest.mark.parametrize("name", sorted(WEAKNESSES.keys() - SEVERAL))
def test_a_weakness_is_told_once(planned: Planned, name: str) -> None:
    weak = WEAKNESSES[name]
    assert len(told(planned, weak.spec, weak.kuberay)) == 1


@pytest.mark.parametrize("name", STRONG)
def test_nothing_is_told_of_what_is_as_strong(planned: Planned, name: str) -> None:
    assert told(planned, STRONG[name]) == ()


@pytest.mark.parametrize("kuberay", ["1.5.1", "1.6.2", "1.7.0"])
@pytest.mark.parametrize(
    "file",
    sorted((ROOT / "blueprints").glob("*/blueprint.yaml")),
    ids=lambda file: file.parent.name,
)
def test_nothing_is_told_of_the_catalog(file: Path, kuberay: str) -> None:
    from ray_gke.validation import validate

    (finding,) = validate([file], kuberay)
    assert finding.error is None
    assert finding.warnings == ()


def test_a_patch_is_not_blamed_for_what_a_field_does(planned: Planned) -> None:
    (warning,) = told(
        planned,
        f"{CLUSTER}\nauth_options: {{mode: disabled}}\n"
        "patches: [{kind: RayCluster, patch: {spec: {suspend: true}}}]",
    )
    assert warning.place is not None
    assert (warning.place.line, warning.place.key) == (6, "spec.auth_options.mode")


def test_the_last_patch_is_blamed(planned: Planned) -> None:
    spec = f"""
    {CLUSTER}
    patches:
      - kind: RayCluster
        patch: {{spec: {{headGroupSpec: {{serviceType: NodePort}}}}}}
      - kind: RayCluster
        patch:
          spec:
            headGroupSpec:
              serviceType: LoadBalancer
    """
    (warning,) = told(planned, textwrap.dedent(spec).strip())
    assert warning.place is not None
    assert warning.place.line == 13
    assert "LoadBalancer" in warning.message


def test_workers_are_looked_at_too(planned: Planned) -> None:
    workers = (
        "{groupName: w, minReplicas: 1, maxReplicas: 1, replicas: 1, rayStartParams: "
        "{}, template: {spec: {hostPID: true, automountServiceAccountToken: true, "
        "containers: [{name: ray-worker, image: rayproject/ray:2.60.0-py311}]}}}"
    )
    warnings = told(
        planned,
        f"{CLUSTER}\n{group()}\npatches: [{{kind: RayCluster, patch: "
        f"{{spec: {{workerGroupSpecs: [{workers}]}}}}}}]",
    )
    lines = {one.place.line for one in warnings if one.place}
    assert lines == {7}
    assert [
        sum(text in one.message for one in warnings)
        for text in (
            "spec.workerGroupSpecs[0].template.spec.hostPID: the pod shares",
            "template.spec.securityContext.runAsNonRoot: runAsNonRoot is not true",
            "template.spec.securityContext.seccompProfile: seccompProfile is not",
            "containers[0].securityContext.allowPrivilegeEscalation: allowPriv",
            "containers[0].securityContext.capabilities.drop: capabilities do not",
            "the worker gets a token of Kubernetes",
            "the worker runs as the service account default",
            "no NetworkPolicy selects the worker",
            "a node with such a worker is never removed",
            "Fluent Bit does not run in the worker",
        )
    ] == [1] * 10
    assert len(warnings) == 10


def test_the_head_s_own_selector_is_looked_at(planned: Planned) -> None:
    (warning,) = told(
        planned,
        f"{CLUSTER}\nhead: {{node_selector: {{cloud.google.com/gke-spot: 'true'}}}}",
    )
    assert "Google takes such nodes back" in warning.message


def test_templates_of_a_catalog_are_looked_at_too(
    planned: Planned, tmp_path: Path
) -> None:
    own = (ROOT / "templates" / "service-account.yaml.j2").read_text()
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "service-account.yaml.j2").write_text(own.replace("false", "true"))
    (warning,) = weaknesses(planned(CLUSTER), kuberay_version="1.5.1", templates=folder)
    assert warning.place is None
    assert warning.message.startswith("ServiceAccount/demo: automountService")


def test_a_service_of_a_catalog_s_templates(planned: Planned, tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "files-config-map.yaml.j2").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {{ metadata | inline }}\n"
        "spec: {type: NodePort, ports: [{port: 8265}]}\n"
    )
    (warning,) = weaknesses(
        planned(JOB, files=FILES), kuberay_version="1.5.1", templates=folder
    )
    assert warning.message == (
        "Service/demo-files: spec.type: NodePort opens it outside of the cluster"
    )
