"""Cloud Storage: whether an object is there, and what may be done in a bucket."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode, urlsplit

from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.calls import ask
from ray_gke.targets.google.connections import Connections


def object_exists(to: Connections, url: str) -> bool | Unread:
    """Tell whether there is an object of such a URL, `gs://BUCKET/NAME`.

    Unread also where there is no such bucket: a list tells the two apart, and the first
    name that begins so is the name itself. Source: Cloud Storage JSON API, Objects:
    list, whose names come in order.
    """
    place = urlsplit(url)
    name = place.path.removeprefix("/")

    def question() -> bool:
        asked = urlencode({"prefix": name})
        found = to.storage("GET", f"b/{place.netloc}/o?{asked}")
        return any(one["name"] == name for one in found.get("items", ()))

    return ask(question)


def granted(
    to: Connections, bucket: str, permissions: Collection[str]
) -> frozenset[str] | Unread:
    """Return which of the permissions whoever runs us has on a bucket."""
    asked = urlencode({"permissions": sorted(permissions)}, doseq=True)

    def question() -> frozenset[str]:
        found = to.storage("GET", f"b/{bucket}/iam/testPermissions?{asked}")
        return frozenset(found.get("permissions", ()))

    return ask(question)
