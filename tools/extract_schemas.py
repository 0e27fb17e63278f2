"""Extract the schemas that rendered objects are checked against: facts, no prose.

    python tools/extract_schemas.py            writes ray_gke/rendering/schemas/
    python tools/extract_schemas.py --check    exits 1 when what is there differs

KubeRay's own fields come from the custom resource definitions of its Go module
(Go downloads it), Kubernetes' from the package kubernetes-validate. Names, types,
required fields, enums and limits are kept; descriptions are not, nor are the pod
templates inside KubeRay's definitions: they refer to Kubernetes' own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from ray_gke import versions

Schema = dict[str, Any]

FOLDER = Path(__file__).parent.parent / "ray_gke" / "rendering" / "schemas"
KUBERAY_MODULE = "github.com/ray-project/kuberay/ray-operator"

CORE_KINDS = (
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.api.core.v1.ConfigMap",
    "io.k8s.api.core.v1.Namespace",
    "io.k8s.api.core.v1.Secret",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.core.v1.ServiceAccount",
    "io.k8s.api.networking.v1.NetworkPolicy",
    "io.k8s.api.policy.v1.PodDisruptionBudget",
    "io.k8s.api.scheduling.v1.PriorityClass",
)
CORE_TYPES = (
    *CORE_KINDS,
    "io.k8s.api.core.v1.EnvFromSource",
    "io.k8s.api.core.v1.PodTemplateSpec",
)

# What the published schemas leave open. Sources: the constants of
# k8s.io/api/core/v1/types.go, and the pattern that Kubernetes' generator of custom
# resource definitions gives every quantity.
QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
CLOSED = {
    "Container.imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "ContainerPort.protocol": ("SCTP", "TCP", "UDP"),
    "DeploymentStrategy.type": ("Recreate", "RollingUpdate"),
    "NodeSelectorRequirement.operator": (
        "DoesNotExist",
        "Exists",
        "Gt",
        "In",
        "Lt",
        "NotIn",
    ),
    "PodSpec.dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    "PodSpec.preemptionPolicy": ("Never", "PreemptLowerPriority"),
    "PodSpec.restartPolicy": ("Always", "Never", "OnFailure"),
    "PriorityClass.preemptionPolicy": ("Never", "PreemptLowerPriority"),
    "SeccompProfile.type": ("Localhost", "RuntimeDefault", "Unconfined"),
    "ServiceSpec.type": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    "Toleration.effect": ("NoExecute", "NoSchedule", "PreferNoSchedule"),
    "Toleration.operator": ("Equal", "Exists"),
}
REPLACED: dict[str, Schema] = {
    "Int32": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "IntOrString": {"type": ["integer", "string"]},
    # A custom resource definition takes no fractions, and Ray's pods stand in one.
    "Quantity": {"type": ["integer", "string"], "pattern": QUANTITY},
}

# KubeRay's Go types by where they stand in its custom resource definitions.
KUBERAY_TYPES = {
    "authOptions": "AuthOptions",
    "autoscalerOptions": "AutoscalerOptions",
    "condition": "DeletionCondition",
    "gcsFaultToleranceOptions": "GcsFaultToleranceOptions",
    "headGroupSpec": "HeadGroupSpec",
    "workerGroupSpecs": "WorkerGroupSpec",
}
FOREIGN_TYPES = {
    "env": "EnvVar",
    "envFrom": "EnvFromSource",
    "headService": "Service",
    "rayClusterConfig": "RayClusterSpec",
    "rayClusterSpec": "RayClusterSpec",
    "securityContext": "SecurityContext",
    "serveService": "Service",
    "submitterPodTemplate": "PodTemplateSpec",
    "template": "PodTemplateSpec",
    "valueFrom": "EnvVarSource",
    "volumeMounts": "VolumeMount",
}
KEPT = ("enum", "pattern", "minimum", "maximum", "minItems", "maxItems", "minLength")


def main() -> int:
    """Write the schemas, or with --check compare; return the exit status."""
    wanted = {
        f"kubernetes-{versions.KUBERNETES_VERSION}.json": kubernetes(),
        f"kuberay-{versions.KUBERAY_VERSIONS[0]}.json": kuberay(),
    }
    texts = {name: json_text(schema) for name, schema in wanted.items()}
    if "--check" in sys.argv[1:]:
        stale = [n for n, text in texts.items() if (FOLDER / n).read_text() != text]
        sys.stdout.writelines(f"{name} differs: make schemas\n" for name in stale)
        return 1 if stale else 0
    for name, text in texts.items():
        (FOLDER / name).write_text(text)
        sys.stdout.write(f"{name}: {len(text):,} bytes\n")
    return 0


def json_text(schema: Schema) -> str:
    """Return the schema with one type a line, so that a diff is small."""
    write = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
    lines = (f"{write(name)}:{write(schema[name])}" for name in sorted(schema))
    return "{\n" + ",\n".join(lines) + "\n}\n"


# Kubernetes ---------------------------------------------------------------------


def kubernetes() -> Schema:
    """Return Kubernetes' types by their short names: what we render, and its parts."""
    path = f"kubernetes-json-schema/v{versions.KUBERNETES_VERSION}-local-strict"
    source = files("kubernetes_validate") / path / "_definitions.json"
    published = json.loads(source.read_text())["$defs"]
    types: Schema = {}
    todo = list(CORE_TYPES)
    while todo:
        name = todo.pop()
        if short(name) not in types:
            types[short(name)] = core_type(name, published[name])
            todo += references(published[name])
    return types | REPLACED


def core_type(name: str, published: Schema) -> Schema:
    """Return one type, without the state that only the API server writes."""
    kept = facts(published)
    if name in CORE_KINDS:
        kept["properties"].pop("status", None)
    for key, values in CLOSED.items():
        owner, _, field = key.partition(".")
        if owner == short(name) and field:
            kept["properties"][field]["enum"] = list(values)
    return kept


def facts(schema: Schema) -> Schema:
    """Return a schema without prose and without null beside another type.

    Kubernetes reads a null as if the field were not there; we never write one.
    """
    kept: Schema = {key: schema[key] for key in KEPT if key in schema}
    if "$ref" in schema:
        return kept | {"$ref": f"#/$defs/{short(schema['$ref'])}"}
    if schema.get("format") == "int32":
        return kept | {"$ref": "#/$defs/Int32"}
    if "type" in schema:
        kept["type"] = not_null(schema["type"])
    if "required" in schema:
        kept["required"] = sorted(schema["required"])
    if "items" in schema:
        kept["items"] = facts(schema["items"])
    if "properties" in schema:
        kept["properties"] = {k: facts(v) for k, v in schema["properties"].items()}
        kept["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = facts(schema["additionalProperties"])
    return kept


def not_null(given: str | list[str]) -> str | list[str]:
    """Return the type or types other than null."""
    if isinstance(given, str):
        return given
    others = [one for one in given if one != "null"]
    return others[0] if len(others) == 1 else others


def references(schema: object) -> Iterator[str]:
    """Yield the names of the types that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def short(name: str) -> str:
    """Return `PodSpec` for `#/$defs/io.k8s.api.core.v1.PodSpec`."""
    return name.rpartition(".")[2]


# KubeRay ------------------------------------------------------------------------


def kuberay() -> Schema:
    """Return KubeRay's types by their Go names, and its three kinds."""
    types: Schema = {}
    for kind in ("RayCluster", "RayJob", "RayService"):
        spec = custom_resource_spec(kind)
        types[f"{kind}Spec"] = custom_type(spec, types)
        types[kind] = {
            "type": "object",
            "required": ["spec"],
            "additionalProperties": False,
            "properties": {
                "apiVersion": {"enum": ["ray.io/v1"]},
                "kind": {"enum": [kind]},
                "metadata": {"$ref": "#/$defs/ObjectMeta"},
                "spec": {"$ref": f"#/$defs/{kind}Spec"},
            },
        }
    return types


def custom_resource_spec(kind: str) -> Schema:
    """Return the schema of `spec` in the definition of a kind, at version v1."""
    path = module_folder() / "config/crd/bases" / f"ray.io_{kind.lower()}s.yaml"
    definition = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    version = next(v for v in definition["spec"]["versions"] if v["name"] == "v1")
    spec: Schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


def module_folder() -> Path:
    """Return where Go keeps the module, downloaded when it is not there yet."""
    module = f"{KUBERAY_MODULE}@v{versions.KUBERAY_VERSIONS[0]}"
    done = subprocess.run(
        ["go", "mod", "download", "-json", module],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(json.loads(done.stdout)["Dir"])


def custom_type(schema: Schema, types: Schema) -> Schema:
    """Return a schema whose parts with names of their own are moved to `types`."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"$ref": "#/$defs/Quantity" if "pattern" in schema else "IntOrString"}
    kept = facts({k: v for k, v in schema.items() if k not in ("properties", "items")})
    kept |= allowed_by_rule(schema)
    if "items" in schema:
        kept["items"] = custom_type(schema["items"], types)
    if "properties" in schema:
        kept["additionalProperties"] = False
        kept["properties"] = {
            name: custom_property(name, value, types)
            for name, value in schema["properties"].items()
        }
    return kept


def custom_property(name: str, schema: Schema, types: Schema) -> Schema:
    """Return a property; `name` tells whether its type has a name of its own."""
    if name == "resources" and "properties" in schema:
        return {"$ref": "#/$defs/ResourceRequirements"}
    if foreign := FOREIGN_TYPES.get(name):
        return listed(schema, {"$ref": f"#/$defs/{foreign}"})
    if own := KUBERAY_TYPES.get(name):
        types[own] = custom_type(schema.get("items", schema), types)
        return listed(schema, {"$ref": f"#/$defs/{own}"})
    return custom_type(schema, types)


def listed(schema: Schema, item: Schema) -> Schema:
    """Return `item`, or a list of it where the schema is one of a list."""
    return {"type": "array", "items": item} if schema["type"] == "array" else item


def allowed_by_rule(schema: Schema) -> Schema:
    """Return the enum that a rule `self in ['a', 'b']` amounts to."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if found := re.fullmatch(r"self in \[(.*)\]", rule["rule"]):
            return {"enum": re.findall(r"'([^']*)'", found[1])}
    return {}


if __name__ == "__main__":
    sys.exit(main())
