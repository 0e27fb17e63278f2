"""What a cluster leaves in Google Cloud, as the APIs tell it, and what looks like it.

The digests in the names were computed apart from ray-gke, and the ways to compute them
compared with names that GKE gave: `k8s2-fs-cv7jfe6h-…-hoobrnfc` of an Ingress,
`k8s1-4f946e07-store-store-8080-7b705079` of a network endpoint group.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

PROJECT = "my-project"
CREATED = "2026-03-01T10:00:00+00:00"
ENDED = "2026-03-05T10:00:00+00:00"
DURING = "2026-03-02T03:04:05.678-07:00"
CLUSTER_ID = "0712d06dfd144b98b0a7162a47a764e432eb71b479764b7498a6d6ea89d29011"
CLUSTER_ID_IN_LABELS = "a4jna3p5crfzrmfhcyvepj3e4qzow4nupf3ew5eyu3lovcossaiq"
SYSTEM_UID = "3312ea4b-41f7-4411-93df-e819fa1f5244"
INGRESS_UID = "b713ed6704c1a9e2"
SERVICE_UID = "5e1c1f0a-7d2b-4a63-9a0e-3b7c55d1e9f2"
LOAD_BALANCER = "a5e1c1f0a7d2b4a639a0e3b7c55d1e9f"
ZONE, REGION = "europe-west4-a", "europe-west4"
VOLUMES = (
    "pvc-0259a8b1-e797-40f4-960f-129d7f942907",
    "pvc-fa1b3f13-01c7-47e6-b14a-34e0437bced0",
    "pvc-cb1f9b4a-0e9a-4ed9-9017-b90e6025e34f",
)
RETAINED = "pvc-47bfcb93-e570-4a2c-937f-e2679f651444"
ACCOUNT = f"demo-nodes@{PROJECT}.iam.gserviceaccount.com"
ACCOUNT_ID = "104729104729104729104"

FINGERPRINT: Mapping[str, Any] = {
    "project": PROJECT,
    "cluster": "demo",
    "location": REGION,
    "id": CLUSTER_ID,
    "created": CREATED,
    "network": "demo",
    "ended": ENDED,
    "system_uid": SYSTEM_UID,
    "ingress_uids": [INGRESS_UID],
    "services": [{"uid": SERVICE_UID, "namespace": "vision", "name": "web"}],
    "volumes": [
        {"name": name, "disk": f"{place}/disks/{name}", "reclaim_policy": policy}
        for name, place, policy in (
            (VOLUMES[0], f"zones/{ZONE}", "Delete"),
            (VOLUMES[1], f"regions/{REGION}", "Delete"),
            (VOLUMES[2], f"zones/{ZONE}", "Delete"),
            (RETAINED, f"zones/{ZONE}", "Retain"),
        )
    ],
    "gateway_rules": [
        f"/projects/{PROJECT}/global/forwardingRules/gkegw1-nv9e-vision-gate-v71xu3da"
    ],
    "account": {"email": ACCOUNT, "unique_id": ACCOUNT_ID},
}
"""What was kept of the cluster `demo`, which lived for four days."""

_COMPUTE = "https://www.googleapis.com/compute/v1"
_OTHERS = {
    SYSTEM_UID: "19b9b1a7-4859-4a49-a3af-2e9bd22c277f",
    "cv7jfe6h": "w2ill1pp",
    "kokdth3i": "ww3cirqn",
    "d5y86wa3": "77ubvv3g",
    "b713ed67": "4f946e07",
    "a8ab1877": "df1a8c69",
    "0712d06d": "a7f64acd",
    LOAD_BALANCER: "a7d2b4a639a0e3b7c55d1e9f25e1c1f0",
    **{one: one.replace("-4", "-5") for one in VOLUMES},
}
"""What only our cluster has, and what a cluster of the same name has instead."""


@dataclass(frozen=True)
class Leftover:
    """A resource in a collection and a place, with what the API says of it."""

    kind: str
    place: str
    values: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, str]:
        """What no other resource of the project has."""
        name = self.values["email" if self.kind == "serviceAccounts" else "name"]
        return (self.kind, self.place, name)

    def but(self, **values: Any) -> Leftover:
        """Return the same with other values."""
        return replace(self, values={**self.values, **values})


def url(kind: str, place: str, name: str, project: str = PROJECT) -> str:
    """Return a resource's URL; `place` is such as `regions/europe-west4`."""
    return f"{_COMPUTE}/projects/{project}/{place}/{kind}/{name}"


def _of_service(name: str) -> str:
    return json.dumps({"kubernetes.io/service-name": name})


def _of_newer_service(name: str) -> str:
    told = {
        "networking.gke.io/service-name": name,
        "networking.gke.io/api-version": "ga",
    }
    return json.dumps(told, separators=(",", ":"))


def _rule(name: str, description: str, place: str = REGION) -> Leftover:
    return Leftover(
        "forwardingRules", place, {"name": name, "description": description}
    )


def _address(name: str, description: str) -> Leftover:
    return Leftover("addresses", REGION, {"name": name, "description": description})


def _neg(name: str, service: str, zone: str = ZONE) -> Leftover:
    told = {
        "cluster-uid": SYSTEM_UID,
        "namespace": "vision",
        "service-name": service,
        "port": "8000",
    }
    values = {
        "name": name,
        "description": json.dumps(told, separators=(",", ":")),
        "network": url("networks", "global", "demo"),
        "subnetwork": url("subnetworks", f"regions/{REGION}", "demo"),
    }
    return Leftover("networkEndpointGroups", zone, values)


def _firewall(name: str, description: str = "") -> Leftover:
    values = {
        "name": name,
        "description": description,
        "network": url("networks", "global", "demo"),
        "targetTags": ["gke-demo-0712d06d-node"],
    }
    return Leftover("firewalls", "global", values)


def disk(name: str, place: str = ZONE, **values: Any) -> Leftover:
    """Return a disk as the driver makes it for a volume."""
    told = {
        "kubernetes.io/created-for/pv/name": name,
        "kubernetes.io/created-for/pvc/name": "models",
        "kubernetes.io/created-for/pvc/namespace": "vision",
        "storage.gke.io/created-by": "pd.csi.storage.gke.io",
    }
    made = {
        "name": name,
        "description": json.dumps(told, separators=(",", ":")),
        "labels": {
            "goog-gke-cluster-id-base32": CLUSTER_ID_IN_LABELS,
            "goog-gke-volume": "",
            "goog-k8s-cluster-location": REGION,
            "goog-k8s-cluster-name": "demo",
        },
        "sizeGb": "100",
        "type": f"{_COMPUTE}/projects/{PROJECT}/zones/{ZONE}/diskTypes/pd-balanced",
    }
    return Leftover("disks", place, {**made, **values})


_INNER = "k8s2-tcp-cv7jfe6h-vision-inner-kokdth3i"
OURS = tuple(
    one.but(creationTimestamp=DURING)
    for one in (
        _rule(LOAD_BALANCER, _of_service("vision/web")),
        _rule(_INNER, _of_newer_service("vision/inner")).but(
            network=url("networks", "global", "demo"),
            subnetwork=url("subnetworks", f"regions/{REGION}", "demo"),
        ),
        _rule(f"{_INNER}-ipv6", _of_newer_service("vision/inner")),
        *(
            _rule(
                f"k8s2-{sort}-cv7jfe6h-vision-front-d5y86wa3",
                '{"kubernetes.io/ingress-name": "vision/front"}',
                "global",
            )
            for sort in ("fr", "fs")
        ),
        _address(LOAD_BALANCER, _of_service("vision/web")),
        _address(_INNER, _of_service("vision/inner")),
        _neg("k8s1-b713ed67-vision-web-8000-a8ab1877", "web"),
        _neg("k8s1-b713ed67-vision-web-8000-a8ab1877", "web", "europe-west4-b"),
        _neg("k8s2-cv7jfe6h-vision-inner-kokdth3i", "inner"),
        *(
            _firewall(f"gke-demo-0712d06d-{end}")
            for end in ("all", "vms", "master", "inkubelet", "exkubelet")
        ),
        _firewall(
            f"k8s-fw-{LOAD_BALANCER}",
            '{"kubernetes.io/service-name":"vision/web", '
            '"kubernetes.io/service-ip":"203.0.113.7"}',
        ),
        _firewall(
            f"k8s-{INGRESS_UID}-node-http-hc",
            json.dumps({"kubernetes.io/cluster-id": INGRESS_UID}),
        ),
        _firewall(f"k8s-fw-l7--{INGRESS_UID}", "GCE L7 firewall rule"),
        _firewall("k8s2-cv7jfe6h-l4-shared-hc-fw"),
        _firewall(
            "k8s2-cv7jfe6h-vision-inner-kokdth3i", _of_newer_service("vision/inner")
        ),
        _firewall(
            "k8s3-cv7jfe6h-kokdth3i-vision-inner-deny",
            _of_newer_service("vision/inner"),
        ),
        disk(VOLUMES[0]),
        disk(VOLUMES[1], REGION, replicaZones=[ZONE]),
        disk(VOLUMES[2], labels={}),
    )
)
"""One of each sort of what the cluster `demo` left, but for the account."""

ACCOUNT_LEFT = Leftover(
    "serviceAccounts", "global", {"email": ACCOUNT, "uniqueId": ACCOUNT_ID}
)

Variation = Callable[[Leftover], Leftover]


def look_alikes() -> Iterator[tuple[str, Leftover]]:
    """Yield what is somebody else's, or to be kept, each with what makes it so."""
    for one in OURS:
        for what, variation in _variations(one).items():
            yield f"{one.key}: {what}", variation(one)
    yield from _others()


def _variations(one: Leftover) -> dict[str, Variation]:
    found: dict[str, Variation] = {
        "made before the cluster": _with(creationTimestamp="2026-03-01T09:59:59Z"),
        "made after its end": _with(creationTimestamp="2026-03-05T11:00:01+01:00"),
        "made at no time": _with(creationTimestamp=""),
        "made at a time of no zone": _with(creationTimestamp="2026-03-02T10:00:00"),
        "of a cluster of the same name": _of_another,
        "its name alone of another": _named_as_another,
        "its name goes on": lambda o: o.but(name=f"{o.values['name']}-copy"),
        "its name begins otherwise": lambda o: o.but(name=f"my-{o.values['name']}"),
    }
    if one.values.get("description", "").startswith("{"):
        found |= _OF_DESCRIPTIONS
    if "network" in one.values:
        other = url("networks", "global", "default")
        found["in another network"] = _with(network=other)
    if "subnetwork" in one.values:
        shared = url("subnetworks", f"regions/{REGION}", "demo", "host-project")
        found["in another project's network"] = _with(subnetwork=shared)
    if one.place != "global":
        found["in another place"] = lambda o: replace(o, place=_elsewhere(o.place))
    return found | _OF_KINDS.get(one.kind, {})


def _with(**values: Any) -> Variation:
    return lambda one: one.but(**values)


def _of_another(one: Leftover) -> Leftover:
    text = json.dumps(one.values)
    for ours, theirs in _OTHERS.items():
        text = text.replace(ours, theirs)
    return replace(one, values=json.loads(text))


def _named_as_another(one: Leftover) -> Leftover:
    return one.but(name=_of_another(one).values["name"])


def _elsewhere(place: str) -> str:
    return place.replace("west4", "west1").replace("-a", "-b")


def _described(change: Callable[[str], str]) -> Variation:
    return lambda one: one.but(description=change(one.values["description"]))


_OF_DESCRIPTIONS: dict[str, Variation] = {
    "described as another's": lambda o: o.but(
        description=_of_another(o).values["description"].replace("vision", "speech")
    ),
    "described by broken JSON": _described(lambda text: text[:-1]),
    "described by a list": _described(lambda text: f"[{text}]"),
    "described in words": _described(lambda text: f"was: {text}"),
    "described in capitals": _described(str.upper),
}
_OF_KINDS: dict[str, dict[str, Variation]] = {
    "firewalls": {
        "for nodes of another cluster": _with(targetTags=["gke-demo-a7f64acd-node"]),
        "for more than the nodes": _with(targetTags=["gke-demo-0712d06d-node", "db"]),
        "for all machines": _with(targetTags=[]),
    },
    "networkEndpointGroups": {
        "of a name given by hand": _with(name="front"),
        "of another cluster's uid": _described(
            lambda text: text.replace(SYSTEM_UID, _OTHERS[SYSTEM_UID])
        ),
        "of another Service": _described(lambda text: text.replace("vision", "speech")),
    },
    "forwardingRules": {
        "in another region": lambda o: replace(o, place="us-central1"),
    },
    "addresses": {
        "reserved by hand": _with(name="a5e1c1f0a7d2b4a6", description="the website's"),
        "used by a machine": _with(
            users=[url("instances", f"zones/{ZONE}", "bastion")]
        ),
    },
    "disks": {
        "in use": _with(users=[url("instances", f"zones/{ZONE}", "rescue")]),
        "labelled with another cluster": lambda o: _labelled(
            o, "goog-k8s-cluster-name", "prod"
        ),
        "labelled with another location": lambda o: _labelled(
            o, "goog-k8s-cluster-location", "us-central1"
        ),
        "labelled with another id": lambda o: _labelled(
            o, "goog-gke-cluster-id-base32", f"b{CLUSTER_ID_IN_LABELS[1:]}"
        ),
        "made by another driver": _described(
            lambda text: text.replace("pd.csi", "filestore.csi")
        ),
        "of another volume": _described(lambda text: text.replace('"pvc-', '"old-')),
        "in another zone": lambda o: replace(o, place="europe-west4-c"),
        "a copy by hand": _with(name="models-before-the-move"),
    },
}


def _labelled(one: Leftover, label: str, value: str) -> Leftover:
    return one.but(labels={**one.values["labels"], label: value})


def _others() -> Iterator[tuple[str, Leftover]]:
    """Yield what is not almost one of ours."""
    unseen = "pvc-3e062223-21e3-477f-b46f-ce072842f5df"
    everywhere = {"creationTimestamp": DURING}
    yield "a volume to be kept", disk(RETAINED, **everywhere)
    yield "a volume that nobody has seen", disk(unseen, **everywhere)
    for name in (
        "gkegw1-nv9e-vision-gate-v71xu3da",
        "gkegw1-x1y2-vision-gate-v71xu3da",
    ):
        yield "a Gateway's", _rule(name, "", "global").but(**everywhere)
    for end in ("intra-cluster-egress", "webhooks", "ssh-from-office", "al", ""):
        name = f"gke-demo-0712d06d-{end}".rstrip("-")
        yield "a rule made for the cluster", _firewall(name).but(**everywhere)
    yield (
        "a rule in words",
        _firewall("gke-demo-0712d06d-ssh", "of ours").but(**everywhere),
    )
