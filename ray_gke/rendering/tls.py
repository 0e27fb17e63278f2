"""TLS between Ray's processes: every pod makes its own certificate.

gRPC compares a certificate with the address that it connects to, and Ray connects to
pods by their addresses: so one certificate cannot serve all pods. Source: Ray, "TLS
authentication" (doc/source/ray-core/configure.md).
"""

from __future__ import annotations

from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.planning.pods import TLS_CERTIFICATE, quantities
from ray_gke.rendering.security_contexts import CONTAINER_SECURITY_CONTEXT
from ray_gke.rendering.templates import Manifest, Templates

_CERTIFICATES = "/etc/ray/tls"
_AUTHORITY = "/etc/ray/ca"
_VOLUME = "ray-tls"
_SECRET = "ray-tls-ca"  # noqa: S105 the name of a volume

ENVIRONMENT = {
    "RAY_USE_TLS": "1",
    "RAY_TLS_SERVER_CERT": f"{_CERTIFICATES}/tls.crt",
    "RAY_TLS_SERVER_KEY": f"{_CERTIFICATES}/tls.key",
    "RAY_TLS_CA_CERT": f"{_CERTIFICATES}/ca.crt",
}

# KubeRay sets FQ_RAY_IP, the name of the head's Service, for init containers of head
# and workers (controllers/ray/common/pod.go).
_SCRIPT = f"""\
set -eu
cd {_CERTIFICATES}
cp {_AUTHORITY}/ca.crt ca.crt
openssl req -new -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr \\
  -subj "/CN=$POD_NAME"
cat > extensions <<END
subjectAltName = DNS:localhost,DNS:$FQ_RAY_IP,IP:127.0.0.1,IP:$POD_IP
extendedKeyUsage = serverAuth,clientAuth
END
openssl x509 -req -in tls.csr -CA ca.crt -CAkey {_AUTHORITY}/ca.key \\
  -set_serial "0x$(openssl rand -hex 16)" -days 3650 -extfile extensions -out tls.crt
rm tls.csr extensions
"""


def environment(plan: Plan) -> dict[str, str]:
    """Return what every Ray container has in its environment."""
    return ENVIRONMENT if _by_secret(plan) else {}


def init_container(plan: Plan, templates: Templates) -> Manifest | None:
    """Return the init container that makes the certificate, if it is ours to make."""
    if not _by_secret(plan):
        return None
    amounts = quantities(TLS_CERTIFICATE)
    return templates.render(
        "tls-certificate-container",
        image=plan.image,
        script=_SCRIPT,
        resources={"requests": amounts, "limits": amounts},
        security_context=CONTAINER_SECURITY_CONTEXT,
        mounts=[
            {"name": _VOLUME, "mountPath": _CERTIFICATES},
            {"name": _SECRET, "mountPath": _AUTHORITY, "readOnly": True},
        ],
    )


def volumes(plan: Plan) -> list[Any]:
    """Return the volumes of the authority and of the pod's certificate."""
    if not (tls := plan.day_two.tls) or not tls.secret_name:
        return []
    # Only who runs as the pod's user or group may read the keys.
    secret = {"secretName": tls.secret_name, "defaultMode": 0o440}
    return [
        {"name": _VOLUME, "emptyDir": {"medium": "Memory"}},
        {"name": _SECRET, "secret": secret},
    ]


def mounts(plan: Plan) -> list[Any]:
    """Return what Ray's containers mount: never the authority's key."""
    if not _by_secret(plan):
        return []
    return [{"name": _VOLUME, "mountPath": _CERTIFICATES, "readOnly": True}]


def by_operator(plan: Plan) -> bool:
    """Tell whether KubeRay is asked to do it."""
    return plan.day_two.tls is not None and not _by_secret(plan)


def _by_secret(plan: Plan) -> bool:
    tls = plan.day_two.tls
    return tls is not None and tls.secret_name is not None
