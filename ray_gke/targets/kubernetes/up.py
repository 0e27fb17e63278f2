"""Bring runs up on a cluster: look, check, write under a lock, wait.

The cluster is the state: whoever is interrupted leaves what is there, and the next one
goes on from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

from ray_gke.errors import (
    FailedError,
    InterruptedRun,
    Problem,
    RayGkeError,
    RefusedError,
)
from ray_gke.events import Emit, Finished, Note, Ready
from ray_gke.gke.nodes import NODE_POOL
from ray_gke.rendering import feature_gates, pod_security
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import (
    checks,
    jobs,
    lease,
    live,
    permissions,
    prometheus,
    status,
)
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.apply import Application
from ray_gke.targets.kubernetes.changes import (
    Change,
    RunChanges,
    compare,
    namespace_manifest,
)
from ray_gke.targets.kubernetes.live import Wanted
from ray_gke.targets.kubernetes.readiness import LAST_SECONDS, Readiness
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.steps import Outcome, step

_STEPS = ("check", "apply", "ready")
_STEPS_OF_DETACHED = ("check", "apply", "begin")
# So long it takes KubeRay to say that it will not have something.
_BEGIN_SECONDS = 3.0
_NOT_WAITED = "it is not waited for"


@dataclass(frozen=True)
class Options:
    """How an `up` goes; `timeout` seconds is how long it waits until all is ready.

    With `detach` it only looks for what goes wrong at once. `confirm` is asked before
    something that runs now is ended, with what that is, and `check` before anything is
    written; it raises RefusedError.
    """

    detach: bool = False
    rerun: bool = False
    timeout: float = 900.0
    confirm: Callable[[str], bool] = lambda _: False
    check: Callable[[Sequence[RunChanges]], None] = lambda _: None


def changes(
    api: Api, wanted: Sequence[Wanted], *, rerun: bool = False
) -> list[RunChanges]:
    """Return what an `up` would do. Raises RefusedError when it would refuse."""
    return compare(api, wanted, live.read(api, wanted), rerun=rerun)


def up(api: Api, wanted: Sequence[Wanted], emit: Emit, options: Options) -> None:
    """Bring up all that is wanted, and wait until it is ready, or its jobs are done.

    Raises RefusedError before anything is written, FailedError when something does not
    become ready, InterruptedRun for Ctrl-C.
    """
    name = wanted[0].name if len(wanted) == 1 else f"{len(wanted)} runs"
    try:
        _Up(api, wanted, emit, options, name).run()
    except KeyboardInterrupt:
        of_one = f" {name}" if len(wanted) == 1 else ""
        raise InterruptedRun(
            f"{name}: interrupted; what is in the cluster stays and goes on there",
            hint=f"ray-gke up{of_one} goes on from there, ray-gke down{of_one} "
            "removes it",
        ) from None


@dataclass
class _Up:
    """One `up`; `name` is what its steps are called by.

    `api` is asked no longer than the wait may take, but for the output of jobs.
    `agreed` has the uids of what the user lets go, `locks` those that are held, by
    namespace and name of the run.
    """

    api: Api
    wanted: Sequence[Wanted]
    emit: Emit
    options: Options
    name: str
    problems: list[Problem] = field(default_factory=list)
    agreed: set[str] = field(default_factory=set)
    locks: Mapping[tuple[str, str], lease.Lease] = field(default_factory=dict)

    def run(self) -> None:
        patient, limit = self.api, self.options.timeout
        began = time.monotonic()
        self.api = patient.within(limit + LAST_SECONDS)
        with self._step("check") as outcome:
            found = self._checked()
            outcome.detail = summary(found)
        with self._locked(found):
            done = self._applied(found)
            with self._step("begin" if self.options.detach else "ready") as outcome:
                wait = self._wait(began)
                ready = wait.of(done)
                outcome.detail = f"{len(ready)} of {len(done)}" if done[1:] else ""
        self.api = patient
        urls = self._urls(ready)
        for one in ready:
            self._finish(one, urls)
        for left in wait.left:
            seconds = time.monotonic() - began
            self.emit(Finished(left.inventory.name, "APPLIED", seconds, _NOT_WAITED))
        if self.problems:
            raise FailedError.of(self.problems)

    def _step(self, short: str) -> AbstractContextManager[Outcome]:
        steps = _STEPS_OF_DETACHED if self.options.detach else _STEPS
        return step(self.emit, self.name, short, steps)

    def _wait(self, began: float) -> Readiness:
        deadline = began + self.options.timeout
        if self.options.detach:
            deadline = min(deadline, time.monotonic() + _BEGIN_SECONDS)
        return Readiness(
            self.api,
            self.emit,
            self.name,
            began,
            deadline,
            self._failed,
            detach=self.options.detach,
        )

    def _checked(self) -> list[RunChanges]:
        """Return what is to be done, once nothing is in its way."""
        try:
            found = self._changes(self.wanted)
        except NotAllowedError:
            # Who may not even look is told all that is missing at once.
            self._may_look()
            raise
        for needs in _needs(found):
            for note in checks.check(self.api, needs).notes:
                self.emit(Note(self.name, note, warning=True))
        for note in prometheus.notes(self.api, [r.wanted for r in found if r.writes]):
            self.emit(Note(self.name, note, warning=True))
        self._agree(found)
        return found

    def _may_look(self) -> None:
        for run in self.wanted:
            kinds = {one["kind"] for one in run.objects}
            permissions.check(self.api, permissions.for_up(run.namespace, kinds))

    def _changes(self, wanted: Sequence[Wanted]) -> list[RunChanges]:
        return changes(self.api, wanted, rerun=self.options.rerun)

    def _agree(self, found: Sequence[RunChanges]) -> None:
        """Ask before something ends that runs now, once for each."""
        self.options.check(found)
        ending = [c for run in found for c in run.changes if c.ends]
        ending = [c for c in ending if c.uid not in self.agreed]
        if ending and not self.options.confirm(_ending(ending)):
            hint = "--yes goes on; ray-gke plan shows the changes"
            raise RefusedError(_ending(ending), hint=hint)
        self.agreed |= {c.uid for c in ending}

    @contextmanager
    def _locked(self, found: Sequence[RunChanges]) -> Iterator[None]:
        """Hold the locks of the runs that are written."""
        for change in _namespaces(found):
            # A lock needs its namespace.
            assert change.wanted
            self.api.apply(change.wanted)
        writing, others = (
            [(r.wanted.namespace, r.wanted.name) for r in found if r.writes is writes]
            for writes in (True, False)
        )
        lease.clear(self.api, others)
        holding: AbstractContextManager[list[lease.Lease]] = (
            lease.held(self.api, writing) if writing else nullcontext([])
        )
        with holding as leases:
            self.locks = dict(zip(writing, leases, strict=True))
            yield

    def _applied(self, found: Sequence[RunChanges]) -> list[Application]:
        if not any(run.writes for run in found):
            return [self._application(run) for run in found]
        with self._step("apply") as outcome:
            # Until we had the locks somebody else may have written.
            again = iter(self._changes([run.wanted for run in found if run.writes]))
            runs = [next(again) if run.writes else run for run in found]
            self._agree(runs)
            done = [self._application(run) for run in runs]
            self.api.in_parallel(
                Application.apply, [one for one in done if one.run.writes]
            )
            outcome.detail = summary(runs)
        return done

    def _application(self, run: RunChanges) -> Application:
        lock = self.locks.get((run.wanted.namespace, run.wanted.name))
        check = lock.check if lock else lambda: None
        return Application(self.api.guarded(check), run, check)

    def _failed(self, error: RayGkeError) -> None:
        """Of several runs the others go on."""
        if len(self.wanted) == 1:
            raise error
        self.problems += error.problems

    def _urls(self, ready: Sequence[Application]) -> dict[Ref, dict[str, str]]:
        """Return where what stays answers, by its Ray object."""
        staying = [o.remembered for o in ready if o.run.wanted.plan.kind != "job"]
        runs = status.of(self.api, staying)
        return {
            known.ray: dict(run.urls)
            for known, run in zip(staying, runs, strict=True)
            if known.ray
        }

    def _finish(self, one: Application, urls: Mapping[Ref, dict[str, str]]) -> None:
        run = one.run.wanted
        if run.plan.kind != "job":
            self.emit(Ready(run.name, run.plan.kind, urls[run.ray]))
            return
        try:
            jobs.finish(self.api, run, self.emit, detach=self.options.detach)
        except RayGkeError as error:
            self._failed(error)


def summary(found: Sequence[RunChanges]) -> str:
    """Return in a few words what changes: `3 to create, 1 unchanged`."""
    counts: dict[str, int] = {}
    for run in found:
        for change in run.changes:
            counts[change.action] = counts.get(change.action, 0) + 1
    order = ("create", "change", "replace", "prune", "unchanged")
    words = {action: f"to {action}" for action in order} | {"unchanged": "unchanged"}
    return ", ".join(f"{counts[a]} {words[a]}" for a in order if a in counts)


def _needs(found: Sequence[RunChanges]) -> list[checks.Needs]:
    """Return what must be allowed in each namespace; nothing where nothing changes."""
    return [
        checks.Needs(
            namespace,
            frozenset(c.ref.kind for run in runs for c in run.changes if c.writes),
            pods_restricted=_level(runs) == pod_security.RESTRICTED,
            gpu=any(map(_needs_gpus, runs)),
            feature_gates=feature_gates.needed(_objects(runs)),
        )
        for namespace, runs in _by_namespace(run for run in found if run.writes).items()
    ]


def _namespaces(found: Sequence[RunChanges]) -> list[Change]:
    """Return the namespaces to be made, each once, for the pods of all its runs."""
    return [
        replace(change, wanted=namespace_manifest(namespace, _level(runs)))
        for namespace, runs in _by_namespace(found).items()
        for change in runs[0].of("create")
        if change.ref.kind == "Namespace"
    ]


def _needs_gpus(run: RunChanges) -> bool:
    """Tell whether pods ask for GPUs of whatever node pools a cluster has."""
    return any(
        g.num_gpus and g.min_replicas and NODE_POOL not in g.node_selector
        for g in run.wanted.plan.groups
    )


def _by_namespace(found: Iterable[RunChanges]) -> dict[str, list[RunChanges]]:
    grouped: dict[str, list[RunChanges]] = {}
    for run in found:
        grouped.setdefault(run.wanted.namespace, []).append(run)
    return grouped


def _level(runs: Iterable[RunChanges]) -> str:
    return pod_security.level(_objects(runs))


def _objects(runs: Iterable[RunChanges]) -> Iterator[Manifest]:
    return (one for run in runs for one in run.wanted.objects)


def _ending(changes: Sequence[Change]) -> str:
    what = ", ".join(f"{c.ref} in namespace {c.ref.namespace}" for c in changes)
    return f"this would end what runs now: {what}"
