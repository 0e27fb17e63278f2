"""What Kubernetes runs on a real node: kubelet, kube-proxy and a name server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import containerd, parts
from tests.cluster.namespaces import Namespaces
from tests.cluster.pod_network import NodeAddresses
from tests.cluster.processes import Program, answers

_STATE = "/var/lib/kubelet"
_KUBECONFIG = f"{_STATE}/kubeconfig"
_NAMES = """\
cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{
    bind {address}
    errors
    ready {address}:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
    }}
}}

# There is nobody to ask for other names.
.:53 {{
    bind {address}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
# Nobody evicts pods or images of a machine that the tests share with others.
_NEVER = dict.fromkeys(
    ("memory.available", "nodefs.available", "imagefs.available"), "0%"
)


class NodeAgents:
    """The programs that make a machine a node of a cluster."""

    def __init__(  # noqa: PLR0913
        self,
        namespaces: Namespaces,
        addresses: NodeAddresses,
        *,
        name: str,
        labels: Mapping[str, str],
        taints: Sequence[Mapping[str, str]],
        kubeconfig: Path,
        pod_range: str,
    ) -> None:
        """Prepare; `kubeconfig` is what they all use."""
        self._namespaces = namespaces
        self._address = addresses.address
        self._name = name
        self._labels = labels
        self._taints = taints
        self._kubeconfig = kubeconfig
        self._pod_range = pod_range
        self.programs: tuple[Program, ...] = ()

    def start(self) -> None:
        """Start all three, and wait until they are well."""
        self._configure()
        self.programs = (self._kubelet(), self._kube_proxy(), self._name_server())
        for program in self.programs:
            program.spawn()
        for program in self.programs:
            program.wait()

    def stop(self) -> None:
        """Stop all three; pods run on."""
        for program in self.programs:
            program.stop()

    def _configure(self) -> None:
        folder = self._namespaces.state / "kubelet"
        folder.mkdir(exist_ok=True)
        (folder / "kubeconfig").write_bytes(self._kubeconfig.read_bytes())
        (folder / "config.yaml").write_text(yaml.safe_dump(self._settings()))
        names = _NAMES.format(address=self._address, kubeconfig=_KUBECONFIG)
        (folder / "Corefile").write_text(names)

    def _kubelet(self) -> Program:
        labels = ",".join(f"{key}={value}" for key, value in self._labels.items())
        flags = {
            "config": f"{_STATE}/config.yaml",
            "kubeconfig": _KUBECONFIG,
            "hostname-override": self._name,
            "node-ip": self._address,
            "node-labels": labels,
        }
        return self._program("kubelet", flags, f"https://{self._address}:10250/healthz")

    def _kube_proxy(self) -> Program:
        flags = {
            "kubeconfig": _KUBECONFIG,
            "hostname-override": self._name,
            "proxy-mode": "iptables",
            "cluster-cidr": self._pod_range,
            # These limits are the whole machine's, and not ours to set.
            "conntrack-max-per-core": "0",
            "conntrack-tcp-timeout-established": "0",
            "conntrack-tcp-timeout-close-wait": "0",
        }
        return self._program(
            "kube-proxy", flags, f"http://{self._address}:10256/healthz"
        )

    def _name_server(self) -> Program:
        flags = {"conf": f"{_STATE}/Corefile"}
        return self._program("coredns", flags, f"http://{self._address}:8181/ready")

    def _program(self, name: str, flags: Mapping[str, str], probe: str) -> Program:
        command = [f"--{flag}={value}" for flag, value in flags.items()]
        return Program(
            name,
            self._namespaces.inside(parts.path(name), *command),
            log=self._namespaces.folder / "logs" / f"{name}.log",
            ready=answers(probe),
        )

    def _settings(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            # Only this machine reaches the node.
            "authentication": {
                "anonymous": {"enabled": True},
                "webhook": {"enabled": False},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{containerd.SOCKET}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self._namespaces.cgroup}",
            "enforceNodeAllocatable": [],
            "failCgroupV1": False,
            "failSwapOn": False,
            # Needs project quotas of the file system.
            "localStorageCapacityIsolation": False,
            "evictionHard": _NEVER,
            "imageGCHighThresholdPercent": 100,
            "registerWithTaints": [dict(taint) for taint in self._taints],
            "clusterDomain": "cluster.local",
            "clusterDNS": [self._address],
            "resolvConf": "",
            "volumePluginDir": f"{_STATE}/volume-plugins",
            # Settings of the kernel are the whole machine's.
            "protectKernelDefaults": True,
        }
