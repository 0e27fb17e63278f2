"""The first process of a real node, in namespaces of its own.

    python -I -S node_init.py READY SOURCE TARGET [SOURCE TARGET ...]

Shows files and folders of the node in place of the machine's, so that the node writes
nothing outside and sees a machine of another size. Then it touches READY and reaps
what other processes leave behind, until it is killed: all processes and mounts of the
node end with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Mount, say so, and reap."""
    # Kept until somebody waits for them: no child that ends is missed.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    ready, *mounts = sys.argv[1:]
    # What kubelet mounts must be seen by containerd.
    _mount("--make-rshared", "/")
    for source, target in zip(mounts[::2], mounts[1::2], strict=True):
        _mount("--bind", source, target)
    Path(ready).touch()
    while True:
        signal.sigwait({signal.SIGCHLD})
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


main()
