"""Log files of Ray: shipped by Fluent Bit, and never so many that a pod is evicted.

Ray writes nothing of use to stdout, but about 90 files below `session_latest/logs`.
What Fluent Bit makes of them was seen with version 5.1.1; where it was not, its
documentation and source are named. What Ray does is read from its source, 2.60.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray_gke.planning.plan import Group, Plan
from ray_gke.planning.pods import FLUENT_BIT, quantities
from ray_gke.rendering import documents, log_sizes, tracebacks
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.security_contexts import CONTAINER_SECURITY_CONTEXT
from ray_gke.rendering.templates import Manifest, Templates

VOLUME = "ray-logs"
"""The name by which KubeRay shares /tmp/ray with its autoscaler (pod.go)."""

_MOUNT = "/tmp/ray"  # noqa: S108 where Ray writes
_LOGS = f"{_MOUNT}/session_latest/logs"
# Each process, job supervisors, Serve, Train, Data, and events. Not `old`, which were
# read before they were moved there; not `export_events`, which exist only for a
# collector of their own. Fluent Bit has no `**`.
_GLOBS = (
    f"{_LOGS}/*.log",
    f"{_LOGS}/*.out",
    f"{_LOGS}/*.err",
    *(f"{_LOGS}/{name}/*.log" for name in ("jobs", "serve", "train", "ray-data")),
    f"{_LOGS}/events/*.log",
)

_SPILLING = "object-spilling"
_SPILLING_MOUNT = "/tmp/object-spilling"  # noqa: S108 a volume of its own

_CONFIG = "fluent-bit"
_CONFIG_MOUNT = "/fluent-bit/ray"  # /fluent-bit/etc has the image's own parsers

_COMPONENT = (
    "event|replica|proxy|controller|job-driver|ray-data"
    "|python-core-(?:worker|driver)|ray-train-(?:sys|app)-(?:worker|controller)"
    "|[A-Za-z]+(?:_[A-Za-z]+)*"
)
# By Ray's dashboard/modules/job/common.py and job_supervisor.py,
# _private/ray_logging/__init__.py, and serve/_private/utils.py.
_SUBMISSION = r"-(?<submission_id>(?<=/job-driver-).+|(?<=/supervisor-).+)"
_WORKER = (
    r"-[0-9a-f]{56}(?:-(?<worker_job>[0-9a-f]{8}))?[-_](?<worker_pid>[0-9]+)"
    r"(?:\.[0-9]+)?"
)
_REPLICA = r"(?<=/replica)_.+_(?<serve_replica>[0-9a-z]+)"
_FILE = (
    rf"^.*/logs/(?:[^/]+/)?(?<component>{_COMPONENT})"
    rf"(?:{_SUBMISSION}|{_WORKER}|{_REPLICA}|[-_.].*)?\.(?:log|out|err)$"
)


def config_map(
    plan: Plan, templates: Templates, metadata: Callable[[str], Manifest]
) -> Manifest | None:
    """Return Fluent Bit's configuration, which all pods of a run share."""
    if not _by_sidecar(plan):
        return None
    return templates.render(
        "fluent-bit-config-map",
        metadata=metadata(_config_map_name(plan)),
        configuration=documents.text(_configuration()),
        parsers=documents.text(_parsers()),
    )


def sidecar(plan: Plan, group: Group, templates: Templates) -> Manifest | None:
    """Return the init container that goes on beside Ray's and ships its logs."""
    if not _by_sidecar(plan) or group.role == "submitter":
        return None
    amounts = quantities(FLUENT_BIT)
    return templates.render(
        "fluent-bit-container",
        image=plan.day_two.logs.image,
        config_option=f"--config={_CONFIG_MOUNT}/fluent-bit.yaml",
        env=[
            {"name": name.upper(), "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in _of_the_pod().items()
        ],
        resources={"requests": amounts, "limits": amounts},
        security_context=CONTAINER_SECURITY_CONTEXT,
        mounts=[
            {"name": VOLUME, "mountPath": _MOUNT},
            {"name": _CONFIG, "mountPath": _CONFIG_MOUNT, "readOnly": True},
        ],
    )


def volumes(plan: Plan) -> list[Manifest]:
    """Return the volumes of logs, of Fluent Bit's configuration and of objects.

    None of them on GKE's collector, which brings a `ray-logs` of its own.
    """
    if not _by_sidecar(plan):
        return []
    size_limit = plan.day_two.logs.size_limit
    return [
        {"name": VOLUME, "emptyDir": {"sizeLimit": size_limit}},
        {"name": _CONFIG, "configMap": {"name": _config_map_name(plan)}},
        {"name": _SPILLING, "emptyDir": {}},
    ]


def mounts(plan: Plan) -> list[Manifest]:
    """Return what Ray's container mounts."""
    if not _by_sidecar(plan):
        return []
    return [
        {"name": VOLUME, "mountPath": _MOUNT},
        {"name": _SPILLING, "mountPath": _SPILLING_MOUNT},
    ]


def env(plan: Plan, group: Group) -> dict[str, str]:
    """Return variables of Ray's container, over which the blueprint's own go.

    What bounds the files holds in every mode: without a volume it is the node's disk
    that they would fill.

    JSON only where GKE's collector asks for it. It would change what a job's user
    sees: lines that its driver logs (_private/worker.py), and those of raylets, which
    log_monitor.py prints there.
    """
    logs = plan.day_two.logs
    if group.role == "submitter":
        return {}
    json = {"RAY_LOGGING_CONFIG_ENCODING": "JSON", "RAY_BACKEND_LOG_JSON": "1"}
    return {**log_sizes.env(logs.size_limit), **(json if logs.mode == "gke" else {})}


def start_params(plan: Plan, group: Group) -> dict[str, str]:
    """Return parameters of `ray start`: objects are spilled to a volume of their own.

    Ray spills below its session, where they would count as logs. KubeRay hands all
    parameters through (pod.go, convertParamMap).
    """
    if not _by_sidecar(plan) or group.role == "submitter":
        return {}
    return {"object-spilling-directory": _SPILLING_MOUNT}


def _by_sidecar(plan: Plan) -> bool:
    return plan.day_two.logs.mode == "sidecar"


def _config_map_name(plan: Plan) -> str:
    return f"{plan.name}-fluent-bit"


def _of_the_pod() -> dict[str, str]:
    """Return the fields that tell a pod's records from others', and their source."""
    return {
        "cluster": "metadata.labels['ray.io/cluster']",
        "group": "metadata.labels['ray.io/group']",
        "run": f"metadata.labels['{RUN}']",
        "pod": "metadata.name",
        "namespace": "metadata.namespace",
    }


def _configuration() -> dict[str, Any]:
    service = {"flush": 1, "grace": 5, "log_level": "warn"}
    output = {
        "name": "stdout",
        "match": "*",
        "format": "json_lines",
        "json_date_format": "iso8601",
    }
    pipeline = {"inputs": [_tail()], "filters": _filters(), "outputs": [output]}
    return {
        "service": {**service, "parsers_file": "parsers.yaml"},
        "pipeline": pipeline,
    }


def _tail() -> dict[str, Any]:
    return {
        "name": "tail",
        "tag": "ray",
        "path": ",".join(_GLOBS),
        # Not `filename`, in which Ray's JSON lines have the file of the source.
        "path_key": "log_file",
        "read_from_head": True,
        "refresh_interval": 1,
        # Of no session, so that it outlives the restart of a container. Offsets belong
        # to inodes: a file that Ray renames to NAME.1.out is not read again.
        "db": f"{_MOUNT}/fluent-bit.db",
        "rotate_wait": 30,
        "multiline.parser": tracebacks.NAME,
        "mem_buf_limit": "16MB",
        "buffer_max_size": "1MB",
        # Off, a longer line would be the last of its file that is read (in_tail,
        # tail.c).
        "skip_long_lines": True,
    }


def _filters() -> list[dict[str, Any]]:
    """Return what makes fields of a record: of its line, its pod, and its file."""
    of_the_pod = _of_the_pod()
    return [
        {
            "name": "parser",
            "match": "*",
            "key_name": "log",
            "parser": "json_line",
            "reserve_data": True,
        },
        {
            "name": "record_modifier",
            "match": "*",
            # A line's own fields of these names would stand in the record twice.
            "remove_key": ["component", *of_the_pod],
            "record": [f"{name} ${{{name.upper()}}}" for name in of_the_pod],
        },
        {
            "name": "parser",
            "match": "*",
            "key_name": "log_file",
            "parser": "ray_file",
            "preserve_key": True,
            "reserve_data": True,
        },
    ]


def _parsers() -> dict[str, Any]:
    return {
        "parsers": [
            {"name": "json_line", "format": "json"},
            {"name": "ray_file", "format": "regex", "regex": _FILE},
        ],
        "multiline_parsers": [tracebacks.parser()],
    }
