"""What runs on this machine, and how to reach it."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.errors import RefusedError
from ray_gke.targets.local import environment, node_spec, processes, state
from ray_gke.targets.local.down import find
from ray_gke.targets.local.node_spec import HEAD_ID, NodeReady
from ray_gke.targets.local.record import Record
from ray_gke.targets.local.run_folder import RunFolder
from ray_gke.targets.ray_api import Dashboard, DashboardError, DashboardSilent
from ray_gke.targets.runs import GroupStatus, Opened, Run, Worker

_ANSWER_SECONDS = 2


def runs() -> list[Run]:
    """Return all runs that are remembered; never waits for a dead cluster."""
    return [_run(folder) for folder in state.all_runs()]


def run(name: str) -> Run:
    """Return the run `name`, or raise UsageError when there is none."""
    return _run(find(name))


def names_of_running() -> list[str]:
    """Return the names of the runs of which any process lives."""
    return [run.name for run in state.all_runs() if processes.of_run(run.path)]


def dashboard(name: str) -> Opened:
    """Return how to open the dashboard of a running run."""
    run = find(name)
    record = run.record()
    if not record or not record.dashboard or not head_of(run):
        raise RefusedError(f"{name} is not running", hint="ray-gke status")
    urls = {"dashboard": f"http://{record.dashboard}"}
    return Opened(urls, run.read_token(), lasting=True)


def _run(run: RunFolder) -> Run:
    record = run.record()
    if record is None:
        status = "UNKNOWN" if processes.of_run(run.path) else "ENDED"
        return Run(run.name, "", "", status, 0, {}, (), (), {})
    head = head_of(run)
    status, message = _status(run, record, head)
    workers = tuple(_workers(run)) if head else ()
    return Run(
        name=run.name,
        kind=record.kind,
        blueprint=record.blueprint,
        status=status,
        since=record.started_at,
        urls=_urls(record) if head else {},
        groups=tuple(
            GroupStatus(
                g.name,
                g.min_replicas,
                g.max_replicas,
                sum(w.group == g.name for w in workers),
            )
            for g in record.groups
        ),
        workers=workers,
        environment=_environment(run, record) if head else {},
        job_id=record.job_id,
        message=message.partition("\n")[0],
        exit_code=record.exit_code,
    )


def head_of(run: RunFolder) -> NodeReady | None:
    """Return the head of `run` while it lives."""
    head = NodeReady.read(node_spec.ready_file(run.nodes, HEAD_ID))
    return head if head and processes.is_alive(head.pid) else None


def _workers(run: RunFolder) -> Iterator[Worker]:
    for node in node_spec.ready(run.nodes):
        if node.node_id != HEAD_ID and processes.is_alive(node.pid):
            yield Worker(node.node_id, node.group, node.pid, node.ray_node_id)


def _status(run: RunFolder, record: Record, head: NodeReady | None) -> tuple[str, str]:
    if record.phase == "ended":
        return record.status, record.message
    if head is None:
        coming = record.phase == "starting" and processes.is_alive(
            record.up_pid, record.up_started
        )
        return ("STARTING", "") if coming else ("LOST", "its processes are gone")
    if not record.job_id:
        return record.status, ""
    try:
        info = Dashboard(record.dashboard, run.read_token).get(
            f"/api/jobs/{record.job_id}", timeout=_ANSWER_SECONDS
        )
    except (DashboardError, DashboardSilent) as error:
        return record.status, f"the dashboard does not answer: {error}"
    return info["status"], info["message"] or ""


def _urls(record: Record) -> dict[str, str]:
    urls = {"dashboard": f"http://{record.dashboard}" if record.dashboard else ""}
    urls |= {"service": record.serve_url, "cluster": record.gcs_address}
    return {what: url for what, url in urls.items() if url}


def _environment(run: RunFolder, record: Record) -> dict[str, str]:
    return {
        "RAY_ADDRESS": record.gcs_address,
        "RAY_API_SERVER_ADDRESS": f"http://{record.dashboard}",
        **environment.connection(run),
    }
