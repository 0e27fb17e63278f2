"""What a real node could leave on a machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil

from tests.cluster.namespaces import Namespaces
from tests.cluster.pod_network import PodNetwork

_STATE = (
    *("/etc/cni/net.d", "/opt/containerd", "/run/cni", "/run/containerd", "/run/netns"),
    *("/run/xtables.lock", "/usr/libexec/kubernetes", "/var/lib/cni"),
    *("/var/lib/containerd", "/var/lib/kubelet", "/var/log/containers"),
    "/var/log/pods",
)
_SETTINGS = (
    *("net/ipv4/ip_forward", "vm/overcommit_memory", "vm/panic_on_oom"),
    *("kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys"),
)


def footprint(folder: Path) -> dict[str, set[str]]:
    """Return what there is now, without processes and without other test clusters."""
    own = (PodNetwork(folder)._mac, Namespaces(folder / "node-1").cgroup)
    found = {
        "mounts": Path("/proc/mounts").read_text().splitlines(),
        "links": _told("ip", "-brief", "link"),
        "routes": _told("ip", "route"),
        "iptables rules": [r for r in _told("iptables-save") if not r.startswith("#")],
        "cgroups": [str(found) for found in Path("/sys/fs/cgroup").glob("*/*/")],
        "files": [place for place in _STATE if Path(place).exists()],
        "settings": [f"{s}={Path('/proc/sys', s).read_text()}" for s in _SETTINGS],
    }
    return {
        kind: {entry for entry in entries if not _is_foreign(entry, own)}
        for kind, entries in found.items()
    }


def _is_foreign(entry: str, own: tuple[str, ...]) -> bool:
    marked = "raygke" in entry or "ray-gke-" in entry
    return marked and not any(mark in entry for mark in own)


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of processes that name `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def _told(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
