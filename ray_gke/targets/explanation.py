"""Why something of a run is pending or failing: the answer of `explain`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cause:
    """One reason why a run is not as it should be.

    `what` is a sentence that names the object and the reason, `evidence` what the
    cluster says word for word, `fix` what to do next. `lasting` says that waiting is
    of no use. `since` is the Unix time at which it was first seen, where that is known.
    """

    what: str
    evidence: tuple[str, ...] = ()
    fix: str = ""
    lasting: bool = False
    since: float | None = None


@dataclass(frozen=True)
class NodeLack:
    """A node that does not take a pod, and each thing that it lacks for it."""

    node: str
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class Pending:
    """Pods that are alike and wait for a node.

    `wanted` is what each asks for. `findings` are sentences about all nodes, `nearest`
    the nodes that lack least.
    """

    group: str
    pods: tuple[str, ...]
    wanted: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    nearest: tuple[NodeLack, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """How a run stands in a sentence, why, and more about what has no node.

    `notes` are facts that are no fault, such as a group that is as large as it may be.
    """

    name: str
    namespace: str
    kind: str
    state: str
    causes: tuple[Cause, ...] = ()
    pending: tuple[Pending, ...] = ()
    notes: tuple[str, ...] = ()
