"""Why the image of a container does not come."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.causes.finding import Finding
from ray_gke.targets.kubernetes.causes.pod_seen import PodSeen, first

REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
"""What a kubelet says of a container whose image it does not have."""

_AT_ONCE = frozenset({"InvalidImageName", "ErrImageNeverPull"})

GRACE_SECONDS = 20.0
"""A registry may give a wrong answer once; not for so long."""

_CORRECT = "correct ray.image of the blueprint, then run ray-gke up again"


@dataclass(frozen=True)
class _Rule:
    """What is wrong with `{image}`, and what to do, where a message matches."""

    pattern: str
    what: str
    fix: str
    hopeless: bool


_RULES = (
    _Rule(
        "^InvalidImageName ",
        "{image!r} is not the name of an image",
        _CORRECT,
        hopeless=True,
    ),
    _Rule(
        "^ErrImageNeverPull ",
        "the node has no image {image} and may not pull it",
        "put {image} on the node, or let it be pulled",
        hopeless=True,
    ),
    _Rule(
        "no match for platform",
        "the image {image} is not for the CPU of this node",
        "build the image for the CPU of the nodes",
        hopeless=True,
    ),
    _Rule(
        "toomanyrequests|429 ",
        "the registry of {image} limits how much is pulled",
        "wait, or use a mirror of the registry or a login to it",
        hopeless=False,
    ),
    _Rule(
        # Some registries say this of images that are there, to whoever has no login.
        "unauthorized|forbidden|authentication required|denied|basic auth|may require",
        "the image {image} may not be pulled, or does not exist",
        "check that {image} exists and that the nodes, or imagePullSecrets of the "
        "service account, may pull it",
        hopeless=True,
    ),
    _Rule(
        "dial tcp|no such host|i/o timeout|connection refused|tls:|x509|EOF|deadline",
        "the node cannot reach the registry of {image}",
        "check that the nodes reach the registry, and its certificate",
        hopeless=False,
    ),
    _Rule(
        "not found|manifest unknown|name unknown|does not exist",
        "the image {image} does not exist",
        _CORRECT,
        hopeless=True,
    ),
)
_OTHER = _Rule(
    "",
    "the image {image} cannot be pulled",
    "check that the nodes can pull {image}",
    hopeless=False,
)


def finding(seen: PodSeen, status: Manifest, waiting: Manifest) -> Finding:
    """Return why an image does not come, for a container that waits for it."""
    image = seen.container(status["name"]).get("image") or status.get("image", "")
    reason = waiting["reason"]
    failed = [e for e in seen.said("Failed") if "ailed to pull" in e.message]
    # The back-off alone does not say why; the event before it did.
    said = " ".join([waiting.get("message", ""), *(e.message for e in failed[-1:])])
    since = first(failed, seen.started)
    rule = _rule(f"{reason} {said}")
    at_once = reason in _AT_ONCE
    return Finding(
        f"cannot start: {rule.what.format(image=image)}",
        (
            f"container {status['name']}: {reason}: {waiting.get('message', '')}",
            *(str(event) for event in failed[-1:]),
        ),
        rule.fix.format(image=image),
        lasting=at_once or (rule.hopeless and seen.now - since >= GRACE_SECONDS),
        since=since,
    )


def _rule(said: str) -> _Rule:
    found = (r for r in _RULES if re.search(r.pattern, said, re.IGNORECASE))
    return next(found, _OTHER)
