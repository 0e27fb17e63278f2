"""From a Google project to a cluster with all that its runs need."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ray_gke.errors import RefusedError
from ray_gke.events import Emit, Note
from ray_gke.targets.gke import doctor, fingerprint, pools_in_use
from ray_gke.targets.gke.doctor import Needs, world
from ray_gke.targets.gke.stacks import Outputs, Stacks, Variables, not_up
from ray_gke.targets.registry.client import Registries
from ray_gke.targets.registry.mirror import Pair, mirror
from ray_gke.targets.steps import step
from ray_gke.targets.terraform import failures
from ray_gke.targets.terraform.changes import Changes, ResourceChange
from ray_gke.targets.terraform.process import Running
from ray_gke.targets.terraform.stack import Planned, Stack, StackError

Confirm = Callable[[str], bool]
Check = Callable[[Changes], None]

_STEPS = ("doctor", "plan", "platform", "addons", "check", "apply", "ready")
_API_SECONDS = 30.0
"""How long it may take until a freshly enabled API is known everywhere."""


@dataclass(frozen=True)
class Consent:
    """Who is asked before anything is done.

    `confirm` is, before something ends that is there. Where a plan was agreed to before
    `platform` gets that of the cloud before anything is changed, so that it may look at
    all the rest too, and `addons` that of the other stack before it is applied: each
    raises RefusedError for another plan.
    """

    confirm: Confirm
    platform: Check | None = None
    addons: Check | None = None


@dataclass(frozen=True)
class Aim:
    """What a platform is to be; a part is worked out when it is asked for.

    `variables` returns those of a stack by its name, `needs` what the platform needs of
    the project, `copies` the images that are copied next to the cluster, each with the
    name of its copy.
    """

    variables: Callable[[str], Variables]
    needs: Callable[[], Needs]
    copies: Callable[[], Sequence[Pair]]


def bring_up(stacks: Stacks, aim: Aim, emit: Emit, consent: Consent) -> Outputs:
    """Bring the cloud, and what all runs need in the cluster, to what is wanted.

    Returns what is known of the cluster. Raises RefusedError when the user does not
    agree or something is in the way, FailedError when it did not succeed,
    InterruptedRun for Ctrl-C.
    """
    confirm, agreed = consent.confirm, consent.platform
    known = stacks.remembered()
    platform = stacks.platform(aim.variables("platform"))
    with ExitStack() as ending:
        planning = ending.enter_context(platform.planning())
        if known is None and agreed is None:
            examine(stacks, aim.needs(), emit, confirm)
        wanted = aim.variables("addons")
        addons = stacks.addons(known, wanted) if known else None
        # Of a cluster that is there both are planned at once; where a plan was agreed
        # to, whoever compares it plans the other one.
        at_once = addons if agreed is None else None
        early = ending.enter_context(ExitStack())
        begun = early.enter_context(at_once.planning()) if at_once else None
        if known:
            stacks.api(known)  # loads the client meanwhile
        planned = plan(stacks, platform, emit, confirm, planning)
        if agreed:
            agreed(planned.changes)
        # What was agreed to is compared first: not even an API is enabled before.
        if (known or agreed) and planned.to_apply:
            examine(stacks, aim.needs(), emit, confirm)
        outputs = make(stacks, platform, planned, emit)
        if planned.to_apply:
            api = stacks.api(outputs)
            fingerprint.take(stacks, stacks.google, api, emit, ending=False)
        copy_images(Registries(stacks.credentials.token), aim.copies(), emit)
        if addons is None or planned.to_apply or outputs != known:
            early.close()
            addons, begun = stacks.addons(outputs, wanted), None
        install(addons, emit, consent, begun)
    return outputs


def examine(stacks: Stacks, needs: Needs, emit: Emit, confirm: Confirm) -> None:
    """Raise RefusedError with all that is in the way in the project.

    `confirm` is asked before APIs are enabled.
    """
    with step(emit, stacks.name, "doctor", _STEPS) as outcome:
        asked = world.of(stacks, lambda text: emit(Note(stacks.name, text)))
        report = doctor.examine_and_enable(needs, asked, confirm)
        refusal = doctor.refusal(report)
        if refusal:
            raise refusal
        outcome.detail = report.summary
    for text in doctor.warning_texts(report):
        emit(Note(stacks.name, text, warning=True))


def plan(
    stacks: Stacks,
    platform: Stack,
    emit: Emit,
    confirm: Confirm,
    begun: Running | None = None,
) -> Planned:
    """Return what is to be done to the cloud, once the user has agreed; see `bring_up`.

    `begun` is a plan that goes on already.
    """
    with step(emit, stacks.name, "plan", _STEPS) as outcome:
        planned = platform.adopt(platform.plan(emit, begun=begun), emit)
        outcome.detail = summary(planned.changes)
    for text in told(planned.changes):
        emit(Note(stacks.name, text))
    _agree(planned.changes, confirm, _users(stacks, planned.changes))
    return planned


def make(stacks: Stacks, platform: Stack, planned: Planned, emit: Emit) -> Outputs:
    """Do what was planned, and return what is known of the cluster; see `bring_up`."""
    if planned.to_apply:
        with step(emit, stacks.name, "platform", _STEPS) as outcome:
            outcome.detail = _applied(platform, planned, emit)
    found = (
        stacks.read_outputs(platform) if planned.to_apply else stacks.current_outputs()
    )
    if found is None:
        raise not_up(stacks.whole)
    return found


def copy_images(registries: Registries, copies: Sequence[Pair], emit: Emit) -> None:
    """Copy the images whose copies are not there; one that is there stays as it is."""
    missing = [pair for pair in copies if not registries.exists(pair[1])]
    if missing:
        mirror(registries, missing, emit)


def install(
    addons: Stack,
    emit: Emit,
    consent: Consent,
    begun: Running | None = None,
) -> None:
    """Fill the cluster with what all runs need; see `bring_up`."""
    with step(emit, addons.title, "addons", _STEPS) as outcome:
        planned = addons.adopt(addons.plan(emit, begun=begun), emit)
        if consent.addons:
            consent.addons(planned.changes)
        _agree(planned.changes, consent.confirm)
        outcome.detail = addons.apply(planned, emit, "addons")


def summary(changes: Changes) -> str:
    """Return in a few words what a plan would do: `38 to create, 1 to change`."""
    words = {
        "create": "to create",
        "update": "to change",
        "replace": "to replace",
        "delete": "to delete",
        "forget": "to forget",
    }
    counts = [(len(changes.of(action)), word) for action, word in words.items()]
    return ", ".join(f"{n} {word}" for n, word in counts if n) or "no changes"


def told(changes: Changes) -> list[str]:
    """Return line by line what a plan would do; what is created by its types only."""
    types: dict[str, int] = {}
    for one in changes.of("create"):
        types[one.type] = types.get(one.type, 0) + 1
    created = ", ".join(f"{n} {kind}" for kind, n in sorted(types.items()))
    others = [line(one) for one in changes.todo if one.action != "create"]
    return [*([f"create {created}"] if created else []), *others]


def line(change: ResourceChange) -> str:
    """Return what happens to one resource: `update ADDRESS (labels, taint)`."""
    what = f" ({', '.join(change.attributes)})" if change.attributes else ""
    return f"{change.action} {change.address}{what}"


def _applied(platform: Stack, planned: Planned, emit: Emit) -> str:
    """Apply; once more, after a while, when an API was not known everywhere yet."""
    try:
        return platform.apply(planned, emit, "platform")
    except StackError as error:
        if not (_enables_apis(planned) and failures.retry_once(error.diagnostics)):
            raise
    seconds = f"{_API_SECONDS:.0f} s"
    text = f"Google does not know everywhere of the new APIs: again in {seconds}"
    emit(Note(platform.title, text))
    time.sleep(_API_SECONDS)
    rest = platform.adopt(platform.plan(emit), emit)
    _is_rest(rest.changes, planned.changes)
    return platform.apply(rest, emit, "platform")


def _is_rest(changes: Changes, before: Changes) -> None:
    """Raise RefusedError for what nobody has agreed to."""
    known = {(one.address, one.action) for one in before.todo}
    others = [c for c in changes.todo if (c.address, c.action) not in known]
    if others:
        what = ", ".join(line(one) for one in others)
        hint = "ray-gke plan shows the changes"
        raise RefusedError(f"this was not planned before: {what}", hint=hint)


def _enables_apis(planned: Planned) -> bool:
    created = planned.changes.of("create")
    return any(one.type == "google_project_service" for one in created)


def _users(stacks: Stacks, changes: Changes) -> str:
    """Return in words which runs lose the nodes on which they are."""
    pools, known = pools_in_use.ending(changes), stacks.remembered()
    runs = pools_in_use.runs_on(stacks.api(known), pools) if pools and known else ()
    if not runs:
        return ""
    return f", on whose nodes are {', '.join(runs)}: bring these up with ray-gke up too"


def _agree(changes: Changes, confirm: Confirm, users: str = "") -> None:
    ending = [one for one in changes.todo if one.ends]
    if ending and not confirm(question := f"{_ending(ending)}{users}"):
        hint = "--yes goes on; ray-gke plan shows the changes"
        raise RefusedError(question, hint=hint)


def _ending(changes: Sequence[ResourceChange]) -> str:
    what = ", ".join(f"{one.action} {one.address}" for one in changes)
    return f"this would {what}"
