"""KubeRay's operator and its definitions in a cluster: where it is, and which version.

The operator may run out of sight: in another cluster's control plane, as GKE's add-on
does, or where the user may not look. Then the fields of its definitions tell what it
understands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api, ApiError, NotAllowedError
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref, labels, resource
from ray_gke.targets.kubernetes.view import condition
from ray_gke.versions import KUBERAY_SINCE, KUBERAY_VERSIONS, parsed

OLDEST = KUBERAY_VERSIONS[0]

_SELECTOR = "app.kubernetes.io/name in (kuberay-operator,kuberay)"
"""The labels of the Helm chart, and those of the project's own manifests."""

_LIKELY = (
    "kuberay-system",
    "kuberay",
    "kuberay-operator",
    "ray-system",
    "default",
)
_TRUE = ("1", "t", "true")
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
_NEW_IN_OLDEST = "RayClusterSpec.authOptions"
_DEFINITIONS = "/openapi/v3/apis/ray.io/v1"
_PLACES: Mapping[str, tuple[str, ...]] = {
    "RayClusterSpec": ("RayCluster", "spec"),
    "AuthOptions": ("RayCluster", "spec", "authOptions"),
    "AutoscalerOptions": ("RayCluster", "spec", "autoscalerOptions"),
    "GcsFaultToleranceOptions": ("RayCluster", "spec", "gcsFaultToleranceOptions"),
    "HeadGroupSpec": ("RayCluster", "spec", "headGroupSpec"),
    "WorkerGroupSpec": ("RayCluster", "spec", "workerGroupSpecs"),
    "RayJobSpec": ("RayJob", "spec"),
    "DeletionCondition": (
        *("RayJob", "spec", "deletionStrategy", "deletionRules", "condition"),
    ),
    "RayServiceSpec": ("RayService", "spec"),
}
"""Where the Go types of KUBERAY_SINCE stand in the definitions."""


@dataclass(frozen=True)
class Operator:
    """The operator's Deployment; `version` is empty where its image does not tell.

    `feature_gates` are those that its command names, each on or off.
    """

    namespace: str
    name: str
    image: str
    version: str
    wanted: int
    ready: int
    trouble: str
    feature_gates: Mapping[str, bool]

    def has(self, gate: str) -> bool:
        """Tell whether an alpha gate is on: by its name, or with all of them."""
        return self.feature_gates.get(gate, self.feature_gates.get("AllAlpha", False))


def kuberay_version(api: Api, operator: Operator | None) -> str | None:
    """Return the version that we know the cluster's KubeRay as, None without one.

    `operator` is what `find` found. It is the newest known version that is not newer
    than what is there; of what is older than all of them, the oldest.
    """
    if operator and operator.version:
        return known_as(operator.version)
    told = version_of_definitions(api)
    return known_as(told) if told else None


def known_as(version: str) -> str:
    """Return the newest known version that is not newer than `version`."""
    fitting = [v for v in KUBERAY_VERSIONS if parsed(v) <= parsed(version)]
    return fitting[-1] if fitting else OLDEST


def find(api: Api) -> Operator | None:
    """Return the operator, if it runs as a Deployment that the user may see."""
    try:
        found = _everywhere(api)
    except NotAllowedError:
        lists = api.in_parallel(lambda place: _in(api, place), _LIKELY)
        found = [one for some in lists for one in some]
    operators = [_operator(one) for one in found]
    # Of several, each may look after some namespaces: one that works will do.
    return max(
        operators, key=lambda one: (one.ready, parsed(one.version or "0")), default=None
    )


def is_absent(api: Api) -> bool:
    """Tell whether the user may look everywhere and there is no such Deployment."""
    try:
        return not _everywhere(api)
    except (ApiError, NotAllowedError):
        return False


def finalizers(one: Manifest) -> list[str]:
    """Return those of an object's finalizers that nobody but KubeRay takes off."""
    found = one["metadata"].get("finalizers") or ()
    return [finalizer for finalizer in found if finalizer.startswith("ray.io/")]


def missing_kinds(api: Api) -> tuple[str, ...]:
    """Return the Ray kinds that the API server does not serve in version v1."""
    served = api.read("/apis/ray.io/v1", what="list kinds of ray.io/v1") or {}
    plurals = {one.get("name") for one in served.get("resources") or ()}
    return tuple(kind for kind in RAY_KINDS if resource(kind).plural not in plurals)


def version_of_definitions(api: Api) -> str | None:
    """Return the KubeRay whose fields the API server knows, None where it knows none.

    What is older than all known versions is called 0.0.0.
    """
    try:
        document = api.read(_DEFINITIONS, what="read the definitions of ray.io/v1")
    except (ApiError, NotAllowedError):
        return None
    schemas = _schemas(document or {})
    if "RayCluster" not in schemas:
        return None
    if not _has(schemas, _NEW_IN_OLDEST):
        return "0.0.0"
    newer = {v for field, v in KUBERAY_SINCE.items() if _has(schemas, field)}
    return max([OLDEST, *newer], key=parsed)


def _everywhere(api: Api) -> list[Manifest]:
    found = api.list("Deployment", selector=_SELECTOR)
    return found or api.list("Deployment", fields="metadata.name=kuberay-operator")


def _in(api: Api, namespace: str) -> list[Manifest]:
    try:
        found = api.list("Deployment", namespace, selector=_SELECTOR)
    except NotAllowedError:
        return []
    return found


def _operator(one: Manifest) -> Operator:
    ref = Ref.of(one)
    containers = one["spec"]["template"]["spec"]["containers"]
    images = [c.get("image", "") for c in containers]
    image = next((i for i in images if "kuberay" in i or "operator" in i), images[0])
    status = one.get("status") or {}
    return Operator(
        namespace=ref.namespace,
        name=ref.name,
        image=image,
        version=_version(image, labels(one)),
        wanted=one["spec"].get("replicas", 1),
        ready=status.get("readyReplicas", 0),
        trouble=condition(one, "Available").get("message", ""),
        feature_gates=_feature_gates(containers),
    )


def _feature_gates(containers: Sequence[Manifest]) -> dict[str, bool]:
    """Return what `--feature-gates=One=true,Other=false` says, as Go's flags read it.

    The value may be the next word. Of several flags the last one counts.
    """
    given = ""
    words = [w for c in containers for k in ("command", "args") for w in c.get(k) or ()]
    for index, word in enumerate(words):
        flag, has_value, value = word.partition("=")
        if flag in {"-feature-gates", "--feature-gates"}:
            given = value if has_value else "".join(words[index + 1 : index + 2])
    pairs = [pair.split("=") for pair in given.split(",") if "=" in pair]
    return {gate.strip(): on.strip().lower() in _TRUE for gate, on, *_ in pairs}


def _version(image: str, found: Mapping[str, str]) -> str:
    """Return the version by the image's tag, or else by the chart's labels."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    chart = found.get("helm.sh/chart", "").rpartition("-")[2]
    for word in (tag, found.get("app.kubernetes.io/version", ""), chart):
        if told := _VERSION.match(word):
            return told[1]
    return ""


def _schemas(document: Manifest) -> dict[str, Any]:
    """Return the schemas of the Ray kinds, by their kind."""
    found = (document.get("components") or {}).get("schemas") or {}
    return {
        kind: schema
        for schema in found.values()
        for kind in RAY_KINDS
        if any(
            one.get("kind") == kind
            for one in schema.get("x-kubernetes-group-version-kind") or ()
        )
    }


def _has(schemas: Mapping[str, Any], field: str) -> bool:
    """Tell whether the definitions have a field, such as `RayJobSpec.managedBy`."""
    go_type, _, name = field.partition(".")
    kind, *path = _PLACES[go_type]
    place = schemas.get(kind) or {}
    for step in path:
        place = _properties(place).get(step) or {}
    return name in _properties(place)


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of a mapping, or of the mappings in a list."""
    found: Mapping[str, Any] = (schema.get("items") or schema).get("properties") or {}
    return found
