"""Labels of resources in Google Cloud, which are not those of Kubernetes.

Sources: Google Cloud "Organize resources using labels"; `labels` in
terraform/modules/cluster/variables.tf.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.quantities import Shape

_OURS = "managed-by"
_MOST = 63
"""Google takes 64 of a resource, of which one is ours."""


def _free(key: str) -> str:
    if key == _OURS:
        message = (
            f"the label {_OURS} is ours: everything has it, with the value ray-gke"
        )
        raise fault(message, hint="use another key, such as owner")
    if key.startswith("goog"):
        message = f"{key!r} begins with goog, as Google's own labels do"
        raise fault(message, hint="use another key")
    return key


def _not_too_many(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > _MOST:
        message = f"{len(labels)} labels are more than a resource can have"
        raise fault(message, hint=f"use at most {_MOST}")
    return labels


_Key = Annotated[
    str,
    Shape(
        "[a-z][-_a-z0-9]*",
        "small letters, digits, '-' and '_', beginning with a letter, such as "
        "cost-center",
        most=63,
    ),
    AfterValidator(_free),
]
_Value = Annotated[
    str, Shape("[-_a-z0-9]*", "small letters, digits, '-' and '_'", most=63)
]
CloudLabels = Annotated[dict[_Key, _Value], AfterValidator(_not_too_many)]
