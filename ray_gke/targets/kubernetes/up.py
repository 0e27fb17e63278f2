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
from ray_gke.events import Emit, Note, Ready
from ray_gke.gke.nodes import NODE_POOL
from ray_gke.rendering import pod_security
from ray_gke.targets.kubernetes import (
    checks,
    jobs,
    lease,
    live,
    permissions,
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
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.kubernetes.waiting import Waiting, ready_already
from ray_gke.targets.steps import step

_STEPS = ("check", "apply", "ready")
# Who is out of time still hears what it waited for.
_LAST_SECONDS = 2.0
_TOGETHER_SECONDS, _TOGETHER_POLL_SECONDS = 15.0, 0.5


@dataclass(frozen=True)
class Options:
    """How an `up` goes; `timeout` seconds is how long it waits until all is ready.

    `confirm` is asked before something that runs now is ended, with what that is, and
    `check` before anything is written; it raises RefusedError.
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
    `agreed` has the uids of what the user lets go.
    """

    api: Api
    wanted: Sequence[Wanted]
    emit: Emit
    options: Options
    name: str
    problems: list[Problem] = field(default_factory=list)
    agreed: set[str] = field(default_factory=set)

    def run(self) -> None:
        patient, limit = self.api, self.options.timeout
        began = time.monotonic()
        deadline = began + limit
        self.api = patient.within(limit + _LAST_SECONDS)
        with step(self.emit, self.name, "check", _STEPS) as outcome:
            found = self._checked()
            outcome.detail = summary(found)
        with self._locked(found) as check:
            done = self._applied(found, check)
            with step(self.emit, self.name, "ready", _STEPS) as outcome:
                stand = self._stand(done, deadline, check)
                ready = [
                    one
                    for one in done
                    if one.remembered.ray in stand
                    or self._becomes_ready(one, began, deadline, check)
                ]
                outcome.detail = f"{len(ready)} of {len(done)}" if done[1:] else ""
        self.api = patient
        urls = self._urls(ready)
        for one in ready:
            self._finish(one, urls)
        if self.problems:
            raise FailedError.of(self.problems)

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
    def _locked(self, found: Sequence[RunChanges]) -> Iterator[Callable[[], None]]:
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

            def check() -> None:
                for one in leases:
                    one.check()

            yield check

    def _applied(
        self, found: Sequence[RunChanges], check: Callable[[], None]
    ) -> list[Application]:
        if not any(run.writes for run in found):
            return [Application(self.api, run, check) for run in found]
        with step(self.emit, self.name, "apply", _STEPS) as outcome:
            # Until we had the locks somebody else may have written.
            again = iter(self._changes([run.wanted for run in found if run.writes]))
            runs = [next(again) if run.writes else run for run in found]
            self._agree(runs)
            api = self.api.guarded(check)
            done = [Application(api, run, check) for run in runs]
            api.in_parallel(Application.apply, [one for one in done if one.run.writes])
            outcome.detail = summary(runs)
        return done

    def _stand(
        self, done: Sequence[Application], deadline: float, check: Callable[[], None]
    ) -> frozenset[Ref]:
        """Return the Ray objects of what is ready soon, or was before.

        Several runs are asked about together for a while, in few requests; then each
        for itself, with what it waits for.
        """
        several = bool(done[1:])
        asked = [
            one for one in done if not one.edited and (several or not one.run.writes)
        ]
        known = [one.remembered for one in asked]
        new = {one.remembered.ray for one in asked if one.run.writes}
        until = min(deadline, time.monotonic() + _TOGETHER_SECONDS)
        told = 0
        while asked:
            check()
            found = ready_already(self.api, known)
            if new <= found or time.monotonic() > until:
                return found
            if len(found) > told:
                told = len(found)
                self.emit(Note(self.name, f"{told} of {len(done)} are ready"))
            time.sleep(_TOGETHER_POLL_SECONDS)
        return frozenset()

    def _becomes_ready(
        self,
        one: Application,
        began: float,
        deadline: float,
        check: Callable[[], None],
    ) -> bool:
        """Wait for a run, and remove what is gone from it; if not, remember why."""
        waiting = Waiting(self.api, one.remembered, self.emit, deadline, check)
        waiting.began = began
        if one.edited:
            waiting.edited, waiting.previous = one.edited
        try:
            waiting.until_ready()
            one.prune()
        except RayGkeError as error:
            self._failed(error)
            return False
        return True

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
    return pod_security.level(one for run in runs for one in run.wanted.objects)


def _ending(changes: Sequence[Change]) -> str:
    what = ", ".join(f"{c.ref} in namespace {c.ref.namespace}" for c in changes)
    return f"this would end what runs now: {what}"
