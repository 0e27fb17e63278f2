"""What the pods of a namespace may ask for together: a Kubernetes ResourceQuota.

Sources: Kubernetes "Resource Quotas" and apis/core/helper (names of resources);
`namespaces` in terraform/addons/variables.tf (amounts).
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from ray_gke.catalog.faults import fault
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.quantities import number

_GPUS = "requests.nvidia.com/gpu"
_SIZES = ("memory", "storage", "ephemeral-storage")
_BY_POD = ("cpu", "memory", "ephemeral-storage")
_KNOWN = frozenset(
    {
        _GPUS,
        *_BY_POD,
        *(f"{which}.{name}" for which in ("requests", "limits") for name in _BY_POD),
        "requests.storage",
        "pods",
        "services",
        "services.loadbalancers",
        "services.nodeports",
        "persistentvolumeclaims",
        "configmaps",
        "secrets",
        "replicationcontrollers",
        "resourcequotas",
    }
)
_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+"
_NAME = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_EXTENDED = re.compile(f"(?P<limit>requests\\.|limits\\.)?(?P<name>{_DOMAIN}/{_NAME})")
_OTHERS = re.compile(
    r"count/[a-z]+(\.[-a-z0-9]+)*"
    r"|[-a-z0-9.]+\.storageclass\.storage\.k8s\.io"
    r"/(requests\.storage|persistentvolumeclaims)"
)
_AMOUNT = r"[0-9]{1,15}(\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?"


def _resource(name: str) -> str:
    if name in _KNOWN or _OTHERS.fullmatch(name):
        return name
    extended = _EXTENDED.fullmatch(name)
    if extended is None:
        message = f"{name[:60]!r} is nothing that a quota limits"
        raise fault(message, hint=suggestion(name, _KNOWN))
    if extended["name"].startswith("nvidia.com/"):
        message = f"the quota of GPUs is called {_GPUS}"
        hint = f"use {_GPUS}, which also counts partitions and shares of a GPU"
        raise fault(message, hint=hint)
    if extended["limit"] != "requests.":
        # Kubernetes has no limits of extended resources: none is overcommitted.
        message = f"{name[:60]!r} is an extended resource, whose requests are limited"
        raise fault(message, hint=f"use requests.{extended['name']}")
    return name


def _amount(text: str) -> str:
    if not re.fullmatch(_AMOUNT, text):
        message = f"{text[:40]!r} is not a quantity"
        raise fault(message, hint="write it as 8, 1500m or 64Gi")
    return text


def _of_its_resource(quota: dict[str, str]) -> dict[str, str]:
    for name, amount in quota.items():
        value = number(amount)
        if name.endswith(_SIZES):
            if 0 < value < 2**20:
                message = f"{amount} is less than 1Mi; is the unit missing?"
                raise fault(message, hint="write it as 64Gi", at=(name,))
        elif value % 1 and not name.endswith("cpu"):
            message = f"{amount} is not a whole number, and {name} are counted"
            raise fault(message, hint="write it as 8", at=(name,))
    return quota


_Amount = Annotated[
    str,
    # YAML's 8 is a number.
    Field(strict=False, coerce_numbers_to_str=True),
    AfterValidator(_amount),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": f"^{_AMOUNT}$", "minimum": 0}
    ),
]
Quota = Annotated[
    dict[Annotated[str, AfterValidator(_resource)], _Amount],
    AfterValidator(_of_its_resource),
]
"""Amounts by resource, such as `requests.nvidia.com/gpu: 8`."""
