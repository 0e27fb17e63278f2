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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from ray_gke.errors import FailedError, RayGkeError, RefusedError
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import parallel
from ray_gke.targets.kubernetes.api import Api, ApiError, NotAllowedError
from ray_gke.targets.kubernetes.inventory import MANAGED_BY, OURS
from ray_gke.targets.kubernetes.resources import Ref, resource

DURATION_SECONDS = 15
_RENEW_SECONDS = 4.0
# So long after a renewal nobody can have taken it, on any clock that goes about right.
_FRESH_SECONDS = 10.0
_POLL_SECONDS = 0.5
_HURRY_SECONDS = 1.0


@dataclass
class Lease:
    """The lock of one run; `check` before each thing that is written under it."""

    api: Api
    ref: Ref
    holder: str
    _held: Manifest = field(default_factory=dict)
    _lost: str = ""
    _renewed: float = 0.0
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def acquire(self) -> None:
        """Take it, or raise RefusedError while somebody else renews it.

        Somebody elsewhere who does not may still be there for as long as it lasts.
        """
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
            if self.api.wait(_POLL_SECONDS):
                raise _taken(self.ref, other)

    def renew(self) -> None:
        """Say that we still write."""
        with self._one_at_a_time:
            self._renew(self.api.to_the_end(_RENEW_SECONDS))

    def check(self) -> None:
        """Raise FailedError when somebody else writes by now."""
        if not self._is_fresh():
            with self._one_at_a_time:
                # Somebody else may have renewed it while we waited for our turn.
                if not self._is_fresh():
                    self._renew(self.api.at_least(_RENEW_SECONDS))
        if self._lost:
            raise FailedError(
                f"the lock {self.ref} was lost: {self._lost}",
                hint="run the same command again: it goes on where this one stopped",
            )

    def release(self, api: Api) -> None:
        """Let the next one in; an old lease runs out, so nothing is to be said."""
        if self._held and not self._lost:
            with suppress(RayGkeError):
                api.delete(self.ref, uid=self._held["metadata"]["uid"])

    def _is_fresh(self) -> bool:
        # Whoever slept or was cut off may have lost it unaware. The clock of the wall
        # also goes on while a machine sleeps.
        return 0 <= time.time() - self._renewed < _FRESH_SECONDS

    def _renew(self, api: Api) -> None:
        if self._lost or not self._held:
            return
        begun = time.time()
        wanted = {**self._held["spec"], "renewTime": _now()}
        answer = self._replaced(api, {**self._held, "spec": wanted})
        if answer is None:
            return
        self._held = answer
        if answer["spec"].get("renewTime") == wanted["renewTime"]:
            self._renewed = begun

    def _try(self) -> bool:
        """Create it; False when another one is there."""
        begun = time.time()
        try:
            made = self.api.create(self._manifest())
        except ApiError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
            # An answer that was lost may have been that we have it.
            found = self.api.get(self.ref)
            if not found or found["spec"].get("holderIdentity") != self.holder:
                return False
            made = found
        self._held, self._renewed = made, begun
        return True

    def _replaced(self, api: Api, wanted: Manifest) -> Manifest | None:
        """Return it as it is now, or None when it is lost."""
        try:
            found = api.replace(wanted)
        except ApiError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
            # That may have been our own renewal, whose answer was lost.
            found = api.get(self.ref)
        if found is None:
            self._lost = "somebody has removed it"
        elif found["spec"].get("holderIdentity") != self.holder:
            self._lost = f"{_who(found)} has taken it"
        return None if self._lost else found

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
    leases = [Lease(api, _ref(*run), holder) for run in runs]
    end = threading.Event()
    renewing = threading.Thread(target=_renew, args=(leases, end), daemon=True)
    # Whoever was interrupted wants to go, and whoever cannot reach it need not wait.
    patience = _HURRY_SECONDS
    try:
        # Those that we have are renewed while we wait for others.
        renewing.start()
        api.in_parallel(Lease.acquire, leases)
        yield leases
        patience = DURATION_SECONDS
    finally:
        end.set()
        last = api.to_the_end(patience)
        last.in_parallel(lambda lease: lease.release(last), leases)


def clear(api: Api, runs: Sequence[tuple[str, str]]) -> None:
    """Remove leases of runs whose holder was a process of this machine that is gone."""
    refs = {_ref(*run) for run in runs}
    with suppress(NotAllowedError):
        for namespace in sorted({ref.namespace for ref in refs}):
            for found in api.list("Lease", namespace, selector=OURS):
                if Ref.of(found) in refs and _is_dead(found):
                    api.delete(Ref.of(found), uid=found["metadata"]["uid"])


def _ref(namespace: str, name: str) -> Ref:
    return Ref("Lease", namespace, f"ray-gke-{name}")


def _renew(leases: Sequence[Lease], end: threading.Event) -> None:
    def renew(lease: Lease) -> None:
        # Whether it is lost shows the next time, or before something is written.
        with suppress(RayGkeError):
            lease.renew()

    while not end.wait(_RENEW_SECONDS):
        parallel.in_parallel(renew, leases, threading.Event())


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
    state, *fields = stat.rpartition(")")[2].split()
    if state in "ZX":
        # It has ended, and whoever started it does not know yet.
        return ("", "")
    return (fields[18], f"{boot}-{namespace}")


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
