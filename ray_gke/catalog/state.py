"""Where Terraform's state is kept.

Sources: Cloud Storage "About Cloud Storage buckets" (names) and "About Cloud Storage
objects" (names); Terraform's backend `gcs`, which keeps PREFIX/default.tfstate.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from ray_gke.catalog.day_two import Bucket
from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model
from ray_gke.catalog.quantities import Shape

_EXAMPLE = "write the name of a bucket of yours, such as my-project-1-terraform"
_SHORTEST, _LONGEST = 3, 63
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
_BESIDE_A_DOT = re.compile(r"\.\.|\.-|-\.")


def _not_a_url(bucket: object) -> object:
    if isinstance(bucket, str) and bucket.startswith("gs://"):
        name = bucket.removeprefix("gs://").partition("/")[0]
        message = f"{bucket[:80]!r} is a URL, not the name of a bucket"
        raise fault(message, hint=f"write {name[:80]}, and what follows it in prefix")
    return bucket


def _as_google_takes_it(bucket: str) -> str:
    # A name with dots is a domain's, and may be longer: each of its parts counts.
    if len(bucket) < _SHORTEST or max(map(len, bucket.split("."))) > _LONGEST:
        wrong = f"is not of {_SHORTEST} to {_LONGEST} characters"
    elif _ADDRESS.fullmatch(bucket):
        wrong = "is an IP address"
    elif bucket.startswith("goog") or "google" in bucket:
        wrong = "is a name that Google keeps for itself"
    elif _BESIDE_A_DOT.search(bucket):
        wrong = "has a part between dots that is empty, or begins or ends with '-'"
    else:
        return bucket
    raise fault(f"{bucket[:80]!r} {wrong}", hint=_EXAMPLE)


_PART = "[A-Za-z0-9_][-A-Za-z0-9_.]*"
Prefix = Annotated[
    str,
    Shape(
        f"{_PART}(/{_PART})*",
        "folders with '/' between them and none at the ends, such as ray/prod",
        most=200,
    ),
]


class State(Model):
    """A bucket that is there, best with object versioning; nobody makes it here."""

    bucket: Annotated[
        Bucket, BeforeValidator(_not_a_url), AfterValidator(_as_google_takes_it)
    ] = Field(description="Cloud Storage bucket, such as my-project-1-terraform")
    prefix: Prefix | None = Field(
        default=None,
        description="Folder in it, of this platform alone; the platform's name without",
    )
