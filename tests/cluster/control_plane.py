"""Kubernetes without nodes: etcd, API server, controller manager and scheduler."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cluster import kubeconfig, parts
from tests.cluster.api_client import ApiClient
from tests.cluster.certificates import Authority
from tests.cluster.processes import Program, answers, eventually, free_port

LOOPBACK = "127.0.0.1"
_SERVICE_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, verbs: [get, list, watch]}
- {level: None, resources: [{group: coordination.k8s.io}, {group: "", resources: [events]}]}
- {level: Metadata}
"""  # noqa: E501


class CommandFailed(Exception):
    """kubectl exited with an error; the message is what it said."""


class ControlPlane:
    """A control plane with its state in `folder`, listening on `address`.

    `programs` are in the order of their start; each can be stopped and started alone.
    """

    def __init__(
        self,
        folder: Path,
        *,
        address: str = LOOPBACK,
        service_range: str = "10.96.0.0/16",
        pod_range: str = "10.244.0.0/16",
    ) -> None:
        """Prepare certificates, kubeconfig and commands; start nothing yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.address = address
        self.service_range = service_range
        self.pod_range = pod_range
        self.url = f"https://{address}:{free_port(address)}"
        self.authority = Authority(folder / "certificates")
        self.ca = self.authority.certificate
        hosts = (address, LOOPBACK, self._first_service_address, *_SERVICE_NAMES)
        self.certificate = self.authority.for_server("kube-apiserver", hosts)
        self.token = secrets.token_hex(16)
        self.api = ApiClient(self.url, ca=self.ca, token=self.token)
        self.kubeconfig = kubeconfig.write(
            folder / "kubeconfig", url=self.url, ca=self.ca, token=self.token
        )
        self.audit_log = folder / "logs" / "audit.log"
        """One JSON event for each request that wrote, without events and leases."""
        self.etcd = self._etcd()
        self.api_server = self._api_server()
        self.controller_manager = self._controller_manager()
        self.scheduler = self._scheduler()
        self.programs = (
            self.etcd,
            self.api_server,
            self.controller_manager,
            self.scheduler,
        )

    def start(self) -> None:
        """Start all programs and wait until they are ready."""
        self.etcd.start()
        for program in self.programs:
            program.spawn()
        for program in self.programs:
            program.wait()
        # The controller manager tells that it is well before it has done anything.
        eventually("the controllers to work", self._has_service_accounts)

    def stop(self) -> None:
        """Stop all programs; what etcd holds stays in the folder."""
        for program in reversed(self.programs):
            program.stop()

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig of a user that has the rights RBAC gives it, no others.

        A service account is the user `system:serviceaccount:NAMESPACE:NAME`.
        """
        certificate = self.authority.for_user(user, groups)
        return kubeconfig.write(
            self.folder / "users" / certificate[0].stem / "kubeconfig",
            url=self.url,
            ca=self.ca,
            certificate=certificate,
        )

    def token_of(self, namespace: str, service_account: str) -> str:
        """Return a token of a service account, as its pods get one; good for a day."""
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}"
        asked = {"spec": {"expirationSeconds": 24 * 3600}}
        created = self.api.create(f"{account}/token", asked)
        return str(created["status"]["token"])

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Return what kubectl prints, run as the administrator."""
        done = subprocess.run(
            [parts.path("kubectl"), "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            # Discovery is cached below the home folder otherwise.
            env={"KUBECACHEDIR": str(self.folder / "kubectl-cache")},
        )
        if done.returncode:
            raise CommandFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def get(self, path: str) -> Any:
        """Return what the API server answers to a GET as the administrator, parsed."""
        return self.api.get(path)

    def apply(self, text: str, *, manager: str = "kubectl", namespace: str = "") -> str:
        """Apply YAML or JSON documents on the server, in the name of a manager."""
        options = ["--server-side", "--force-conflicts", f"--field-manager={manager}"]
        into = ["-n", namespace] if namespace else []
        return self.kubectl("apply", *options, *into, "-f", "-", stdin=text)

    def _has_service_accounts(self) -> bool:
        found = self.get("/api/v1/namespaces/default/serviceaccounts")
        return bool(found["items"])

    @property
    def _first_service_address(self) -> str:
        return self.service_range.partition("/")[0].removesuffix("0") + "1"

    def _program(
        self, name: str, flags: Mapping[str, object], probe: str, *, grace: float = 10
    ) -> Program:
        command = [f"--{flag}={value}" for flag, value in flags.items()]
        return Program(
            name,
            [parts.path(name), *command],
            log=self.folder / "logs" / f"{name}.log",
            ready=answers(probe, token=self.token),
            grace=grace,
        )

    def _etcd(self) -> Program:
        clients = f"http://{LOOPBACK}:{free_port()}"
        peers = f"http://{LOOPBACK}:{free_port()}"
        flags = {
            "name": "test",
            "data-dir": self.folder / "etcd",
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"test={peers}",
            "unsafe-no-fsync": "true",
            "log-level": "warn",
        }
        self._etcd_url = clients
        return self._program("etcd", flags, f"{clients}/health")

    def _api_server(self) -> Program:
        public, private = self.authority.key_pair("service-accounts")
        tokens = self.folder / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f"{self.token},admin,admin,system:masters\n")
        policy = self.folder / "audit-policy.yaml"
        policy.write_text(_AUDIT_POLICY)
        flags = {
            "etcd-servers": self._etcd_url,
            "bind-address": self.address,
            "advertise-address": self.address,
            "secure-port": self.url.rpartition(":")[2],
            "tls-cert-file": self.certificate[0],
            "tls-private-key-file": self.certificate[1],
            "client-ca-file": self.ca,
            "token-auth-file": tokens,
            "authorization-mode": "Node,RBAC",
            "service-account-key-file": public,
            "service-account-signing-key-file": private,
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-cluster-ip-range": self.service_range,
            "allow-privileged": "true",
            # The names of nodes have no DNS entries.
            "kubelet-preferred-address-types": "InternalIP",
            # Endpoints on loopback are refused, and useless to pods.
            "endpoint-reconciler-type": "none" if self._is_on_loopback else "lease",
            "audit-policy-file": policy,
            "audit-log-path": self.audit_log,
        }
        # It would wait a minute for watches to end, and etcd has what it knew.
        return self._program("kube-apiserver", flags, f"{self.url}/readyz", grace=2)

    @property
    def _is_on_loopback(self) -> bool:
        return self.address.startswith("127.")

    def _controller_manager(self) -> Program:
        _, private = self.authority.key_pair("service-accounts")
        flags: dict[str, object] = {
            "controllers": "*,-node-ipam-controller,-cloud-node-lifecycle-controller",
            "service-account-private-key-file": private,
            "root-ca-file": self.ca,
        }
        return self._client("kube-controller-manager", flags)

    def _scheduler(self) -> Program:
        return self._client("kube-scheduler", {})

    def _client(self, name: str, flags: Mapping[str, object]) -> Program:
        port = free_port()
        common = {
            "kubeconfig": self.kubeconfig,
            "bind-address": LOOPBACK,
            "secure-port": port,
            "cert-dir": self.folder / name,
            "leader-elect": "false",
        }
        url = f"https://{LOOPBACK}:{port}/healthz"
        return self._program(name, {**common, **flags}, url)
