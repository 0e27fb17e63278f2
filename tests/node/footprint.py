"""What a real node could leave on a machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil

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


def footprint() -> dict[str, set[str]]:
    """Return what there is now, apart from processes."""
    return {
        "mounts": set(Path("/proc/mounts").read_text().splitlines()),
        "links": set(_told("ip", "-brief", "link")),
        "routes": set(_told("ip", "route")),
        "iptables rules": {r for r in _told("iptables-save") if not r.startswith("#")},
        "cgroups": {str(found) for found in Path("/sys/fs/cgroup").glob("*/*/")},
        "files": {place for place in _STATE if Path(place).exists()},
        "settings": {f"{s}={Path('/proc/sys', s).read_text()}" for s in _SETTINGS},
    }


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
