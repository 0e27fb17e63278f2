"""A namespace of a cluster as a target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from ray_gke.events import Emit, LogLine, Note
from ray_gke.targets.explanation import Explanation
from ray_gke.targets.kubernetes import (
    checks,
    cluster_facts,
    dashboard,
    down,
    explain,
    logs,
    status,
    submit,
    up,
)
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.changes import RunChanges
from ray_gke.targets.kubernetes.live import Wanted
from ray_gke.targets.runs import Opened, Run


@dataclass(frozen=True)
class Cluster:
    """The runs in a namespace, or in all of a cluster; see `target.Target`."""

    api: Api
    namespace: str

    @classmethod
    def of(cls, context: str | None, namespace: str | None) -> Cluster:
        """Return the cluster of a context, in `namespace` or that of the context.

        Without a name it is the current context. Raises RefusedError, also when its
        API server does not answer.
        """
        return cls.at(Api.of(context), namespace)

    @classmethod
    def at(cls, api: Api, namespace: str | None) -> Cluster:
        """Return the cluster of an API. Raises RefusedError when it does not answer."""
        checks.reachable(api)
        return cls(api, api.client.namespace).within(namespace)

    def within(self, namespace: str | None) -> Cluster:
        """Return the same cluster in `namespace`, or that of the client without one."""
        own = self.api.client.namespace
        return replace(self, namespace=own if namespace is None else namespace)

    def facts(self) -> cluster_facts.Facts:
        """Return what plans for this cluster follow from."""
        return cluster_facts.read(self.api)

    def up(self, wanted: Sequence[Wanted], emit: Emit, options: up.Options) -> None:
        """Bring up all that is wanted."""
        up.up(self.api, wanted, emit, options)

    def changes(self, wanted: Sequence[Wanted], *, rerun: bool) -> list[RunChanges]:
        """Return what `up` would do."""
        return up.changes(self.api, wanted, rerun=rerun)

    def names(self) -> list[str]:
        """Return the names of all runs."""
        return down.names_of_running(self.api, self.namespace)

    def runs(self) -> list[Run]:
        """Return all runs."""
        return status.runs(self.api, self.namespace)

    def run(self, name: str) -> Run:
        """Return one run."""
        return status.run(self.api, self.namespace, name)

    def down(self, name: str, emit: Emit) -> None:
        """Remove all objects of a run."""
        down.down(self.api, self.namespace, name, emit)

    def logs(
        self, name: str, *, group: str | None, previous: bool, follow: bool
    ) -> Iterator[LogLine | Note]:
        """Return what the pods of a run have written."""
        return logs.logs(
            self.api,
            self.namespace,
            name,
            group=group,
            previous=previous,
            follow=follow,
        )

    def opened(self, name: str) -> AbstractContextManager[Opened]:
        """Forward ports of this machine to a run, while it is open."""
        return dashboard.opened(self.api, self.namespace, name)

    def submit(
        self,
        name: str,
        entrypoint: str,
        emit: Emit,
        *,
        working_dir: Path | None,
        detach: bool,
    ) -> None:
        """Run a command as a job on a run."""
        submit.submit(
            self.api,
            self.namespace,
            name,
            entrypoint,
            working_dir=working_dir,
            runtime_env={},
            detach=detach,
            emit=emit,
        )

    def explain(self, name: str) -> Explanation:
        """Return why something of a run is pending or failing."""
        return explain.explain(self.api, self.namespace, name)
