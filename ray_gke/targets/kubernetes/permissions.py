"""What a user must be allowed for a command, and what of it is missing.

The API server is asked about each permission; nothing is kept of the questions.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ray_gke.errors import RefusedError
from ray_gke.targets.kubernetes.api import Api, ApiError, NotAllowedError
from ray_gke.targets.kubernetes.resources import RAY_KINDS, resource

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_SERVICE_ACCOUNT = "system:serviceaccount:"

_READ = ("get", "list")
_WRITE = ("create", "patch", "delete")
_MAKE = ("get", "create", "patch")


@dataclass(frozen=True, order=True)
class Access:
    """One thing to be allowed; `namespace` is empty for what has none."""

    namespace: str
    group: str
    resource: str
    verb: str

    @property
    def what(self) -> str:
        """The resource as kubectl has it: `rayclusters.ray.io`, `pods/log`."""
        plural, _, part = self.resource.partition("/")
        with_group = f"{plural}.{self.group}" if self.group else plural
        return f"{with_group}/{part}" if part else with_group

    def __str__(self) -> str:
        """Return it in words."""
        where = f"in namespace {self.namespace}" if self.namespace else "in the cluster"
        return f"{self.verb} {self.what} {where}"


def for_up(namespace: str, kinds: Iterable[str]) -> list[Access]:
    """Return what an `up` needs that writes objects of these kinds."""
    needed = [a for k in (*kinds, "ConfigMap") for a in _to_apply(k, namespace)]
    needed += _of("Lease", namespace, ("get", "create", "update", "delete"))
    return _once([*needed, *_watching(namespace)])


def _to_apply(kind: str, namespace: str) -> list[Access]:
    # It makes a namespace and never takes one away.
    if kind == "Namespace":
        return _of(kind, namespace, _MAKE)
    return to_write(kind, namespace)


def to_write(kind: str, namespace: str = "") -> list[Access]:
    """Return what it takes to bring up, and to remove, objects of a kind."""
    return _of(kind, namespace, _READ + _WRITE)


def for_down(namespace: str, kinds: Iterable[str]) -> list[Access]:
    """Return what a `down` of objects of these kinds needs."""
    verbs = (*_READ, "delete")
    needed = [a for k in (*kinds, "ConfigMap") for a in _of(k, namespace, verbs)]
    needed += _of("Lease", namespace, ("get", "create", "update", "delete"))
    return _once(needed)


def to_look(namespace: str) -> list[Access]:
    """Return what it takes to see how runs stand; of all namespaces without one."""
    return _once([*_of("ConfigMap", namespace, _READ), *_watching(namespace)])


def for_dashboard(namespace: str) -> list[Access]:
    """Return what it takes to reach the head of a run and its token."""
    # By websocket it is a GET, for which newer API servers ask for create as well.
    forward = [
        Access(namespace, "", "pods/portforward", verb) for verb in ("get", "create")
    ]
    secret = Access(namespace, "", "secrets", "get")
    return _once([*_of("Pod", namespace, _READ), *forward, secret])


def missing(api: Api, needed: Iterable[Access]) -> list[Access]:
    """Return what of it the user may not; nothing, where the user may not even ask."""
    asked = _once(needed)
    everything = {replace(a, group="*", resource="*", verb="*") for a in asked}
    try:
        # Whoever may do all in a namespace, such as its owner, is asked once.
        free = {a.namespace for a in sorted(everything) if _allowed(api, a)}
        left = [a for a in asked if a.namespace not in free]
        allowed = api.in_parallel(lambda one: _allowed(api, one), left)
    except (ApiError, NotAllowedError):
        return []
    return [one for one, may in zip(left, allowed, strict=True) if not may]


def check(api: Api, needed: Iterable[Access]) -> None:
    """Raise RefusedError with all that the user may not do, and how to allow it."""
    lacking = missing(api, needed)
    if not lacking:
        return
    user = _user(api)
    lines = "".join(f"\n  {one}" for one in lacking)
    who = f"user {user}" if user else f"the user of context {api.client.context}"
    raise RefusedError(
        f"{who} may not do what this needs:{lines}",
        hint=f"an administrator allows it with: {command(lacking, user)}",
    )


@contextmanager
def all_at_once(api: Api, needed: Iterable[Access]) -> Iterator[None]:
    """Tell of all that is missing where the API server refuses the first of it.

    Raises RefusedError.
    """
    try:
        yield
    except NotAllowedError:
        check(api, needed)
        raise


def command(lacking: Iterable[Access], user: str) -> str:
    """Return the command that gives a user these permissions."""
    return " && ".join(
        line
        for namespace, verbs, resources in _rules(lacking)
        for line in _role(namespace, verbs, resources, user)
    )


def _of(kind: str, namespace: str, verbs: Iterable[str]) -> list[Access]:
    found = resource(kind)
    where = namespace if found.namespaced else ""
    return [Access(where, found.group, found.plural, verb) for verb in verbs]


def _watching(namespace: str) -> Iterator[Access]:
    """Yield what it takes to see whether a run becomes ready."""
    for kind in (*RAY_KINDS, "Pod"):
        yield from _of(kind, namespace, _READ)
    yield from _of("Event", namespace, ("list",))
    yield from _of("Job", namespace, ("get",))
    yield Access(namespace, "", "pods/log", "get")


def _once(needed: Iterable[Access]) -> list[Access]:
    return sorted(set(needed))


def _allowed(api: Api, one: Access) -> bool:
    plural, _, part = one.resource.partition("/")
    attributes = {
        "verb": one.verb,
        "group": one.group,
        "resource": plural,
        **({"subresource": part} if part else {}),
        **({"namespace": one.namespace} if one.namespace else {}),
    }
    question = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool((api.ask(_REVIEWS, question).get("status") or {}).get("allowed"))


def _user(api: Api) -> str:
    """Return the name by which the API server knows the user, if it tells."""
    question = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "SelfSubjectReview",
    }
    try:
        found = api.ask(_WHO, question).get("status") or {}
    except (ApiError, NotAllowedError):
        return ""
    return str((found.get("userInfo") or {}).get("username", ""))


def _rules(
    lacking: Iterable[Access],
) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Return namespace, verbs and resources: resources with the same verbs together."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for one in lacking:
        verbs.setdefault((one.namespace, one.what), []).append(one.verb)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (namespace, what), some in verbs.items():
        together.setdefault((namespace, tuple(some)), []).append(what)
    return [(place, some, tuple(what)) for (place, some), what in together.items()]


def _role(
    namespace: str, verbs: Iterable[str], resources: Iterable[str], user: str
) -> Iterator[str]:
    """Yield the commands for a role, which is not called as that of anybody else."""
    rule = repr((user, *verbs, *resources)).encode()
    name = f"ray-gke-{hashlib.sha256(rule).hexdigest()[:8]}"
    kind, where = ("role", f" -n {namespace}") if namespace else ("clusterrole", "")
    yield (
        f"kubectl create {kind} {name}{where} --verb={','.join(verbs)} "
        f"--resource={','.join(resources)}"
    )
    binding = f"kubectl create {kind}binding {name}{where}"
    yield f"{binding} --{kind}={name} {shlex.quote(_subject(user))}"


def _subject(user: str) -> str:
    if user.startswith(_SERVICE_ACCOUNT):
        return f"--serviceaccount={user.removeprefix(_SERVICE_ACCOUNT)}"
    return f"--user={user or 'NAME'}"
