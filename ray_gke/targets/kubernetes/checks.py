"""What a cluster must have before anything is written to it; nothing is written here.

Each refusal names the command that repairs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ray_gke.errors import RefusedError
from ray_gke.gke.nodes import GPU_RESOURCE
from ray_gke.planning.day_two import READERS
from ray_gke.rendering.pod_security import LEVEL
from ray_gke.targets.kubernetes import (
    cluster_facts,
    kuberay_operator,
    operator_gates,
    permissions,
    prometheus,
)
from ray_gke.targets.kubernetes.api import Api, NotAllowedError, UnreachableError
from ray_gke.targets.kubernetes.kuberay_install import install, upgrade
from ray_gke.targets.kubernetes.kuberay_operator import Operator
from ray_gke.targets.kubernetes.resources import Ref, labels, resource
from ray_gke.versions import KUBERAY_VERSIONS, parsed

OLDEST_KUBERNETES = "1.29"
"""The oldest Kubernetes with native sidecars, which ship the logs."""

_INSTALLED = {
    "monitoring.googleapis.com": "gcloud container clusters update CLUSTER "
    "--enable-managed-prometheus",
    "monitoring.coreos.com": "helm install prometheus-operator "
    "oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack "
    f"--namespace monitoring --create-namespace {prometheus.READS_ALL}",
}

PATIENCE_SECONDS = 10.0
"""Who has just named a cluster wants to know soon that it does not answer."""


@dataclass(frozen=True)
class Needs:
    """What is about to be done in a namespace.

    `kinds` are those of objects that are created, changed or deleted.
    `pods_restricted` tells that all pods satisfy Pod Security "restricted",
    `kuberay_version` the version that the objects were rendered for, if one was asked
    for, `gpu` that pods ask for GPUs, and `feature_gates` are what the operator must
    have on.
    """

    namespace: str
    kinds: frozenset[str]
    pods_restricted: bool = True
    kuberay_version: str | None = None
    gpu: bool = False
    feature_gates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What was found: versions, empty where unknown, and what a user should know."""

    kubernetes: str
    kuberay: str
    notes: tuple[str, ...] = ()


def reachable(api: Api) -> str:
    """Return the version of Kubernetes, such as 1.34.4.

    Raises RefusedError when there is no API server, or one that is too old.
    """
    version = _version(replace(api, patience=min(api.patience, PATIENCE_SECONDS)))
    oldest = tuple(int(part) for part in OLDEST_KUBERNETES.split("."))
    if version and parsed(version)[:2] < oldest:
        raise RefusedError(
            f"the cluster of context {api.client.context} runs Kubernetes {version}, "
            f"which has no native sidecars: {OLDEST_KUBERNETES} or later is needed",
            hint="upgrade the cluster, on GKE with gcloud container clusters upgrade "
            "NAME --master, or choose another with --context",
        )
    return version


def check(api: Api, needs: Needs) -> Findings:
    """Return what a user should know. Raises RefusedError when something is missing."""
    kubernetes = reachable(api)
    kuberay, notes = _kuberay(api, needs)
    _monitoring(api, needs)
    permissions.check(api, permissions.for_up(needs.namespace, needs.kinds))
    notes += [*_pod_security(api, needs), *_gpus(api, needs)]
    return Findings(kubernetes, kuberay, tuple(notes))


def _version(api: Api) -> str:
    """Return the version that the API server tells, empty when it does not."""
    where = f"context {api.client.context} ({api.client.server})"
    try:
        found = api.read("/version", what="ask for the version")
    except UnreachableError as error:
        raise RefusedError(
            str(error),
            hint="check the network and whether the cluster still exists, or choose "
            "another with --context: kubectl config get-contexts",
        ) from None
    except NotAllowedError as error:
        if "credentials" in str(error):
            raise
        return ""
    except ValueError:
        found = None
    told = re.match(r"v(\d+\.\d+\.\d+)", str((found or {}).get("gitVersion", "")))
    if not told:
        raise RefusedError(
            f"what answers at {where} is not a Kubernetes API server",
            hint="check the server in the kubeconfig: kubectl config view --minify",
        )
    return told[1]


def _kuberay(api: Api, needs: Needs) -> tuple[str, list[str]]:
    """Return KubeRay's version and what to say about it."""
    absent = kuberay_operator.missing_kinds(api)
    operator = kuberay_operator.find(api)
    if absent:
        raise _no_definitions(api, absent, operator)
    if operator and not operator.ready:
        raise _not_ready(operator)
    version = operator.version if operator else ""
    version = version or kuberay_operator.version_of_definitions(api) or ""
    if version and parsed(version) < parsed(kuberay_operator.OLDEST):
        raise _too_old(version, operator)
    notes = [*_about_version(version, needs.kuberay_version)]
    if operator is None:
        notes.append(
            "no Deployment of the KubeRay operator is in sight; that is so with GKE's "
            "add-on, and when other namespaces may not be listed"
        )
    notes += operator_gates.check(api, needs.feature_gates, operator)
    return "" if version == "0.0.0" else version, notes


def _no_definitions(
    api: Api, absent: tuple[str, ...], operator: Operator | None
) -> RefusedError:
    where = f"the cluster of context {api.client.context}"
    has = (
        "no KubeRay" if operator is None else "KubeRay's operator, not its definitions"
    )
    command = upgrade(operator.namespace) if operator else install()
    on_gke = "gcloud container clusters update CLUSTER --update-addons=RayOperator"
    return RefusedError(
        f"{where} has {has}: it does not know {', '.join(absent)} of ray.io/v1",
        hint=f"{command}; on GKE also its add-on: {on_gke}=ENABLED",
    )


def _not_ready(operator: Operator) -> RefusedError:
    place = f"Deployment {operator.name} in namespace {operator.namespace}"
    kubectl = f"kubectl -n {operator.namespace}"
    if not operator.wanted:
        return RefusedError(
            f"the KubeRay operator is switched off: {place} has 0 replicas",
            hint=f"{kubectl} scale deployment {operator.name} --replicas=1",
        )
    why = f": {operator.trouble}" if operator.trouble else ""
    return RefusedError(
        f"the KubeRay operator is not ready: {place} has 0 of {operator.wanted} "
        f"replicas ready{why}",
        hint=f"{kubectl} describe pods -l app.kubernetes.io/name={operator.name} and "
        f"{kubectl} logs deployment/{operator.name} say why",
    )


def _too_old(version: str, operator: Operator | None) -> RefusedError:
    oldest = kuberay_operator.OLDEST
    told = f"is {version}" if version != "0.0.0" else f"is older than {oldest}"
    namespace = operator.namespace if operator else "kuberay-system"
    return RefusedError(
        f"the cluster's KubeRay {told}; token authentication, which every cluster of "
        f"ours has, needs {oldest} or later",
        hint=upgrade(namespace),
    )


def _about_version(version: str, wanted: str | None) -> Iterator[str]:
    newest = KUBERAY_VERSIONS[-1]
    if version and parsed(version) > parsed(newest):
        yield f"KubeRay {version} is newer than {newest}, the newest that was tried"
    if version and wanted and parsed(version) < parsed(wanted):
        yield (
            f"the objects are written for KubeRay {wanted}, the cluster has {version}: "
            "fields that it does not know are refused"
        )


def _monitoring(api: Api, needs: Needs) -> None:
    """Refuse monitors that somebody asked for, where nothing would read them."""
    asked = sorted(needs.kinds & set(cluster_facts.MONITORING))
    absent = [k for k in asked if k not in cluster_facts.served(api, asked)]
    if not absent:
        return
    group = resource(absent[0]).group
    reader = next(r for kind, r in READERS.items() if resource(kind).group == group)
    raise RefusedError(
        f"the cluster of context {api.client.context} does not know "
        f"{' and '.join(absent)} of {group}: {reader} is not there",
        hint=f"{_INSTALLED[group]}, or set metrics.mode to none",
    )


def _pod_security(api: Api, needs: Needs) -> Iterator[str]:
    """Yield a warning, or refuse, where pods are not as strict as the namespace."""
    if needs.pods_restricted:
        return
    try:
        namespace = api.get(Ref("Namespace", "", needs.namespace))
    except NotAllowedError:
        return
    level = labels(namespace or {}).get(LEVEL)
    relax = (
        f"take back the patches that loosen the pods' security, or run kubectl label "
        f"namespace {needs.namespace} {LEVEL}=privileged --overwrite"
    )
    if level == "restricted":
        raise RefusedError(
            f"namespace {needs.namespace} has the label {LEVEL}=restricted, which "
            "the pods as patched, or with a GPU shared by MPS, do not satisfy",
            hint=relax,
        )
    if level == "baseline":
        yield (
            f"namespace {needs.namespace} has the label {LEVEL}=baseline; where "
            f"patches break it, no pods come: {relax}"
        )


def _gpus(api: Api, needs: Needs) -> Iterator[str]:
    """Yield a note when no node has a GPU now, which is usual where pools scale."""
    if not needs.gpu:
        return
    try:
        nodes = api.list("Node")
    except NotAllowedError:
        return
    amounts = [(node.get("status") or {}).get("allocatable") or {} for node in nodes]
    if not any(one.get(GPU_RESOURCE, "0") != "0" for one in amounts):
        yield (
            "no node has a GPU now: pods wait until the cluster adds one, if it has a "
            "node pool that may grow"
        )
