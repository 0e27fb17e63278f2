"""Files of `/proc` and `/sys` from which kubelet learns how big the machine is.

A test machine has few CPUs, and the pods of a Ray cluster ask for more than these.
Kubelet is shown more, so that the pods are scheduled; the kernel shares the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

CPUS = 32
MEMORY_GIB = 96
# What kubelet would set, for the whole machine, did it not find it so.
_KERNEL = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


def files(folder: Path) -> Mapping[str, Path]:
    """Write the files into `folder`; return what is to be seen where."""
    settings = {f"/proc/sys/{name}": str(value) for name, value in _KERNEL.items()}
    texts = {"/proc/meminfo": _memory(), **settings}
    written = {place: folder / place.removeprefix("/") for place in texts}
    for place, file in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{texts[place]}\n")
    return {**written, **_processors(folder)}


def _memory() -> str:
    real = Path("/proc/meminfo").read_text().rstrip()
    return re.sub(r"(MemTotal:\s+)\d+", rf"\g<1>{MEMORY_GIB << 20}", real)


def _processors(folder: Path) -> Mapping[str, Path]:
    """Write CPUs that are only counted.

    A kubelet that knows where they sit gives pods those that there are not.
    """
    processors, nodes = folder / "cpu", folder / "node"
    nodes.mkdir(parents=True, exist_ok=True)
    for number in range(CPUS):
        (processors / f"cpu{number}").mkdir(parents=True, exist_ok=True)
    system = "/sys/devices/system"
    return {f"{system}/cpu": processors, f"{system}/node": nodes}
