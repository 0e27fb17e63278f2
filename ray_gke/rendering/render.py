"""From a plan to the Kubernetes objects that carry it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ray_gke import versions
from ray_gke.errors import InvalidError, Problem
from ray_gke.planning.plan import Plan
from ray_gke.rendering import (
    content_names,
    kuberay_rules,
    patches,
    pod_rules,
    schema_check,
)
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
    problems = tuple(_problems(results, plan, kuberay_version))
    if problems:
        raise InvalidError.of(problems)
    return content_names.named([one.object for one in results], plan)


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


def _problems(
    results: Sequence[Patched], plan: Plan, kuberay_version: str
) -> Iterator[Problem]:
    keys = pod_rules.config_map_keys(one.object for one in results)
    for one in results:
        faults = list(schema_check.faults(one.object, kuberay_version))
        for fault in faults or _broken_rules(one.object, plan, keys):
            place = patches.place(plan, one.patches, fault.path)
            yield Problem(_message(one.object, fault), place, fault.hint)


def _broken_rules(
    one: Manifest, plan: Plan, keys: Mapping[str, frozenset[str]]
) -> Iterator[Fault]:
    """The rules beyond the schemas, for an object that passed these."""
    yield from kuberay_rules.faults(one)
    yield from pod_rules.faults(one, kuberay_rules.CLUSTER_KEY.get(one["kind"]), keys)
    yield from _direct_submission(one, plan)


def _direct_submission(one: Manifest, plan: Plan) -> Iterator[Fault]:
    """Without a submitter there is no shell that would undo our quoting."""
    spec = one.get("spec", {})
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
