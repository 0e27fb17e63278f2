"""From a plan to the Kubernetes objects that carry it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ray_gke import versions
from ray_gke.catalog.validation import in_order
from ray_gke.errors import InvalidError, Problem
from ray_gke.planning.plan import Plan
from ray_gke.rendering import (
    content_names,
    fault_text,
    feature_gates,
    go_quantities,
    image_references,
    kuberay_rules,
    network_rules,
    patches,
    pod_rules,
    schema_check,
)
from ray_gke.rendering import weaknesses as weakness_rules
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
    results = _checked(plan, kuberay_version, namespace, templates)
    objects_ = [go_quantities.written(one.object) for one in results]
    if registry := plan.image_registry:
        objects_ = [image_references.pulled(one, registry) for one in objects_]
    return content_names.named(objects_, plan)


def weaknesses(
    plan: Plan,
    *,
    kuberay_version: str,
    namespace: str | None = None,
    templates: Path | None = None,
) -> tuple[Problem, ...]:
    """Return what a plan weakens of the defaults, each once, in the files' order.

    The arguments are those of `render`, and it raises InvalidError as `render` does.
    """
    results = _checked(plan, kuberay_version, namespace, templates)
    return tuple(in_order(tuple(weakness_rules.weaknesses(plan, results))))


def _checked(
    plan: Plan, kuberay_version: str, namespace: str | None, templates: Path | None
) -> tuple[Patched, ...]:
    problems = tuple(_unsupported(plan, kuberay_version))
    if problems:
        raise InvalidError.of(problems)
    rendered = tuple(objects(plan, Templates(templates), namespace))
    results = patches.patched(rendered, plan)
    problems = tuple(_problems(results, plan, kuberay_version))
    if problems:
        raise InvalidError.of(problems)
    return results


def _unsupported(plan: Plan, kuberay_version: str) -> Iterator[Problem]:
    known = versions.KUBERAY_VERSIONS
    if kuberay_version not in known:
        hint = f"the supported versions are {', '.join(known)}"
        yield Problem(f"KubeRay {kuberay_version} is not supported", hint=hint)
        return
    for field, path, what, instead in _newer(plan):
        since = versions.KUBERAY_SINCE[field]
        gate = feature_gates.GATES.get(field.rpartition(".")[2])
        if gate and plan.day_two.managed_operator:
            yield Problem(
                f"GKE's own operator has no {what}: its feature gate {gate} is off",
                plan.places.get(("spec", *path)),
                f"set cluster.ray_operator to false, or {instead}",
            )
        elif versions.parsed(kuberay_version) < versions.parsed(since):
            yield Problem(
                f"KubeRay {kuberay_version} has no {what}",
                plan.places.get(("spec", *path)),
                f"use KubeRay {since} or later, or {instead}",
            )


def _newer(plan: Plan) -> Iterator[tuple[str, tuple[str | int, ...], str, str]]:
    """Yield what not every KubeRay has: its field, where it is asked for, its name.

    And what else to do.
    """
    for index, group in enumerate(plan.worker_groups):
        if group.priority is not None:
            priority = ("worker_groups", index, "priority")
            what = "priority of worker groups"
            yield "WorkerGroupSpec.priority", priority, what, "leave priority out"
    given = plan.day_two
    if given.auth.secret_name:
        secret, word = ("auth_options", "secret_name"), "token of your own"
        instead = "leave it out: the operator makes a Secret"
        yield "AuthOptions.secretName", secret, word, instead
    if given.tls and not given.tls.secret_name:
        instead = "name a Secret with ca.crt and ca.key in tls_options.secret_name"
        yield "RayClusterSpec.tlsOptions", ("tls_options",), "TLS of its own", instead
    if given.history_server:
        path = ("history_server_options",)
        field = "RayClusterSpec.historyServerOptions"
        yield field, path, "history server", "leave it out"


def _problems(
    results: Sequence[Patched], plan: Plan, kuberay_version: str
) -> Iterator[Problem]:
    wrong_rules = tuple(_network_rules(plan, kuberay_version))
    yield from wrong_rules
    keys = pod_rules.config_map_keys(one.object for one in results)
    for one in results:
        if wrong_rules and one.object["kind"] == "NetworkPolicy":
            continue
        faults = list(schema_check.faults(one.object, kuberay_version))
        for fault in faults or _broken_rules(one.object, plan, keys):
            place = patches.place(plan, one.patches, fault.path)
            yield Problem(fault_text.message(one.object, fault), place, fault.hint)


def _network_rules(plan: Plan, kuberay_version: str) -> Iterator[Problem]:
    """What the user wrote as Kubernetes' own rules, before it stands among ours."""
    given = plan.day_two.network_policy
    for key, field, rules in (
        ("ingress_rules", "ingress", given.ingress_rules),
        ("egress_rules", "egress", given.egress_rules),
    ):
        for index, rule in enumerate(rules):
            policy = {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": plan.name},
                "spec": {"podSelector": {}, field: [rule]},
            }
            place = plan.places.get(("spec", "network_policy", key, index))
            faults = list(schema_check.faults(policy, kuberay_version))
            for fault in faults or network_rules.faults(policy):
                inside = fault_text.field(fault.path[3:])
                yield Problem(f"{inside}: {fault.message}", place, fault.hint)


def _broken_rules(
    one: Manifest, plan: Plan, keys: Mapping[str, frozenset[str]]
) -> Iterator[Fault]:
    """The rules beyond the schemas, for an object that passed these."""
    yield from kuberay_rules.faults(one)
    yield from pod_rules.faults(one, keys)
    if one["kind"] == "NetworkPolicy":
        yield from network_rules.faults(one)
    yield from _direct_submission(one, plan)
    if plan.image_registry:
        yield from image_references.faults(one)
    if plan.day_two.logs.mode == "gke" or plan.day_two.log_collector:
        yield from pod_rules.collected_by_gke(one)


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
