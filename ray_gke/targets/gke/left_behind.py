"""What proves that something in Google Cloud was left behind by a cluster.

A proof is a digest or uid that only this cluster had, where GKE's controllers put it,
within the cluster's life, in its project and its network. Labels prove nothing: anybody
copies them. What is not proven is none of ours.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ray_gke.gke.prices import Prices
from ray_gke.gke.zones import region_of
from ray_gke.targets.gke import cloud_names
from ray_gke.targets.gke.fingerprint import CSI_DRIVER, Fingerprint
from ray_gke.targets.google.answers import CloudResource, ServiceAccount

KINDS: Mapping[str, str] = {
    "forwardingRules": "forwarding rule",
    "addresses": "address",
    "networkEndpointGroups": "network endpoint group",
    "firewalls": "firewall rule",
    "disks": "disk",
}
"""Google's collections and what they are in words, users before what they use."""

_LEGACY_SERVICE = "kubernetes.io/service-name"
_SERVICE = "networking.gke.io/service-name"
_INGRESS = "kubernetes.io/ingress-name"
_PRICED = {"forwardingRules", "addresses", "disks"}
_CLUSTER_ID = "goog-gke-cluster-id-base32"
_OF_CLUSTER = {
    "goog-k8s-cluster-name": "cluster",
    "goog-k8s-cluster-location": "location",
}


@dataclass(frozen=True)
class Found:
    """Something of the cluster's: why it is, and why it has to stay, if it has to.

    `used` tells that it stays because something else uses it.
    """

    what: CloudResource | ServiceAccount
    why: str
    stays: str = ""
    used: bool = False

    def __str__(self) -> str:
        """Return it in words: `disk pvc-1 in europe-west4-a`."""
        if isinstance(self.what, ServiceAccount):
            return f"service account {self.what.email}"
        where = "" if self.what.place == "global" else f" in {self.what.place}"
        return f"{KINDS[self.what.kind]} {self.what.name}{where}"


def path(one: CloudResource) -> str:
    """Return the path of something within its project, as Google's URLs have it."""
    if one.place == "global":
        return f"global/{one.kind}/{one.name}"
    places = "zones" if one.place.count("-") > 1 else "regions"
    return f"{places}/{one.place}/{one.kind}/{one.name}"


def judge(of: Fingerprint, one: CloudResource) -> Found | None:
    """Return what proves that something is the cluster's, None where nothing does."""
    if not (_in_time(of, one) and _in_project(of, one)):
        return None
    if one.kind == "disks":
        return _disk(of, one)
    if one.kind == "forwardingRules" and _is_gateways(of, one):
        why = "a Gateway named it"
        return Found(one, why, "it is named by a Gateway, and carries no proof itself")
    proofs = {
        "forwardingRules": _forwarding_rule,
        "addresses": _address,
        "networkEndpointGroups": _neg,
        "firewalls": _firewall,
    }
    why = proofs[one.kind](of, one) if one.kind in proofs else ""
    return Found(one, why) if why else None


def judge_account(of: Fingerprint, one: ServiceAccount) -> Found | None:
    """Return that this is the very account that was made for the cluster's nodes."""
    account = of.account
    if account and (account.email, account.unique_id) == (one.email, one.unique_id):
        return Found(one, "its unique id is that of the nodes' account")
    return None


def cost(prices: Prices, one: Found) -> str:
    """Return in words what something costs a month, as far as the price file knows.

    Rules, groups and accounts have no price: Google bills what uses them (Virtual
    Private Cloud pricing, Cloud Load Balancing pricing).
    """
    if isinstance(one.what, ServiceAccount) or one.what.kind not in _PRICED:
        return "costs nothing"
    price = monthly(prices, one.what)
    if price is None:
        return "its price is unknown"
    return f"about {price:.2f} {prices.currency} a month"


def monthly(prices: Prices, one: CloudResource) -> Decimal | None:
    """Return what something costs a month, None where the price file does not say.

    Disks in two zones have a price of their own, which it does not have.
    """
    size, kind = str(one.values.get("sizeGb", "")), str(one.values.get("type", ""))
    per_gib = prices.disks.get(kind.rpartition("/")[2])
    if one.kind != "disks" or one.values.get("replicaZones") or per_gib is None:
        return None
    return per_gib * int(size) if size.isdecimal() else None


def _in_time(of: Fingerprint, one: CloudResource) -> bool:
    begun, made = _time(of.created), _time(one.created)
    ended = _time(of.ended)
    if begun is None or made is None or ended is None:
        return False
    return begun <= made <= ended


def _time(text: str) -> datetime | None:
    """Return a time of RFC 3339, None for what is none: it proves nothing."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _in_project(of: Fingerprint, one: CloudResource) -> bool:
    """Tell whether all URLs that tell of a project tell of the cluster's."""
    links = [one.values.get(key) for key in ("selfLink", "subnetwork")]
    found = [link for link in links if isinstance(link, str) and "projects/" in link]
    return all(f"projects/{of.project}/" in link for link in found)


def _described(one: CloudResource) -> Mapping[str, str]:
    """Return the JSON that controllers write into descriptions; nothing for others."""
    try:
        found = json.loads(one.description)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _named(text: str | None) -> tuple[str, str]:
    """Return namespace and name of `NAMESPACE/NAME`, empty for anything else."""
    namespace, _, name = (text or "").partition("/")
    return (namespace, name) if namespace and name else ("", "")


def _region(of: Fingerprint) -> str:
    return region_of(of.location) if of.location.count("-") > 1 else of.location


def _disk(of: Fingerprint, one: CloudResource) -> Found | None:
    told = _described(one)
    made = told.get("storage.gke.io/created-by") == CSI_DRIVER
    named = told.get("kubernetes.io/created-for/pv/name") == one.name
    if not made or not named or not _labelled(of, one):
        return None
    volume = next((each for each in of.volumes if each.disk == path(one)), None)
    if volume and volume.name == one.name:
        why = f"the disk of the cluster's volume {volume.name}"
        kept = volume.reclaim_policy != "Delete"
        stays = f"its reclaim policy is {volume.reclaim_policy}" if kept else ""
        return Found(one, why, stays)
    if one.labels.get(_CLUSTER_ID) == _base32(of.id):
        why = "its label has the cluster's id"
        return Found(one, why, "nobody has seen its volume, and its reclaim policy")
    return None


def _labelled(of: Fingerprint, one: CloudResource) -> bool:
    """Tell whether no label says that this is another cluster's."""
    wanted = {label: getattr(of, field) for label, field in _OF_CLUSTER.items()}
    wanted[_CLUSTER_ID] = _base32(of.id)
    return all(one.labels.get(label, value) == value for label, value in wanted.items())


def _base32(cluster_id: str) -> str:
    """Return a cluster's id as GKE writes it into labels."""
    try:
        return base64.b32encode(bytes.fromhex(cluster_id)).decode().lower().rstrip("=")
    except (ValueError, binascii.Error):
        return ""


def _is_gateways(of: Fingerprint, one: CloudResource) -> bool:
    return one.name.startswith("gkegw") and any(
        rule.endswith(f"/{path(one)}") for rule in of.gateway_rules
    )


def _forwarding_rule(of: Fingerprint, one: CloudResource) -> str:
    if one.network not in ("", of.network):
        return ""
    if one.place == _region(of) and (why := _of_service(of, one)):
        return why
    namespace, name = _named(_described(one).get(_INGRESS))
    here = one.place in ("global", _region(of))
    if not (here and of.system_uid and name):
        return ""
    names = cloud_names.ingress_rules(of.system_uid, namespace, name)
    return f"of the cluster's Ingress {namespace}/{name}" if one.name in names else ""


def _address(of: Fingerprint, one: CloudResource) -> str:
    if one.place != _region(of) or one.network not in ("", of.network):
        return ""
    return _of_service(of, one)


def _of_service(of: Fingerprint, one: CloudResource) -> str:
    """Return that a rule or an address is of the load balancer of a Service."""
    told = _described(one)
    legacy = told.get(_LEGACY_SERVICE)
    for service in of.services:
        named = f"{service.namespace}/{service.name}"
        if legacy == named and one.name == cloud_names.load_balancer(service.uid):
            return f"of the cluster's Service {named}"
    namespace, name = _named(told.get(_SERVICE) or legacy)
    if not (of.system_uid and name):
        return ""
    names = cloud_names.service_rules(of.system_uid, namespace, name)
    return f"of the cluster's Service {namespace}/{name}" if one.name in names else ""


def _neg(of: Fingerprint, one: CloudResource) -> str:
    told = _described(one)
    namespace, service = told.get("namespace", ""), told.get("service-name", "")
    here = _region(of) in (one.place, region_of(one.place))
    ours = bool(of.system_uid) and told.get("cluster-uid") == of.system_uid
    if not (here and ours and one.network == of.network):
        return ""
    # Groups that somebody has made for a Service have its description as well.
    names = {cloud_names.service_neg(of.system_uid, namespace, service)}
    for uid in of.ingress_uids:
        names.add(cloud_names.neg(uid, namespace, service, told.get("port", "")))
    why = f"of the cluster's Service {namespace}/{service}"
    return why if one.name in names else ""


def _firewall(of: Fingerprint, one: CloudResource) -> str:
    tag = cloud_names.node_tag(of.cluster, of.id)
    if one.values.get("targetTags") != [tag] or one.network != of.network:
        return ""
    if one.name in cloud_names.cluster_firewalls(of.cluster, of.id):
        # GKE describes none of them.
        return "" if one.description else "its name and target have the cluster's id"
    return _shared_firewall(of, one) or _services_firewall(of, one)


def _shared_firewall(of: Fingerprint, one: CloudResource) -> str:
    for uid in of.ingress_uids:
        described = _described(one).get("kubernetes.io/cluster-id") == uid
        if one.name in cloud_names.shared_firewalls(uid) or (
            described and one.name == cloud_names.health_check_firewall(uid)
        ):
            return "its name has the id of the cluster's load balancers"
    if not of.system_uid:
        return ""
    names = cloud_names.shared_service_firewalls(of.system_uid)
    return "its name has a digest of the cluster's own" if one.name in names else ""


def _services_firewall(of: Fingerprint, one: CloudResource) -> str:
    told = _described(one)
    for service in of.services:
        named = f"{service.namespace}/{service.name}"
        names = cloud_names.load_balancer_firewalls(service.uid)
        if told.get(_LEGACY_SERVICE) == named and one.name in names:
            return f"of the cluster's Service {named}"
    namespace, name = _named(told.get(_SERVICE))
    if not (of.system_uid and name):
        return ""
    names = cloud_names.service_firewalls(of.system_uid, namespace, name)
    return f"of the cluster's Service {namespace}/{name}" if one.name in names else ""
