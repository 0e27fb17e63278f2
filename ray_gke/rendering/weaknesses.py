"""What of logs, metrics, eviction and security a blueprint weakens, and how.

Nothing of it is an error: whoever does it may have a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ray_gke.errors import Place, Problem
from ray_gke.planning.plan import Plan
from ray_gke.rendering import exposure, fault_text, patches, pod_weaknesses
from ray_gke.rendering.kuberay_rules import ray_cluster
from ray_gke.rendering.patches import Patched
from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest

_OPEN = {
    "none": "any pod may reach Ray's ports, and the run's pods reach any address",
    "DenyAllIngress": "the run's pods reach any address",
    "DenyAllEgress": "any pod may reach Ray's ports",
}
_KEY = (
    "the authority's key is in every pod, for the init container that signs: whoever "
    "gets it can pass for any pod of whoever else trusts it"
)
_UNCOLLECTED = (
    "nobody collects the log files: this platform does not turn on the collector of "
    "GKE's Ray operator add-on"
)
_UNCOLLECTED_HINT = (
    "use sidecar, or logs: {mode: gke} with cluster: {ray_operator: true} in the "
    "platform file for target gke"
)
_KEY_HINT = (
    "leave it out with KubeRay 1.7 and cert-manager, or use an authority for this run "
    "alone"
)


def weaknesses(plan: Plan, results: Sequence[Patched]) -> Iterator[Problem]:
    """Yield what is weaker than by default, in objects that passed all checks.

    `results` are all objects of the plan. Places are those of the patch, or of the
    blueprint's field, that did it; what a catalog's own templates do has none.
    """
    for path, message, hint in _decided(plan):
        yield Problem(message, plan.places.get(path), hint)
    for one in results:
        for fault in _of_object(one, plan):
            yield _problem(fault, one, plan)


def _problem(fault: Fault, one: Patched, plan: Plan) -> Problem:
    place = _patch(plan, one, fault.path)
    said = None if place else _said(plan, one.object, fault.path)
    message = fault.message if said else fault_text.message(one.object, fault)
    return Problem(message, place or said, fault.hint)


def _patch(plan: Plan, one: Patched, path: Path) -> Place | None:
    """Return where a patch made the field what it is, or None where none did."""
    for number in reversed(one.patches):
        if _touches(plan.patches[number].patch, path):
            return patches.place(plan, (number,), path)
    return None


def _touches(patch: object, path: Path) -> bool:
    """Tell whether a merge patch sets or removes a field, or a list around it."""
    in_list = False
    for step in path:
        if isinstance(patch, Mapping):
            if step not in patch:
                return in_list
            patch = patch[str(step)]
        elif isinstance(patch, list):
            in_list = True
            patch = patch[int(step)]
        else:
            return True
    return True


def _said(plan: Plan, one: Manifest, path: Path) -> Place | None:
    """Return where the blueprint says what stands at `path` of the Ray object."""
    if "env" in path:
        return _variable(plan, one, path)
    fields: dict[str | int, Path] = {
        "historyServerOptions": ("history_server_options",),
        "tolerations": ("head", "tolerations"),
        "nodeSelector": ("head", "node_selector"),
        "hostIPC": ("head", "gpu"),
    }
    if plan.day_two.auth.mode != "token":
        fields["authOptions"] = ("auth_options", "mode")
    if "workerGroupSpecs" in path:
        index = path[path.index("workerGroupSpecs") + 1]
        fields = {"hostIPC": ("worker_groups", index, "gpu")}
    found = (plan.places.get(("spec", *fields[s])) for s in path if s in fields)
    return next(found, None)


def _variable(plan: Plan, one: Manifest, path: Path) -> Place | None:
    """Return where the blueprint gives a variable to all containers of Ray."""
    variable: Any = one
    for step in path[: path.index("env") + 2]:
        variable = variable[step]
    return plan.places.get(("spec", "env", variable["name"]))


def _of_object(one: Patched, plan: Plan) -> Iterator[Fault]:
    def is_patched(path: Path) -> bool:
        return _patch(plan, one, path) is not None

    yield from _authentication(one.object)
    yield from exposure.faults(one.object, plan, is_patched)
    yield from pod_weaknesses.faults(one.object, plan)


def _authentication(one: Manifest) -> Iterator[Fault]:
    path, cluster = ray_cluster(one)
    if cluster and cluster.get("authOptions", {}).get("mode") != "token":
        yield Fault(
            (*path, "authOptions", "mode"),
            "whoever reaches the dashboard or Ray's other ports runs code without a "
            "token",
            "set it to token",
        )


def _decided(plan: Plan) -> Iterator[tuple[Path, str, str]]:
    """Yield what the blueprint's own fields weaken: which one, what, and the hint."""
    given = plan.day_two
    if given.logs.mode == "none":
        message = "Ray's log files stay in their pods, and end with them"
        yield ("spec", "logs", "mode"), message, "use sidecar, or gke with its add-on"
    if given.logs.mode == "gke" and given.log_collector is False:
        yield ("spec", "logs", "mode"), _UNCOLLECTED, _UNCOLLECTED_HINT
    if given.metrics.mode == "none" and given.metrics.asked:
        hint = "use PodMonitoring or PodMonitor, or leave it out"
        yield ("spec", "metrics", "mode"), "nothing reads Ray's metrics", hint
    if given.tls and given.tls.secret_name:
        yield ("spec", "tls_options", "secret_name"), _KEY, _KEY_HINT
    yield from _network_policy(plan)


def _network_policy(plan: Plan) -> Iterator[tuple[Path, str, str]]:
    given, path = plan.day_two.network_policy, ("spec", "network_policy")
    if given.mode in _OPEN:
        hint = "use DenyAll, and add what is needed as ingress_rules and egress_rules"
        yield (*path, "mode"), _OPEN[given.mode], hint
    for index, rule in enumerate(given.ingress_rules):
        if message := exposure.opened(rule):
            yield (*path, "ingress_rules", index), message, exposure.INGRESS_HINT
    for index, rule in enumerate(given.egress_rules):
        if message := exposure.unbounded(rule):
            yield (*path, "egress_rules", index), message, exposure.EGRESS_HINT
