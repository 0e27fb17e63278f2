"""containerd of a real node."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cluster import ray_image
from tests.cluster.namespaces import Namespaces
from tests.cluster.processes import Program

SOCKET = "/run/containerd/containerd.sock"
# Without CAP_SYS_RESOURCE runc cannot lower a score, and dies. Debian's plugin `opt`
# would make a folder outside of the node.
_CONFIG = f"""\
version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{ray_image.PAUSE}"
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "/var/lib/containerd/cni"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "/var/lib/containerd/hosts"
"""
# All hosts that an image may name; `server` is who is asked last.
_HOSTS = """\
server = "http://{registry}"

[host."http://{registry}"]
capabilities = ["pull", "resolve"]
"""
_NETWORK = """\
{{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [
    {{
      "type": "bridge",
      "bridge": "cni0",
      "isGateway": true,
      "hairpinMode": true,
      "ipam": {{
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{{"subnet": "{pods}"}}]],
        "routes": [{{"dst": "0.0.0.0/0"}}]
      }}
    }},
    {{"type": "portmap", "capabilities": {{"portMappings": true}}}}
  ]
}}
"""


class ContainerdError(Exception):
    """containerd refuses something; the message is what it said."""


class Containerd:
    """containerd in namespaces; its images are those of `image_store`."""

    def __init__(self, namespaces: Namespaces, *, pods: str, registry: str) -> None:
        """Prepare: pods have addresses from the range `pods`.

        Every pull of an image goes to `registry`: host and port, as the node sees it.
        """
        self._namespaces = namespaces
        self._program: Program | None = None
        self._files = {
            "config.toml": _CONFIG,
            "hosts/_default/hosts.toml": _HOSTS.format(registry=registry),
            "cni/pods.conflist": _NETWORK.format(pods=pods),
        }

    def start(self) -> None:
        """Start containerd and wait until it answers."""
        folder = self._namespaces.state / "containerd"
        for name, text in self._files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        socket = self._namespaces.folder / SOCKET.removeprefix("/")
        socket.unlink(missing_ok=True)
        command = ("containerd", "--config=/var/lib/containerd/config.toml")
        self._program = Program(
            "containerd",
            self._namespaces.inside(*command),
            log=self._namespaces.folder / "logs" / "containerd.log",
            ready=socket.exists,
        )
        self._program.start()

    def stop(self) -> None:
        """Stop containerd; its containers run on."""
        if self._program:
            self._program.stop()

    def ctr(self, *arguments: str | Path) -> str:
        """Return what containerd's client prints about what Kubernetes has there."""
        command = self._namespaces.inside("ctr", "--namespace=k8s.io", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            words = " ".join(map(str, arguments))
            raise ContainerdError(f"ctr {words}: {done.stderr.strip()}")
        return done.stdout
