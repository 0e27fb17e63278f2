"""One cluster of a plan: from nothing to its end, or to where it can be used."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ray_gke.errors import InterruptedRun, RefusedError
from ray_gke.events import Emit, Ready
from ray_gke.planning.machine import LocalPlan
from ray_gke.targets import ray_jobs
from ray_gke.targets.local import job, launch, processes
from ray_gke.targets.local.launch import BroughtDown, Cluster
from ray_gke.targets.local.record import GroupRecord, Record
from ray_gke.targets.local.run_folder import RunFolder
from ray_gke.targets.local.service import Deployment, free_port, local_config
from ray_gke.targets.local.teardown import bring_down, deaf
from ray_gke.targets.ray_api import Dashboard
from ray_gke.targets.steps import order, step

if TYPE_CHECKING:
    from ray_gke.catalog.blueprint import Job


@dataclass
class Attempt:
    """Whatever goes wrong, nothing is left running, and the record tells why."""

    local: LocalPlan
    run: RunFolder
    emit: Emit
    record: Record = field(init=False)
    steps: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        plan = self.local.plan
        self.steps = order(plan.kind, workers=bool(plan.worker_groups))
        self.record = Record(
            name=plan.name,
            kind=plan.kind,
            blueprint=plan.blueprint,
            phase="starting",
            started_at=time.time(),
            up_pid=os.getpid(),
            up_started=processes.started_at(os.getpid()),
            groups=tuple(
                GroupRecord(
                    g.name, g.min_replicas, g.max_replicas, g.num_cpus, g.num_gpus
                )
                for g in plan.worker_groups
            ),
        )

    def run_job(self) -> ray_jobs.Result:
        """Return how the job ended; its cluster is gone."""
        with self._guarded():
            cluster = self._cluster()
            result = self._job(cluster)
        self._end(result.status, result.message, result.exit_code)
        return result

    def bring_up(self) -> Ready:
        """Return when the cluster, or the service on it, can be used; it stays."""
        with self._guarded():
            cluster = self._cluster()
            urls = {"dashboard": f"http://{cluster.head.dashboard}"}
            if self.local.plan.serve_config is not None:
                urls["service"] = self._service(cluster)
            else:
                urls["cluster"] = cluster.head.gcs_address
            self._note(phase="running", status="RUNNING")
        return Ready(self.run.name, self.local.plan.kind, urls)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self._end("STOPPED", "interrupted")
            raise InterruptedRun(
                f"{self.run.name} was interrupted; nothing of it is left running"
            ) from None
        except BroughtDown as error:
            self._end("STOPPED", str(error))
            raise
        except BaseException as error:
            self._end("FAILED", str(error))
            raise

    def _cluster(self) -> Cluster:
        plan = self.local.plan
        name = self.run.name
        with step(self.emit, name, "head", self.steps) as outcome:
            self.run.clear()
            self._note()
            launch.prepare(self.local, self.run)
            cluster = launch.start_head(self.local, self.run)
            outcome.detail = f"dashboard http://{cluster.head.dashboard}"
        self._note(
            gcs_address=cluster.head.gcs_address,
            dashboard=cluster.head.dashboard,
            session=cluster.head.session,
        )
        if plan.worker_groups:
            with step(self.emit, name, "workers", self.steps) as outcome:
                count = launch.wait_for_workers(cluster, plan.worker_groups)
                outcome.detail = f"{count} worker{'s' * (count != 1)}"
        return cluster

    def _job(self, cluster: Cluster) -> ray_jobs.Result:
        name = self.run.name
        workload: Job = self.local.plan.workload
        dashboard = Dashboard(cluster.head.dashboard, self.run.read_token)
        with step(self.emit, name, "submit", self.steps) as outcome:
            job_id = job.submit(cluster, dashboard, workload)
            outcome.detail = job_id
        self._note(phase="running", status="RUNNING", job_id=job_id)
        seconds = workload.active_deadline_seconds
        until = self.record.started_at + seconds if seconds else None
        follower = job.Follower(cluster, dashboard, job_id, self.emit, until)
        try:
            with step(self.emit, name, "job", self.steps) as outcome:
                result = follower.follow()
                outcome.detail = result.status
        except KeyboardInterrupt:
            ray_jobs.stop(dashboard, job_id)
            raise
        return result

    def _service(self, cluster: Cluster) -> str:
        config = self.local.plan.serve_config
        assert config is not None
        dashboard = Dashboard(cluster.head.dashboard, self.run.read_token)
        deployment = Deployment(
            cluster, dashboard, self.emit, local_config(config, free_port())
        )
        with step(self.emit, self.run.name, "deploy", self.steps) as outcome:
            count = deployment.deploy()
            outcome.detail = f"{count} application{'s' * (count != 1)} running"
        self._note(serve_url=deployment.url)
        return deployment.url

    def _note(self, **changes: object) -> None:
        self.record = replace(self.record, **changes)  # type: ignore[arg-type]
        self.run.write(self.record)

    def _end(self, status: str, message: str, exit_code: int | None = None) -> None:
        bring_down(self.run, self.emit)
        with deaf():
            try:
                self._note(
                    phase="ended",
                    status=status,
                    message=message,
                    exit_code=exit_code,
                    ended_at=time.time(),
                )
            except RefusedError:  # the disk is full: keep nothing
                with suppress(RefusedError):
                    self.run.clear()
