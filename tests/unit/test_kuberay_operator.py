"""Which KubeRay a cluster has, from what there is to see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from ray_gke.targets.kubernetes import kuberay_operator
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.kuberay_operator import Operator
from ray_gke.versions import KUBERAY_SINCE


def _version(api: Api) -> str | None:
    return kuberay_operator.kuberay_version(api, kuberay_operator.find(api))


CHART = "quay.io/kuberay/operator"


class Cluster:
    """Answers for one cluster; `deployments` are None where they may not be listed."""

    def __init__(
        self,
        deployments: Mapping[str, Mapping[str, Any]] | None = None,
        fields: Sequence[str] = (),
    ) -> None:
        self.deployments = deployments
        self.fields = fields
        self.namespaces: set[str] = set()

    def list(self, _kind: str, namespace: str = "", **_selected: str) -> Any:
        if self.deployments is None or (namespace and namespace not in self.namespaces):
            raise NotAllowedError("no")
        if not namespace and self.namespaces:
            raise NotAllowedError("no")
        return [dict(one) for one in self.deployments.values()]

    def read(self, _path: str, **_what: str) -> Any:
        return schemas(self.fields) if self.fields else None

    def in_parallel(self, do: Any, values: Any) -> Any:
        return [do(value) for value in values]


def schemas(fields: Sequence[str]) -> dict[str, Any]:
    """Return an API document that has these fields of KubeRay's Go types."""
    kinds: dict[str, Any] = {}
    for field in fields:
        go_type, _, name = field.partition(".")
        kind, *path = kuberay_operator._PLACES[go_type]
        place = kinds.setdefault(kind, {"properties": {}})
        for step in path:
            place = place["properties"].setdefault(step, {"properties": {}})
        place["properties"].setdefault(name, {"properties": {}})
    return {
        "components": {
            "schemas": {
                kind: {**schema, "x-kubernetes-group-version-kind": [{"kind": kind}]}
                for kind, schema in kinds.items()
            }
        }
    }


def deployment(
    image: str, labels: Mapping[str, str] | None = None, *, ready: int = 1
) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "operator",
            "namespace": "kuberay",
            "labels": labels or {},
        },
        "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
        "status": {"readyReplicas": ready},
    }


def found(cluster: Cluster) -> Operator | None:
    return kuberay_operator.find(cast("Api", cluster))


@pytest.mark.parametrize(
    ("image", "labels", "version"),
    [
        (f"{CHART}:v1.5.1", {}, "1.5.1"),
        (f"{CHART}:1.6.2", {}, "1.6.2"),
        ("registry:5000/kuberay/operator:v1.5.1-gke.3", {}, "1.5.1"),
        (f"{CHART}:v1.5.1@sha256:abc", {}, "1.5.1"),
        (f"{CHART}@sha256:abc", {"helm.sh/chart": "kuberay-operator-1.6.2"}, "1.6.2"),
        (f"{CHART}:nightly", {"app.kubernetes.io/version": "v1.7.0"}, "1.7.0"),
        (f"{CHART}:nightly", {}, ""),
    ],
)
def test_the_image_or_a_label_tells_the_version(
    image: str, labels: dict[str, str], version: str
) -> None:
    operator = found(Cluster({"one": deployment(image, labels)}))
    assert operator
    assert operator.version == version


def test_of_several_operators_one_that_works_is_taken() -> None:
    old = deployment(f"{CHART}:v1.7.0", ready=0)
    operator = found(Cluster({"a": old, "b": deployment(f"{CHART}:v1.5.1")}))
    assert operator
    assert operator.version == "1.5.1"


def test_likely_namespaces_are_tried_where_all_may_not_be_listed() -> None:
    cluster = Cluster({"a": deployment(f"{CHART}:v1.5.1")})
    cluster.namespaces = {"kuberay"}
    operator = found(cluster)
    assert operator
    assert operator.version == "1.5.1"


def test_no_operator_is_found_where_nothing_may_be_listed() -> None:
    assert found(Cluster(None)) is None


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("1.5.1", "1.5.1"),
        ("1.6.0", "1.5.1"),
        ("1.6.5", "1.6.2"),
        ("9.0.0", "1.7.0"),
        ("1.4.2", "1.5.1"),
    ],
)
def test_a_version_is_known_as_the_one_before_it(version: str, known: str) -> None:
    cluster = Cluster({"a": deployment(f"{CHART}:v{version}")})
    assert _version(cast("Api", cluster)) == known


@pytest.mark.parametrize("version", ["1.5.1", "1.6.2", "1.7.0"])
def test_fields_tell_the_version_of_an_operator_that_is_out_of_sight(
    version: str,
) -> None:
    fields = [f for f, since in KUBERAY_SINCE.items() if since <= version]
    cluster = Cluster({}, ["RayClusterSpec.authOptions", *fields])
    assert _version(cast("Api", cluster)) == version


def test_definitions_without_token_authentication_are_too_old() -> None:
    cluster = cast("Api", Cluster({}, ["RayClusterSpec.rayVersion"]))
    assert kuberay_operator.version_of_definitions(cluster) == "0.0.0"


def test_a_cluster_without_kuberay_has_no_version() -> None:
    assert _version(cast("Api", Cluster({}))) is None


@pytest.mark.parametrize("field", sorted(KUBERAY_SINCE))
def test_every_field_that_tells_a_version_has_a_place(field: str) -> None:
    assert field.partition(".")[0] in kuberay_operator._PLACES
