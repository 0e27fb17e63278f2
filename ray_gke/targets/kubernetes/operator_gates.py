"""Whether KubeRay's operator has what is off in it by default, and an object needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ray_gke.errors import RefusedError
from ray_gke.rendering.feature_gates import GATES, SINCE, TLS
from ray_gke.targets.kubernetes import cluster_facts
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.kuberay_install import open_gates
from ray_gke.targets.kubernetes.kuberay_operator import Operator
from ray_gke.versions import KUBERAY_VERSIONS, OPERATOR_NAMESPACE, parsed


def check(api: Api, gates: Sequence[str], operator: Operator | None) -> Iterator[str]:
    """Yield a note where nobody can tell. Raises RefusedError where a gate is off."""
    version = operator.version if operator else ""
    if version and parsed(version) < parsed(SINCE):
        return  # It has neither the gates nor the fields.
    if operator:
        _on(operator, gates)
    elif gates:
        yield (
            f"KubeRay makes no pods unless its feature gate {' and '.join(gates)} is "
            "on, which an operator out of sight does not tell"
        )
    if TLS in gates:
        _cert_manager(api, operator)


def _on(operator: Operator, gates: Sequence[str]) -> None:
    off = [gate for gate in gates if not operator.has(gate)]
    if not off:
        return
    fields = [field for field, gate in GATES.items() if gate in off]
    every = {**operator.feature_gates, **dict.fromkeys(off, True)}
    raise RefusedError(
        f"the KubeRay operator would refuse {' and '.join(fields)}: Deployment "
        f"{operator.name} in namespace {operator.namespace} does not turn on its "
        f"feature gate {' and '.join(off)}",
        hint=open_gates(
            operator.namespace, operator.version or KUBERAY_VERSIONS[-1], every
        ),
    )


def _cert_manager(api: Api, operator: Operator | None) -> None:
    """KubeRay has certificates made by it (raycluster_mtls_controller.go)."""
    if cluster_facts.served(api, ["Certificate"]):
        return
    namespace = operator.namespace if operator else OPERATOR_NAMESPACE
    name = operator.name if operator else "kuberay-operator"
    raise RefusedError(
        f"the cluster of context {api.client.context} has no cert-manager, which is to "
        "make the certificates of tlsOptions",
        # The operator looks for it when it starts, and never again.
        hint="helm install cert-manager oci://quay.io/jetstack/charts/cert-manager "
        "--namespace cert-manager --create-namespace --set crds.enabled=true && "
        f"kubectl -n {namespace} rollout restart deployment {name}",
    )
