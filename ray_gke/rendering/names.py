"""What names may consist of, which the published schemas do not say.

Source: Kubernetes k8s.io/apimachinery/pkg/util/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

_PATTERNS = {
    "DnsLabel": f"^{_LABEL}$",
    "DnsSubdomain": rf"^(?=.{{1,253}}$){_SUBDOMAIN}$",
    "PortName": r"^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$",
    "LabelKey": rf"^((?=[^/]{{1,253}}/){_SUBDOMAIN}/)?{_QUALIFIED}$",
    "LabelValue": f"^({_QUALIFIED})?$",
    "ConfigMapKey": r"^(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}$",
}
_OF_LABEL = "at most 63 of A-Z, a-z, 0-9, -, _ and ., no sign at its ends"
HINTS = {
    "DnsLabel": "at most 63 of a-z, 0-9 and -, no - at its ends",
    "DnsSubdomain": "at most 253 of a-z, 0-9, - and ., no sign at its ends",
    "PortName": "at most 15 of a-z, 0-9 and single -, with a letter",
    "LabelKey": f"an optional PREFIX/ and {_OF_LABEL}",
    "LabelValue": _OF_LABEL,
    "ConfigMapKey": "at most 253 of A-Z, a-z, 0-9, -, _ and .",
}
"""What a name consists of, by its type."""

_LABELS = {
    "type": "object",
    "propertyNames": {"$ref": "#/$defs/LabelKey"},
    "additionalProperties": {"$ref": "#/$defs/LabelValue"},
}
_CONTENTS = {
    "type": "object",
    "propertyNames": {"$ref": "#/$defs/ConfigMapKey"},
    "additionalProperties": {"type": "string"},
}
_FIELDS = {
    "ConfigMap": {"binaryData": "Contents", "data": "Contents"},
    "Container": {"name": "DnsLabel"},
    "ContainerPort": {"name": "PortName"},
    "HeadGroupSpec": {"labels": "Labels"},
    "LabelSelector": {"matchLabels": "Labels"},
    "ObjectMeta": {
        "labels": "Labels",
        "name": "DnsSubdomain",
        "namespace": "DnsLabel",
    },
    "PodSpec": {"nodeSelector": "Labels"},
    "ServicePort": {"name": "DnsLabel"},
    "Volume": {"name": "DnsLabel"},
    "WorkerGroupSpec": {"groupName": "DnsLabel", "labels": "Labels"},
}


def checked(types: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of `types`, by name, with those of the names in them."""
    result = dict(types)
    for owner, fields in _FIELDS.items():
        named = {field: {"$ref": f"#/$defs/{name}"} for field, name in fields.items()}
        result[owner] = types[owner] | {
            "properties": types[owner]["properties"] | named
        }
    patterns = {
        name: {"type": "string", "pattern": pattern}
        for name, pattern in _PATTERNS.items()
    }
    return {**result, **patterns, "Labels": _LABELS, "Contents": _CONTENTS}
