"""Kubernetes' own rules on pods, which a schema cannot say and a patch can break.

KubeRay would accept the object, and then fail to create its pods or leave them waiting.
Source: Kubernetes pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ray_gke.catalog.nearest import suggestion
from ray_gke.rendering import autoscaler_token
from ray_gke.rendering.kuberay_rules import groups, ray_cluster
from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest

Keys = Mapping[str, frozenset[str]]
"""The keys of every ConfigMap that is rendered, by its name."""

# Volumes that KubeRay adds to Ray's pods, and with the autoscaler to the head's; a
# container beside Ray's may mount them. Source: controllers/ray/common/pod.go.
_ADDED = frozenset({"shared-mem"})
_ADDED_FOR_AUTOSCALER = frozenset({"ray-logs"})

_CONTAINERS = ("initContainers", "containers")
_TEMPLATE: Mapping[str, Path] = {
    "Deployment": ("spec", "template"),
    "RayJob": ("spec", "submitterPodTemplate"),
}


def config_map_keys(objects: Iterable[Manifest]) -> Keys:
    """Return what `faults` needs to know of the ConfigMaps among the objects."""
    return {
        one["metadata"]["name"]: frozenset(
            {**(one.get("data") or {}), **(one.get("binaryData") or {})}
        )
        for one in objects
        if one.get("kind") == "ConfigMap"
    }


def faults(one: Manifest, keys: Keys) -> Iterator[Fault]:
    """Yield the rules that an object's pods break, whose fields the schemas passed."""
    if one["kind"] in _TEMPLATE:
        place = (*_TEMPLATE[one["kind"]], "spec")
        pod = _at(one, place)
        yield from _pod(pod, place, _volumes(pod), keys)
    path, cluster = ray_cluster(one)
    if cluster:
        yield from _cluster(cluster, path, keys)


def collected_by_gke(one: Manifest) -> Iterator[Fault]:
    """Yield what the collector of GKE's Ray operator add-on does not go with.

    Source: Google Cloud, "Collect and view logs and metrics for Ray clusters on GKE".
    """
    path, cluster = ray_cluster(one)
    for group, place in groups(cluster, path) if cluster else ():
        volumes = _at(group, ("template", "spec")).get("volumes", ())
        for index, volume in enumerate(volumes):
            if volume["name"] in _ADDED_FOR_AUTOSCALER:
                yield Fault(
                    (*place, "template", "spec", "volumes", index, "name"),
                    "the log collector of GKE adds a volume of this name itself",
                    "call it otherwise, or do without that collector",
                )


def _cluster(spec: Manifest, path: Path, keys: Keys) -> Iterator[Fault]:
    for index, (group, place) in enumerate(groups(spec, path)):
        pod = _at(group, ("template", "spec"))
        known = _volumes(pod) | _ADDED
        if index == 0 and spec.get("enableInTreeAutoscaling"):
            # The autoscaler is a container of the head's pod.
            known |= _ADDED_FOR_AUTOSCALER
            options = spec.get("autoscalerOptions", {})
            yield from _mounts(options, (*path, "autoscalerOptions"), known)
            yield from _token(options, (*path, "autoscalerOptions"), pod)
        yield from _pod(pod, (*place, "template", "spec"), known, keys)


def _pod(
    pod: Manifest, place: Path, known: frozenset[str], keys: Keys
) -> Iterator[Fault]:
    for kind in _CONTAINERS:
        for index, container in enumerate(pod.get(kind, ())):
            yield from _mounts(container, (*place, kind, index), known)
    yield from _names_twice(pod, place)
    for index, volume in enumerate(pod.get("volumes", ())):
        for source, path in _config_maps(volume, (*place, "volumes", index)):
            yield from _items(source, path, keys)


def _mounts(container: Manifest, place: Path, known: frozenset[str]) -> Iterator[Fault]:
    for index, mount in enumerate(container.get("volumeMounts", ())):
        if mount["name"] not in known:
            path = (*place, "volumeMounts", index, "name")
            message = f"no volume of the pod is called {mount['name']}"
            hint = "list it in volumes too: a patch replaces the whole list"
            yield Fault(path, message, hint)


def _token(options: Manifest, place: Path, pod: Manifest) -> Iterator[Fault]:
    """A patch may bring an autoscaler, or take what it asks Kubernetes with."""
    mounted = [mount["mountPath"] for mount in options.get("volumeMounts", ())]
    whole_pods = pod.get("automountServiceAccountToken")
    if autoscaler_token.PLACE not in mounted and not whole_pods:
        message = "the autoscaler gets no token, and so no workers from Kubernetes"
        hint = (
            f"list the volume {autoscaler_token.VOLUME} and its mount, as ray-gke "
            "render shows them for groups that may grow: a patch replaces whole lists"
        )
        yield Fault((*place, "volumeMounts"), message, hint)


def _names_twice(pod: Manifest, place: Path) -> Iterator[Fault]:
    containers = [
        (container["name"], (*place, kind, index, "name"))
        for kind in _CONTAINERS
        for index, container in enumerate(pod.get(kind, ()))
    ]
    volumes = [
        (volume["name"], (*place, "volumes", index, "name"))
        for index, volume in enumerate(pod.get("volumes", ()))
    ]
    for word, named in (("container", containers), ("volume", volumes)):
        counts = Counter(name for name, _ in named)
        last = {name: path for name, path in named if counts[name] > 1}
        for name, path in last.items():
            yield Fault(path, f"another {word} of the pod is called {name} too")


def _config_maps(volume: Manifest, place: Path) -> Iterator[tuple[Manifest, Path]]:
    if "configMap" in volume:
        yield volume["configMap"], (*place, "configMap")
    sources = volume.get("projected", {}).get("sources", ())
    for index, source in enumerate(sources):
        if "configMap" in source:
            path = (*place, "projected", "sources", index, "configMap")
            yield source["configMap"], path


def _items(source: Manifest, place: Path, keys: Keys) -> Iterator[Fault]:
    name = source.get("name", "")
    if name not in keys or source.get("optional"):
        return
    for index, item in enumerate(source.get("items", ())):
        if item["key"] not in keys[name]:
            message = f"ConfigMap {name} has no key {item['key']}"
            hint = suggestion(item["key"], keys[name])
            yield Fault((*place, "items", index, "key"), message, hint)


def _volumes(pod: Manifest) -> frozenset[str]:
    return frozenset(volume["name"] for volume in pod.get("volumes", ()))


def _at(one: Manifest, path: Path) -> Manifest:
    found: Any = one
    for step in path:
        found = found.get(step, {})
    return dict(found)
