"""What only one cluster had, taken while it is there: proofs for when it is gone.

Names and labels can be anybody's, and another cluster may have had the same name. It is
kept in the platform's folder until nothing of the cluster is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ray_gke.events import Emit, Note
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.gke.stacks import Outputs, Stacks
from ray_gke.targets.google.answers import ServiceAccount, Unread
from ray_gke.targets.google.client import Google
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.terraform.working_copy import remember, remembered

CSI_DRIVER = "pd.csi.storage.gke.io"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_GATEWAYS_RULES = "networking.gke.io/forwarding-rules"
_Reader = Callable[[Api, "Fingerprint"], Mapping[str, Any]]
_UNTOLD = "what the cluster leaves behind may not be found"


@dataclass(frozen=True)
class Service:
    """A Service of type LoadBalancer."""

    uid: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Volume:
    """A PersistentVolume whose disk was made for it.

    `disk` is the disk's path within the project, `reclaim_policy` Delete or Retain.
    """

    name: str
    disk: str
    reclaim_policy: str


@dataclass(frozen=True)
class Account:
    """A service account that Terraform made for the nodes."""

    email: str
    unique_id: str


@dataclass(frozen=True)
class Fingerprint:
    """What only this cluster had.

    `id` is Google's, `created` and `ended` are times of RFC 3339: `ended` is when it
    was first known to be gone, empty until then. `system_uid` is that of the namespace
    kube-system, `ingress_uids` are what the controllers of load balancers call the
    cluster, `gateway_rules` the forwarding rules that its Gateways name.
    """

    project: str
    cluster: str
    location: str
    id: str
    created: str
    network: str
    ended: str = ""
    system_uid: str = ""
    ingress_uids: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    volumes: tuple[Volume, ...] = ()
    gateway_rules: tuple[str, ...] = ()
    account: Account | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Fingerprint:
        """Return one as `asdict` and JSON have it."""
        account = values.get("account")
        return cls(
            **{
                **values,
                "ingress_uids": tuple(values["ingress_uids"]),
                "services": tuple(Service(**one) for one in values["services"]),
                "volumes": tuple(Volume(**one) for one in values["volumes"]),
                "gateway_rules": tuple(values["gateway_rules"]),
                "account": Account(**account) if account else None,
            }
        )


def known(stacks: Stacks) -> list[Fingerprint]:
    """Return those that are kept; none where the file is missing or damaged."""
    found = remembered(stacks.fingerprints).get("clusters")
    try:
        return [Fingerprint.of(one) for one in found] if isinstance(found, list) else []
    except (KeyError, TypeError):
        return []


def keep(stacks: Stacks, prints: Sequence[Fingerprint]) -> None:
    """Keep these, and no others."""
    if prints:
        values = {"clusters": [asdict(one) for one in prints]}
        remember(stacks.fingerprints, values)
    else:
        stacks.fingerprints.unlink(missing_ok=True)


def take(stacks: Stacks, google: Google, api: Api, emit: Emit, *, ending: bool) -> None:
    """Take the fingerprint of the platform's cluster, and keep it with earlier ones.

    `api` is the cluster, which answers. Its volumes are of it only when it is `ending`:
    until then somebody may decide to keep a disk. What may not be read is told as a
    warning.
    """
    outputs = stacks.outputs()
    found = _begun(stacks, google, outputs, emit) if outputs else None
    if found is None:
        return
    earlier = known(stacks)
    before = next((one for one in earlier if one.id == found.id), found)
    others = [one for one in earlier if one.id != found.id]
    readers = [*_READERS, *([_volumes] if ending else [])]
    now = _read(api, found, readers, stacks.name, emit)
    keep(stacks, [*others, _merged(before, now)])


def _begun(
    stacks: Stacks, google: Google, outputs: Outputs, emit: Emit
) -> Fingerprint | None:
    """Return what Google says of the cluster."""
    clusters = google.clusters()
    if isinstance(clusters, Unread):
        text = f"{_UNTOLD}: {clusters.message}"
        emit(Note(stacks.name, text, warning=True))
        return None
    for one in clusters:
        if (one.name, one.location) == (outputs.name, outputs.location):
            return Fingerprint(
                project=stacks.whole.spec.project or "",
                cluster=one.name,
                location=one.location,
                id=one.id,
                created=one.created,
                network=one.network.rpartition("/")[2],
                account=_account(stacks, google),
            )
    return None


def _account(stacks: Stacks, google: Google) -> Account | None:
    """Return the nodes' account, where it is one that the stack has made."""
    cluster = stacks.last_variables().get("cluster", {})
    email = stacks.remembered_outputs().get("node_service_account")
    if cluster.get("node_service_account") or not isinstance(email, str):
        return None
    found = google.service_account(email)
    if isinstance(found, ServiceAccount):
        return Account(found.email, found.unique_id)
    return None


def _read(
    api: Api, begun: Fingerprint, readers: Sequence[_Reader], name: str, emit: Emit
) -> Fingerprint:
    """Return the same with what the cluster itself says."""

    def one(read: _Reader) -> Mapping[str, Any]:
        try:
            return read(api, begun)
        except NotAllowedError as error:
            emit(Note(name, f"{_UNTOLD}: {error}", warning=True))
            return {}

    values: dict[str, Any] = {}
    for found in api.in_parallel(one, readers):
        values |= found
    return replace(begun, **values)


def _system(api: Api, _: Fingerprint) -> Mapping[str, Any]:
    found = api.get(Ref("Namespace", "", "kube-system"))
    return {"system_uid": found["metadata"]["uid"]} if found else {}


def _ingress_uids(api: Api, _: Fingerprint) -> Mapping[str, Any]:
    found = api.get(Ref("ConfigMap", "kube-system", "ingress-uid")) or {}
    data = found.get("data") or {}
    uids = {data.get("uid"), data.get("provider-uid")} - {None, ""}
    return {"ingress_uids": tuple(sorted(uids))}


def _services(api: Api, _: Fingerprint) -> Mapping[str, Any]:
    metadata = [
        one["metadata"]
        for one in api.list("Service")
        if one["spec"].get("type") == "LoadBalancer"
    ]
    return {
        "services": tuple(
            Service(one["uid"], one["namespace"], one["name"]) for one in metadata
        )
    }


def _gateway_rules(api: Api, _: Fingerprint) -> Mapping[str, Any]:
    named = (
        (one["metadata"].get("annotations") or {}).get(_GATEWAYS_RULES, "")
        for one in api.list("Gateway")
    )
    rules = {rule.strip() for text in named for rule in text.split(",")} - {""}
    return {"gateway_rules": tuple(sorted(rules))}


_READERS: tuple[_Reader, ...] = (_system, _ingress_uids, _services, _gateway_rules)


def _volumes(api: Api, begun: Fingerprint) -> Mapping[str, Any]:
    found = (_volume(one, begun.project) for one in api.list("PersistentVolume"))
    return {"volumes": tuple(one for one in found if one)}


def _volume(one: Manifest, project: str) -> Volume | None:
    """Return a volume whose disk the driver has made, in this project."""
    metadata, spec = one["metadata"], one["spec"]
    csi = spec.get("csi") or {}
    made = (metadata.get("annotations") or {}).get(_PROVISIONED_BY)
    begin = f"projects/{project}/"
    handle = csi.get("volumeHandle", "")
    if {made, csi.get("driver")} != {CSI_DRIVER} or not handle.startswith(begin):
        return None
    policy = spec.get("persistentVolumeReclaimPolicy", "Retain")
    return Volume(metadata["name"], handle.removeprefix(begin), policy)


def _merged(before: Fingerprint, now: Fingerprint) -> Fingerprint:
    """Return what is known of a cluster after a second look.

    Whoever takes a volume out of the cluster may keep its disk: only those that are in
    it now count. The load balancers of Services are the cluster's own, at any time.
    """
    return replace(
        now,
        system_uid=now.system_uid or before.system_uid,
        ingress_uids=_union(before.ingress_uids, now.ingress_uids),
        services=_union(before.services, now.services),
        gateway_rules=_union(before.gateway_rules, now.gateway_rules),
        account=now.account or before.account,
    )


def _union(before: Iterable[Any], now: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys((*before, *now)))
