"""From a Google project to a cluster with all that its runs need."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from ray_gke.errors import RefusedError
from ray_gke.events import Emit, Note
from ray_gke.targets.gke.stacks import Outputs, Stacks, Variables, not_up
from ray_gke.targets.steps import step
from ray_gke.targets.terraform import failures
from ray_gke.targets.terraform.changes import Changes, ResourceChange
from ray_gke.targets.terraform.process import Running
from ray_gke.targets.terraform.stack import Planned, Stack, StackError

Confirm = Callable[[str], bool]

_STEPS = ("plan", "platform", "addons", "check", "apply", "ready")
_API_SECONDS = 30.0
"""How long it may take until a freshly enabled API is known everywhere."""


def bring_up(
    stacks: Stacks, variables: Callable[[str], Variables], emit: Emit, confirm: Confirm
) -> Outputs:
    """Bring the cloud, and what all runs need in the cluster, to what is wanted.

    `variables` returns those of a stack by its name, `confirm` is asked before
    something ends that is there. Returns what is known of the cluster. Raises
    RefusedError when the user does not agree, FailedError when it did not succeed,
    InterruptedRun for Ctrl-C.
    """
    known = stacks.remembered()
    platform = stacks.platform(variables("platform"))
    with ExitStack() as ending:
        planning = ending.enter_context(platform.planning())
        wanted = variables("addons")
        addons = stacks.addons(known, wanted) if known else None
        # Of a cluster that is there both are planned at once.
        begun = ending.enter_context(addons.planning()) if addons else None
        if known:
            stacks.api(known)  # loads the client meanwhile
        planned = plan(stacks, platform, emit, confirm, planning)
        outputs = make(stacks, platform, planned, emit)
        if addons is None or planned.to_apply:
            addons, begun = stacks.addons(outputs, wanted), None
        install(addons, emit, confirm, begun)
    return outputs


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
    _agree(planned.changes, confirm)
    return planned


def make(stacks: Stacks, platform: Stack, planned: Planned, emit: Emit) -> Outputs:
    """Do what was planned, and return what is known of the cluster; see `bring_up`."""
    if planned.to_apply:
        with step(emit, stacks.name, "platform", _STEPS) as outcome:
            outcome.detail = _applied(platform, planned, emit)
    found = stacks.read_outputs(platform) if planned.to_apply else stacks.outputs()
    if found is None:
        raise not_up(stacks.whole)
    return found


def install(
    addons: Stack, emit: Emit, confirm: Confirm, begun: Running | None = None
) -> None:
    """Fill the cluster with what all runs need; see `bring_up`."""
    with step(emit, addons.title, "addons", _STEPS) as outcome:
        planned = addons.adopt(addons.plan(emit, begun=begun), emit)
        _agree(planned.changes, confirm)
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
    planned = platform.adopt(platform.plan(emit), emit)
    return platform.apply(planned, emit, "platform")


def _enables_apis(planned: Planned) -> bool:
    created = planned.changes.of("create")
    return any(one.type == "google_project_service" for one in created)


def _agree(changes: Changes, confirm: Confirm) -> None:
    ending = [one for one in changes.todo if one.ends]
    if ending and not confirm(_ending(ending)):
        hint = "--yes goes on; ray-gke plan shows the changes"
        raise RefusedError(_ending(ending), hint=hint)


def _ending(changes: Sequence[ResourceChange]) -> str:
    what = ", ".join(f"{one.action} {one.address}" for one in changes)
    return f"this would {what}"
