"""KubeRay's own rules, which a schema cannot say and a patch can break.

The operator would accept such an object and then only write an event. Source: KubeRay
controllers/ray/utils/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ray_gke import versions
from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest

_SUBMISSION_MODES = ("K8sJobMode", "HTTPMode", "SidecarMode", "InteractiveMode")
_UPGRADES = ("NewCluster", "None", "NewClusterWithIncrementalUpgrade")
_RESOURCE_PARAMS = ("num-cpus", "num-gpus", "memory", "resources")
CLUSTER_KEY: Mapping[str, tuple[str, ...]] = {
    "RayCluster": ("spec",),
    "RayJob": ("spec", "rayClusterSpec"),
    "RayService": ("spec", "rayClusterConfig"),
}
"""Where the Ray cluster stands in an object, by kind."""


def ray_cluster(one: Manifest) -> tuple[Path, Manifest]:
    """Return the Ray cluster in an object and where it stands; nothing without one."""
    path: Path = CLUSTER_KEY.get(str(one.get("kind")), ())
    found: Any = one if path else {}
    for step in path:
        found = found.get(step) or {}
    return path, found


def groups(cluster: Manifest, path: Path) -> list[tuple[Manifest, Path]]:
    """Return the groups of a Ray cluster, the head's first, and where each stands.

    `path` is where the cluster stands in its object.
    """
    found: list[tuple[Manifest, Path]] = [
        (cluster["headGroupSpec"], (*path, "headGroupSpec"))
    ]
    for index, group in enumerate(cluster.get("workerGroupSpecs", ())):
        found.append((group, (*path, "workerGroupSpecs", index)))
    return found


def faults(one: Manifest) -> Iterator[Fault]:
    """Yield the rules that an object breaks, whose fields the schemas have passed."""
    kind = one["kind"]
    path, cluster = ray_cluster(one)
    if cluster:
        yield from _cluster(cluster, path, kind)
    if kind == "RayJob":
        yield from _job(one["spec"])
    elif kind == "RayService":
        yield from _service(one["spec"])


def _cluster(cluster: Manifest, path: Path, kind: str) -> Iterator[Fault]:
    (head, of_head), *workers = groups(cluster, path)
    for group, place in ((head, of_head), *workers):
        yield from _group(group, place)
        if cluster.get("enableInTreeAutoscaling"):
            yield from _never_restarted(group, place)
    for group, place in workers:
        if group["minReplicas"] > group["maxReplicas"]:
            yield Fault((*place, "minReplicas"), "is more than maxReplicas")
    yield from _ports(head, of_head, kind)
    yield from _authentication(cluster, path)
    yield from _autoscaler(cluster, path)


def _autoscaler(cluster: Manifest, path: Path) -> Iterator[Fault]:
    """Traps that KubeRay does not refuse.

    It makes restartPolicy Never only where version v2 is written, and a restarted pod
    is never reclaimed; the autoscaler stops with KeyError without workerGroupSpecs.
    """
    if "workerGroupSpecs" not in cluster:
        place = (*path, "workerGroupSpecs")
        yield Fault(place, "is required", "write [] for a cluster without workers")
    version = cluster.get("autoscalerOptions", {}).get("version")
    if cluster.get("enableInTreeAutoscaling") and version != "v2":
        place = (*path, "autoscalerOptions", "version")
        hint = "set autoscalerOptions.version to v2"
        yield Fault(place, "must be v2 with enableInTreeAutoscaling", hint)


def _group(group: Manifest, path: Path) -> Iterator[Fault]:
    if not _containers(group):
        place = (*path, "template", "spec", "containers")
        yield Fault(place, "needs at least one container", "the first one is Ray's")
    params = group.get("rayStartParams", {})
    if group.get("resources") and any(params.get(key) for key in _RESOURCE_PARAMS):
        hint = f"or remove {', '.join(_RESOURCE_PARAMS)} from rayStartParams with null"
        message = "cannot stand beside the same in rayStartParams"
        yield Fault((*path, "resources"), message, f"leave it out, {hint}")
    if "labels" in params:
        place = (*path, "rayStartParams", "labels")
        yield Fault(place, "is not supported", "use labels of the group")


def _never_restarted(group: Manifest, path: Path) -> Iterator[Fault]:
    if _pod(group).get("restartPolicy", "Never") != "Never":
        place = (*path, "template", "spec", "restartPolicy")
        yield Fault(place, "must be Never with autoscaler v2", "leave it out")


def _ports(head: Manifest, path: Path, kind: str) -> Iterator[Fault]:
    """KubeRay adds ports only where none is listed, and looks these up by name."""
    wanted = {"RayJob": ("dashboard",), "RayService": ("dashboard", "serve")}
    for container in _containers(head)[:1]:
        names = {port.get("name") for port in container.get("ports", ())}
        for name in wanted.get(kind, ()):
            if names and name not in names:
                place = (*path, "template", "spec", "containers", 0, "ports")
                yield Fault(place, f"has no port called {name}", "list it as well")


def _authentication(cluster: Manifest, path: Path) -> Iterator[Fault]:
    if cluster.get("authOptions", {}).get("mode") != "token":
        return
    version = str(cluster.get("rayVersion", ""))
    try:
        known = versions.parsed(version) >= versions.parsed(versions.OLDEST_RAY)
    except ValueError:
        known = False
    if not known:
        message = f"token authentication needs Ray {versions.OLDEST_RAY} or later"
        yield Fault((*path, "rayVersion"), message, "name the version of the image")


def _job(job: Manifest) -> Iterator[Fault]:
    path = ("spec",)
    if not job.get("rayClusterSpec") and not job.get("clusterSelector"):
        hint = "keep one of rayClusterSpec and clusterSelector"
        yield Fault((*path, "rayClusterSpec"), "is required", hint)
    for key, least in (("activeDeadlineSeconds", 1), ("backoffLimit", 0)):
        if job.get(key, least) < least:
            yield Fault((*path, key), f"must be at least {least}")
    yield from _end_of_job(job)
    yield from _submission(job)
    yield from _text_is_mapping(job, "runtimeEnvYAML")


def _end_of_job(job: Manifest) -> Iterator[Fault]:
    shutdown = job.get("shutdownAfterJobFinishes", False)
    ttl = job.get("ttlSecondsAfterFinished", 0)
    strategy = job.get("deletionStrategy", {})
    if ttl < 0:
        yield Fault(("spec", "ttlSecondsAfterFinished"), "must be at least 0")
    if ttl > 0 and not shutdown:
        hint = "set shutdownAfterJobFinishes to true, or ttlSecondsAfterFinished to 0"
        message = "needs shutdownAfterJobFinishes"
        yield Fault(("spec", "ttlSecondsAfterFinished"), message, hint)
    if job.get("suspend") and not shutdown:
        yield Fault(("spec", "suspend"), "needs shutdownAfterJobFinishes")
    if strategy.get("deletionRules") and shutdown:
        message = "cannot stand beside shutdownAfterJobFinishes"
        hint = "set shutdownAfterJobFinishes to false and ttlSecondsAfterFinished to 0"
        yield Fault(("spec", "deletionStrategy", "deletionRules"), message, hint)
    if job.get("rayClusterSpec", {}).get("enableInTreeAutoscaling"):
        yield from _no_worker_deletion(strategy)


def _no_worker_deletion(strategy: Manifest) -> Iterator[Fault]:
    rules: list[tuple[Path, Manifest]] = [
        (("deletionRules", index), rule)
        for index, rule in enumerate(strategy.get("deletionRules", ()))
    ]
    rules += [((key,), strategy[key]) for key in strategy if key.startswith("on")]
    for path, rule in rules:
        if rule.get("policy") == "DeleteWorkers":
            place = ("spec", "deletionStrategy", *path, "policy")
            yield Fault(place, "DeleteWorkers is not possible with autoscaling")


def _submission(job: Manifest) -> Iterator[Fault]:
    mode = job.get("submissionMode", _SUBMISSION_MODES[0])
    if mode not in _SUBMISSION_MODES:
        hint = f"its values are {', '.join(_SUBMISSION_MODES)}"
        yield Fault(("spec", "submissionMode"), f"{mode} is unknown", hint)
    if mode == "InteractiveMode" and job.get("backoffLimit", 0) > 0:
        yield Fault(("spec", "backoffLimit"), "must be 0 with InteractiveMode")
    if mode == "SidecarMode":
        for key in ("submitterPodTemplate", "submitterConfig", "clusterSelector"):
            if job.get(key):
                message = "cannot stand beside SidecarMode"
                yield Fault(("spec", key), message, "remove it with null")


def _service(service: Manifest) -> Iterator[Fault]:
    config = service["rayClusterConfig"]
    head_service = config["headGroupSpec"].get("headService", {})
    if head_service.get("metadata", {}).get("name"):
        head: Path = ("spec", "rayClusterConfig", "headGroupSpec", "headService")
        yield Fault((*head, "metadata", "name"), "must not be set", "leave it out")
    upgrade = service.get("upgradeStrategy", {})
    kind = upgrade.get("type", _UPGRADES[0])
    place: Path = ("spec", "upgradeStrategy")
    if kind not in _UPGRADES:
        hint = f"its values are {', '.join(_UPGRADES)}"
        yield Fault((*place, "type"), f"{kind} is unknown", hint)
    if kind == "NewClusterWithIncrementalUpgrade":
        if not config.get("enableInTreeAutoscaling"):
            message = "needs worker groups with min_replicas below max_replicas"
            yield Fault((*place, "type"), message)
        if "clusterUpgradeOptions" not in upgrade:
            yield Fault((*place, "clusterUpgradeOptions"), "is required")
    yield from _text_is_mapping(service, "serveConfigV2")


def _text_is_mapping(spec: Manifest, key: str) -> Iterator[Fault]:
    if key not in spec:
        return
    try:
        mapping = isinstance(yaml.load(spec[key], yaml.CSafeLoader), Mapping)
    except yaml.YAMLError:
        mapping = False
    if not mapping:
        yield Fault(("spec", key), "must be the text of a YAML mapping")


def _pod(group: Manifest) -> Manifest:
    pod: Manifest = group["template"].get("spec", {})
    return pod


def _containers(group: Manifest) -> list[Any]:
    containers: list[Any] = _pod(group).get("containers", [])
    return containers
