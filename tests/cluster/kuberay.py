"""The KubeRay operator: a process on this machine that looks like a Deployment.

Its Deployment runs on a fake node of its own, so who looks for the operator in the
cluster sees what there would be to see. The process does the work, with the rights of
the operator's service account.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.cluster import kubeconfig, parts
from tests.cluster.control_plane import LOOPBACK, ControlPlane
from tests.cluster.fake_nodes import FakeNodes
from tests.cluster.processes import Program, answers, eventually, free_port

NAMESPACE = "kuberay-system"
NAME = "kuberay-operator"
NODE = "kuberay-operator-node"
"""The fake node that nothing else runs on."""
_TAINT = {"key": "ray-gke.test/operator", "value": "only", "effect": "NoSchedule"}
_NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding"}
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


class Operator:
    """The operator, which reaches API server and Ray at `url`."""

    def __init__(self, control_plane: ControlPlane, folder: Path, *, url: str) -> None:
        """Prepare; nothing is in the cluster before `install()`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._control_plane = control_plane
        self._url = url
        self._kubeconfig = folder / "kuberay-operator.kubeconfig"
        probes = f"{LOOPBACK}:{free_port()}"
        self.program = Program(
            NAME,
            [
                parts.path("kuberay-operator"),
                f"--kubeconfig={self._kubeconfig}",
                "--enable-leader-election=false",
                "--use-kubernetes-proxy",
                "--metrics-addr=0",
                f"--health-probe-bind-address={probes}",
            ],
            log=folder / "logs" / "kuberay-operator.log",
            ready=answers(f"http://{probes}/readyz"),
        )

    def install(self, nodes: FakeNodes) -> None:
        """Put resource definitions, rights and the Deployment into the cluster."""
        module = parts.folder("kuberay-operator") / "config"
        for definition in (module / "crd" / "bases").glob("*.yaml"):
            # Too large for client-side apply.
            path = f"{_DEFINITIONS}/{_resource(definition)}"
            self._control_plane.api.apply(path, definition.read_text(), manager=NAME)
        nodes.add_node(NODE, taints=[_TAINT])
        shown = [_NAMESPACE, *_rights(module / "rbac"), _deployment()]
        self._control_plane.apply(yaml.safe_dump_all(shown), manager="helm")
        token = self._control_plane.token_of(NAMESPACE, NAME)
        kubeconfig.write(
            self._kubeconfig, url=self._url, ca=self._control_plane.ca, token=token
        )
        eventually("the operator's Deployment to be available", self._is_shown)
        eventually("the resource definitions to be served", self._are_served)

    def start(self) -> None:
        """Start the process."""
        self.program.start()

    def stop(self) -> None:
        """Stop the process; the Deployment still looks well, as a hung one would."""
        self.program.stop()

    def add_deployment(self) -> None:
        """Show the operator in the cluster, unless it is there, and wait for it."""
        if self._is_shown():
            return
        self._control_plane.apply(yaml.safe_dump(_deployment()), manager="helm")
        eventually("the operator's Deployment to be available", self._is_shown)

    def remove_deployment(self) -> None:
        """Take away what a cluster shows of the operator; the process runs on."""
        self._control_plane.kubectl("delete", "deployment", NAME, "-n", NAMESPACE)

    def _are_served(self) -> bool:
        """Whether the API server answers for all kinds, which takes it a second."""
        established = {"type": "Established", "status": "True"}
        definitions = self._control_plane.get(_DEFINITIONS)["items"]
        # A definition that is quite new has no conditions yet.
        return all(
            any(
                established.items() <= condition.items()
                for condition in d.get("status", {}).get("conditions") or ()
            )
            for d in definitions
        )

    def _is_shown(self) -> bool:
        found = self._control_plane.get(_DEPLOYMENTS)["items"]
        return any(d["status"].get("availableReplicas") for d in found)


def _resource(definition: Path) -> str:
    """Return `rayjobs.ray.io` for `ray.io_rayjobs.yaml`."""
    group, _, plural = definition.stem.partition("_")
    return f"{plural}.{group}"


def _rights(folder: Path) -> list[dict[str, Any]]:
    """Return the operator's service account, roles and bindings, in its namespace."""
    documents = []
    for file in sorted(folder.glob("*.yaml")):
        document = yaml.safe_load(file.read_text())
        if file.name == "kustomization.yaml":
            continue
        if document["kind"] not in _CLUSTER_WIDE:
            document["metadata"]["namespace"] = NAMESPACE
        for subject in document.get("subjects", ()):
            subject["namespace"] = NAMESPACE
        documents.append(document)
    return documents


def _deployment() -> dict[str, Any]:
    """Return a Deployment with the labels that the operator's chart sets."""
    version = parts.PARTS["kuberay-operator"].version
    selected = {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/component": NAME,
    }
    chart = {
        "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": f"{NAME}-{version.removeprefix('v')}",
    }
    image = f"quay.io/kuberay/operator:{version}"
    pod = {
        "serviceAccountName": NAME,
        "nodeSelector": {"kubernetes.io/hostname": NODE},
        "tolerations": [{"key": _TAINT["key"], "operator": "Exists"}],
        "containers": [{"name": NAME, "image": image}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {**selected, **chart},
        },
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": selected},
            "template": {"metadata": {"labels": selected}, "spec": pod},
        },
    }
