"""From a plan to the Kubernetes objects that carry it out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ray_gke import versions
from ray_gke.errors import InvalidError, Place, Problem
from ray_gke.planning.plan import Plan
from ray_gke.rendering import kuberay_rules, patches, schema_check
from ray_gke.rendering.entrypoints import PLACEHOLDER, entrypoint
from ray_gke.rendering.objects import objects
from ray_gke.rendering.patches import Patched
from ray_gke.rendering.schema_check import Fault
from ray_gke.rendering.templates import Manifest, Templates


def render(
    plan: Plan,
    *,
    kuberay_version: str,
    namespace: str | None = None,
    templates: Path | None = None,
) -> tuple[Manifest, ...]:
    """Return the objects of a plan in the order in which they are applied.

    They are patched and checked. `templates` is a folder whose templates are used
    instead of ours of the same name. Raises InvalidError with everything that
    Kubernetes or KubeRay would refuse.
    """
    problems = tuple(_unsupported(plan, kuberay_version))
    if problems:
        raise InvalidError.of(problems)
    rendered = tuple(objects(plan, Templates(templates), namespace))
    results = patches.patched(rendered, plan)
    problems = tuple(
        problem for one in results for problem in _check(one, plan, kuberay_version)
    )
    if problems:
        raise InvalidError.of(problems)
    return tuple(one.object for one in results)


def _unsupported(plan: Plan, kuberay_version: str) -> Iterator[Problem]:
    known = versions.KUBERAY_VERSIONS
    if kuberay_version not in known:
        hint = f"the supported versions are {', '.join(known)}"
        yield Problem(f"KubeRay {kuberay_version} is not supported", hint=hint)
        return
    since = versions.KUBERAY_SINCE["WorkerGroupSpec.priority"]
    if versions.parsed(kuberay_version) >= versions.parsed(since):
        return
    for index, group in enumerate(plan.worker_groups):
        if group.priority is not None:
            yield Problem(
                f"KubeRay {kuberay_version} has no priority of worker groups",
                plan.places.get(("spec", "worker_groups", index, "priority")),
                f"use KubeRay {since} or later, or leave priority out",
            )


def _check(one: Patched, plan: Plan, kuberay_version: str) -> Iterator[Problem]:
    faults = list(schema_check.faults(one.object, kuberay_version))
    if not faults:
        faults = [*kuberay_rules.faults(one.object), *_direct_submission(one, plan)]
    for fault in faults:
        yield Problem(_message(one.object, fault), _place(one, plan, fault), fault.hint)


def _direct_submission(one: Patched, plan: Plan) -> Iterator[Fault]:
    """Without a submitter there is no shell that would undo our quoting."""
    spec = one.object.get("spec", {})
    if plan.kind != "job" or spec.get("submissionMode") != "HTTPMode":
        return
    plain = plan.workload.entrypoint
    quoted = spec.get("entrypoint") == entrypoint(plain) != plain
    for key, is_quoted in (
        ("entrypoint", quoted),
        ("runtimeEnvYAML", PLACEHOLDER in spec.get("runtimeEnvYAML", "")),
    ):
        if is_quoted:
            yield Fault(
                ("spec", "submissionMode"),
                f"{key} is quoted for the shell of K8sJobMode's submitter",
                f"patch spec.{key} to what Ray should get as well",
            )


def _message(one: Manifest, fault: Fault) -> str:
    name = one.get("metadata", {}).get("name", "?")
    return f"{one.get('kind', '?')}/{name}: {_text(fault.path)}: {fault.message}"


def _text(path: tuple[str | int, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".") or "object"


def _place(one: Patched, plan: Plan, fault: Fault) -> Place | None:
    return patches.place(plan, one.patches, fault.path)
