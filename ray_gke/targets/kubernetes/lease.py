"""Of two commands that would write the same run at once, one waits outside.

A Lease beside the run's objects names who writes. Its holder renews it; when it does
not, or is a process of this machine that is gone, the next one takes it over.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from ray_gke.errors import FailedError, RayGkeError, RefusedError
from ray_gke.rendering.pods import RUN
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api, ApiError
from ray_gke.targets.kubernetes.inventory import MANAGED_BY
from ray_gke.targets.kubernetes.resources import Ref, resource

DURATION_SECONDS = 15
_RENEW_SECONDS = 4.0
_POLL_SECONDS = 0.5
_JOIN_SECONDS = 2.0


@dataclass
class Lease:
    """The lock of one run; `check` before each thing that is written under it."""

    api: Api
    ref: Ref
    holder: str
    _held: Manifest = field(default_factory=dict)
    _lost: str = ""

    def acquire(self) -> None:
        """Take it, or raise RefusedError while somebody else renews it."""
        seen, since = "", time.monotonic()
        while not self._try():
            other = self.api.get(self.ref)
            if other is None:
                continue
            renewed = other["spec"].get("renewTime", "")
            if renewed != seen:
                if seen:
                    raise _taken(self.ref, other)
                seen, since = renewed, time.monotonic()
            duration = other["spec"].get("leaseDurationSeconds") or DURATION_SECONDS
            if _is_dead(other) or time.monotonic() - since > duration:
                self._take_over(other)
                continue
            time.sleep(_POLL_SECONDS)

    def renew(self) -> None:
        """Say that we still write."""
        self._held["spec"]["renewTime"] = _now()
        try:
            answer = self.api.replace(self._held)
        except ApiError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
            answer = self._after_conflict()
        if answer is None:
            self._lost = "somebody has removed it"
        else:
            self._held = answer

    def check(self) -> None:
        """Raise FailedError when somebody else writes by now."""
        if self._lost:
            raise FailedError(
                f"the lock {self.ref} was lost: {self._lost}",
                hint="run the same command again: it goes on where this one stopped",
            )

    def release(self) -> None:
        """Let the next one in."""
        if self._held and not self._lost:
            self.api.delete(self.ref, uid=self._held["metadata"]["uid"])

    def _try(self) -> bool:
        """Create it; False when another one is there."""
        try:
            self._held = self.api.create(self._manifest())
        except ApiError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
            # An answer that was lost may have been that we have it.
            found = self.api.get(self.ref)
            if found and found["spec"].get("holderIdentity") == self.holder:
                self._held = found
                return True
            return False
        return True

    def _after_conflict(self) -> Manifest | None:
        found = self.api.get(self.ref)
        if found and found["spec"].get("holderIdentity") == self.holder:
            return found
        self._lost = f"{_who(found)} has taken it" if found else "it is gone"
        return None

    def _take_over(self, other: Manifest) -> None:
        # Of several who see this at once, only one is told that it was this Lease.
        self.api.delete(self.ref, uid=other["metadata"]["uid"])

    def _manifest(self) -> Manifest:
        return {
            "apiVersion": resource("Lease").api_version,
            "kind": "Lease",
            "metadata": {
                "name": self.ref.name,
                "namespace": self.ref.namespace,
                "labels": {
                    MANAGED_BY: "ray-gke",
                    RUN: self.ref.name.removeprefix("ray-gke-"),
                },
            },
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": DURATION_SECONDS,
                "acquireTime": _now(),
                "renewTime": _now(),
            },
        }


@contextmanager
def held(api: Api, runs: Sequence[tuple[str, str]]) -> Iterator[list[Lease]]:
    """Hold the leases of runs, given as namespace and name, while the block runs.

    Raises RefusedError, with none of them held, when somebody else has one.
    """
    holder = _identity()
    leases = [
        Lease(api, Ref("Lease", namespace, f"ray-gke-{name}"), holder)
        for namespace, name in runs
    ]
    end = threading.Event()
    renewing = threading.Thread(target=_renew, args=(leases, end), daemon=True)
    try:
        api.in_parallel(Lease.acquire, leases)
        renewing.start()
        yield leases
    finally:
        end.set()
        if renewing.ident:
            renewing.join(_JOIN_SECONDS)
        api.in_parallel(_released, leases)


def _released(lease: Lease) -> None:
    try:
        lease.release()
    except RayGkeError:
        # What ended us matters more, and an old Lease runs out.
        return


def _renew(leases: Sequence[Lease], end: threading.Event) -> None:
    while not end.wait(_RENEW_SECONDS):
        for lease in leases:
            try:
                lease.renew()
            except RayGkeError:
                # Whether it is lost shows the next time.
                continue


def _taken(ref: Ref, other: Manifest) -> RefusedError:
    name = ref.name.removeprefix("ray-gke-")
    since = other["spec"].get("acquireTime", "")
    return RefusedError(
        f"{name} in namespace {ref.namespace} is being changed by another ray-gke: "
        f"{_who(other)}, since {since.partition('.')[0]} UTC",
        hint="wait for it to end, then try again",
    )


def _who(lease: Manifest) -> str:
    host, _, process = lease["spec"].get("holderIdentity", "somebody").partition("/")
    return f"process {process.partition('/')[0]} on {host}" if process else host


def _identity() -> str:
    """Return who we are: host, process and its start, and the boot of the machine."""
    return "/".join([socket.gethostname(), str(os.getpid()), *_birth(os.getpid())])


def _birth(pid: int) -> tuple[str, str]:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ("", "")
    # Field 22; the name before it may have spaces and parentheses.
    started = stat.rpartition(")")[2].split()[19]
    return (started, f"{boot}-{namespace}")


def _is_dead(lease: Manifest) -> bool:
    """Tell whether the holder was a process of this machine that is gone."""
    host, _, rest = lease["spec"].get("holderIdentity", "").partition("/")
    pid, _, birth = rest.partition("/")
    started, _, boot = birth.partition("/")
    ours = _birth(os.getpid())
    if host != socket.gethostname() or not boot or boot != ours[1]:
        return False
    return not pid.isdecimal() or _birth(int(pid))[0] != started


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
