"""Our extract of the schemas against what it was taken from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import kubernetes_validate
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ray_gke import versions
from ray_gke.rendering import schema_check
from ray_gke.rendering.schema_check import faults

GOLDENS = Path(__file__).parents[1] / "goldens"
KUBERAY = "1.5.1"
# Where we are stricter than the published schemas, as the API server is: quantities
# and fields with few values; and names, see NAMES.
STRICTER = {
    *("limits", "requests", "sizeLimit"),
    *("restartPolicy", "imagePullPolicy", "effect", "operator", "protocol", "type"),
}

NAMES = "Kubernetes refuses"

Object = dict[str, Any]


def golden(case: str, kind: str) -> Object:
    text = (GOLDENS / case / "manifests.yaml").read_text()
    (found,) = (o for o in yaml.safe_load_all(text) if o["kind"] == kind)
    return dict(found)


DEPLOYMENT = golden("mig-service", "Deployment")
DEPLOYMENT["spec"]["template"]["spec"] |= {
    "restartPolicy": "Always",
    "initContainers": [{"name": "first", "image": "busybox", "command": ["true"]}],
    "volumes": [
        {"name": "a", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        {"name": "b", "configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}},
        {"name": "d", "secret": {"secretName": "s", "optional": True}},
    ],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    ],
}
DEPLOYMENT["spec"]["template"]["spec"]["containers"][0] |= {
    "env": [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ],
    "ports": [{"name": "p", "containerPort": 80, "protocol": "TCP"}],
    "livenessProbe": {"httpGet": {"path": "/", "port": "p"}, "periodSeconds": 5},
    "volumeMounts": [{"name": "a", "mountPath": "/a", "readOnly": True}],
    "imagePullPolicy": "IfNotPresent",
}


def kubernetes_accepts(one: Object) -> bool:
    try:
        kubernetes_validate.validate(one, versions.KUBERNETES_VERSION, strict=True)
    except kubernetes_validate.ValidationError:
        return False
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


def changed(one: Object, path: tuple[Any, ...], change: Any) -> Object:
    """Remove what stands at `path`, or put `change` there."""
    result = deepcopy(one)
    owner: Any = result
    for step in path[:-1]:
        owner = owner[step]
    if change == "remove":
        del owner[path[-1]]
    elif change == "unknown key" and isinstance(owner[path[-1]], dict):
        owner[path[-1]]["unknown"] = "x"
    else:
        owner[path[-1]] = change
    return result


CHANGES = ["remove", "unknown key", 1, 1.5, "x", True, [], {}, ["x"], {"x": "y"}]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(list(places(DEPLOYMENT))[1:]), st.sampled_from(CHANGES))
def test_kubernetes_accepts_what_we_accept(path: tuple[Any, ...], change: Any) -> None:
    assume(path[:1] not in [("kind",), ("apiVersion",)])
    assume(path not in [("metadata",), ("metadata", "name")])
    one = changed(DEPLOYMENT, path, change)
    ours = list(faults(one, KUBERAY))
    if kubernetes_accepts(one):
        assert all(
            STRICTER & set(fault.path[-2:]) or NAMES in fault.message for fault in ours
        )
    else:
        assert ours


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        ({}, True),
        ({"terminationGracePeriodSeconds": "soon"}, False),
        ({"nodeSelecter": {}}, False),
        ({"nodeSelector": {"a": 1}}, False),
        ({"hostIPC": "true"}, False),
        ({"containers": {}}, False),
        ({"containers": [{"image": "x"}]}, False),
        ({"containers": [{"name": "x", "ports": [{"containerPort": "80"}]}]}, False),
        ({"tolerations": [{"key": "a", "operator": "Exists"}]}, True),
        ({"tolerations": [{"key": "a", "tolerationSeconds": "1"}]}, False),
        ({"affinity": {"nodeAffinity": {"required": {}}}}, False),
        ({"volumes": [{"name": "x", "emptyDir": {}}]}, True),
        ({"volumes": [{"emptyDir": {}}]}, False),
        ({"securityContext": {"runAsUser": 1000}}, True),
        ({"securityContext": {"runAsUser": "root"}}, False),
    ],
)
def test_a_pod_is_judged_as_kubernetes_judges_it(
    change: Object, accepted: bool
) -> None:
    one = deepcopy(DEPLOYMENT)
    one["spec"]["template"]["spec"] |= change
    assert kubernetes_accepts(one) is accepted
    assert (not list(faults(one, KUBERAY))) is accepted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"restartPolicy": "Sometimes"}, '"Sometimes" is not one of its values'),
        ({"terminationGracePeriodSeconds": 1.5}, 'is not of type "integer"'),
    ],
)
def test_the_fault_is_told(change: Object, message: str) -> None:
    one = deepcopy(DEPLOYMENT)
    one["spec"]["template"]["spec"] |= change
    (fault,) = faults(one, KUBERAY)
    assert fault.path == ("spec", "template", "spec", *change)
    assert message in fault.message


@pytest.mark.parametrize("quantity", ["8GiB", "lots", "1 Gi", "", "-"])
def test_no_quantity(quantity: str) -> None:
    one = deepcopy(DEPLOYMENT)
    container = one["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"]["memory"] = quantity
    (fault,) = faults(one, KUBERAY)
    assert fault.path[-1] == "memory"


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({}, "unknown kind None"),
        ({"kind": "RayClutser"}, "unknown kind RayClutser"),
        ({"kind": "PodSpec"}, "unknown kind PodSpec"),
        ({"kind": "Namespace", "apiVersion": "v1", "metadata": {}}, "is required"),
        ({"kind": "Namespace", "apiVersion": "v1"}, "is required"),
        (
            {"kind": "Namespace", "apiVersion": "v2", "metadata": {"name": "a"}},
            '"v2" is not one of its values',
        ),
    ],
)
def test_an_object_that_is_none(one: Object, message: str) -> None:
    (fault,) = faults(one, KUBERAY)
    assert fault.message == message


@pytest.mark.parametrize("version", versions.KUBERAY_VERSIONS)
@pytest.mark.parametrize(("field", "since"), versions.KUBERAY_SINCE.items())
def test_a_young_field_is_there_from_its_version_on(
    version: str, field: str, since: str
) -> None:
    owner, _, name = field.partition(".")
    properties = schema_check._types(version)[owner]["properties"]
    assert (name in properties) == (version >= since)


def test_additions_and_versions_name_the_same_fields() -> None:
    source = files("ray_gke.rendering") / "schemas" / "kuberay-additions.json"
    additions = json.loads(source.read_text())
    assert additions["fields"].keys() == versions.KUBERAY_SINCE.keys()


def test_the_extracts_are_small_and_without_prose() -> None:
    folder = files("ray_gke.rendering") / "schemas"
    texts = [f.read_text() for f in folder.iterdir() if f.name.endswith(".json")]
    assert len(texts) == 4
    assert sum(map(len, texts)) < 64 * 1024
    assert not any(
        '"description"' in text.replace('"description":{', "") for text in texts
    )


# KubeRay ------------------------------------------------------------------------


@cache
def module() -> Path | None:
    """Where Go keeps KubeRay's module, if it was ever downloaded here."""
    try:
        cache_folder = subprocess.run(
            ["go", "env", "GOMODCACHE"], check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    name = f"github.com/ray-project/kuberay/ray-operator@v{KUBERAY}"
    folder = Path(cache_folder) / name
    return folder if folder.is_dir() else None


@cache
def full_schema(kind: str) -> Any:
    """KubeRay's own definition, closed, since the API server would prune silently."""
    folder = module()
    assert folder
    path = folder / "config/crd/bases" / f"ray.io_{kind.lower()}s.yaml"
    definition = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    (version,) = (v for v in definition["spec"]["versions"] if v["name"] == "v1")
    return jsonschema_rs.validator_for(closed(version["schema"]["openAPIV3Schema"]))


def closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        result["additionalProperties"] = False
    return result


CUSTOM = [
    ("cpu-job", "RayJob"),
    ("mig-service", "RayService"),
    ("scale-from-zero", "RayCluster"),
]
CUSTOM_PLACES = [
    (case, kind, path)
    for case, kind in CUSTOM
    for path in places(golden(case, kind)["spec"], ("spec",))
    if "template" not in path and "submitterPodTemplate" not in path
]


@pytest.mark.skipif(module() is None, reason="needs KubeRay's Go module")
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CUSTOM_PLACES), st.sampled_from(CHANGES))
def test_kuberay_accepts_what_we_accept(
    place: tuple[str, str, tuple[Any, ...]], change: Any
) -> None:
    case, kind, path = place
    one = changed(golden(case, kind), path, change)
    without_metadata = {key: one[key] for key in one if key != "metadata"}
    theirs = full_schema(kind).is_valid(without_metadata)
    ours = [fault for fault in faults(one, KUBERAY) if NAMES not in fault.message]
    assert theirs is (not ours) or (
        # The definition leaves the spec optional; without one there is no cluster.
        path == ("spec",) and change == "remove"
    )


@pytest.mark.skipif(module() is None, reason="needs KubeRay's Go module")
@pytest.mark.parametrize(("case", "kind"), CUSTOM)
def test_what_we_render_passes_kuberay_s_own_definition(case: str, kind: str) -> None:
    one = golden(case, kind)
    errors = full_schema(kind).iter_errors({k: one[k] for k in one if k != "metadata"})
    assert [error.message for error in errors] == []
