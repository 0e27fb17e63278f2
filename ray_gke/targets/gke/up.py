"""From a Google project to a cluster with all that its runs need."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ray_gke.errors import RefusedError
from ray_gke.events import Emit, Note
from ray_gke.targets.gke.stacks import Outputs, Stacks, Variables, not_up
from ray_gke.targets.steps import step
from ray_gke.targets.terraform import failures
from ray_gke.targets.terraform.changes import Changes, ResourceChange
from ray_gke.targets.terraform.stack import Planned, Stack, StackError

Confirm = Callable[[str], bool]

_STEPS = ("plan", "platform", "addons", "check", "apply", "ready")
_API_SECONDS = 30.0
"""How long it may take until a freshly enabled API is known everywhere."""


def create(
    stacks: Stacks, variables: Variables, emit: Emit, confirm: Confirm
) -> Outputs:
    """Bring the cloud to what the variables say, and return what came of it.

    `confirm` is asked before something ends that is there. Raises RefusedError then,
    FailedError when it did not succeed, InterruptedRun for Ctrl-C.
    """
    platform = stacks.platform(variables)
    with step(emit, stacks.name, "plan", _STEPS) as outcome:
        planned = platform.adopt(platform.plan(emit), emit)
        outcome.detail = summary(planned.changes)
    for line in told(planned.changes):
        emit(Note(stacks.name, line))
    _agree(planned.changes, confirm)
    if planned.to_apply:
        with step(emit, stacks.name, "platform", _STEPS) as outcome:
            outcome.detail = _applied(platform, planned, emit)
    found = stacks.read_outputs(platform) if planned.to_apply else stacks.outputs()
    if found is None:
        raise not_up(stacks.whole)
    return found


def install(
    stacks: Stacks,
    outputs: Outputs,
    variables: Variables,
    emit: Emit,
    confirm: Confirm,
) -> None:
    """Bring what all runs of the cluster need to what the variables say.

    Raises what `create` raises.
    """
    addons = stacks.addons(outputs, variables)
    with step(emit, stacks.name, "addons", _STEPS) as outcome:
        planned = addons.adopt(addons.plan(emit), emit)
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
