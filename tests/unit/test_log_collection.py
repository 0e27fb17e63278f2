"""Which files of Ray are shipped, what their names tell, and how pods are made for it.

File names are those that Ray 2.60 wrote when blueprints ran; those of rotated files,
of Ray Client and of the autoscaler's pod are from its source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

from ray_gke.planning.plan import Plan
from ray_gke.rendering import log_collection
from ray_gke.rendering.templates import Manifest, Templates
from tests.fluent_bit import FluentBit

Planned = Callable[..., Plan]
Mode = Literal["sidecar", "gke", "none"]

LOGS = "/tmp/ray/session_latest/logs"
WORKER = "0d6dd4b0fa29e0e8a7e2d3ce8b1d3c2f4d1a9b7a6c5e4f3a2b1c0d9e"
SPEC = "cluster: {}\nworker_groups: [{name: cpu}]"


def with_mode(plan: Plan, mode: Mode, **more: Any) -> Plan:
    logs = replace(plan.day_two.logs, mode=mode, **more)
    return replace(plan, day_two=replace(plan.day_two, logs=logs))


@pytest.fixture
def plan(planned: Planned) -> Plan:
    return with_mode(planned(SPEC), "sidecar")


def metadata(name: str) -> Manifest:
    return {"name": name, "namespace": "ml"}


def config_map(plan: Plan) -> Manifest:
    found = log_collection.config_map(plan, Templates(None), metadata)
    assert found
    return found


def sidecar(plan: Plan) -> Manifest:
    found = log_collection.sidecar(plan, plan.head, Templates(None))
    assert found
    return found


@pytest.fixture
def fluent_bit(plan: Plan) -> FluentBit:
    return FluentBit.of(config_map(plan))


SHIPPED: dict[str, dict[str, str]] = {
    "dashboard.log": {"component": "dashboard"},
    "dashboard_JobHead.log": {"component": "dashboard_JobHead"},
    "dashboard_ServeHead.err": {"component": "dashboard_ServeHead"},
    "dashboard_ServeHead.out": {"component": "dashboard_ServeHead"},
    "dashboard_agent.log": {"component": "dashboard_agent"},
    "gcs_server.out": {"component": "gcs_server"},
    "gcs_server.err": {"component": "gcs_server"},
    "log_monitor.log": {"component": "log_monitor"},
    "log_monitor.err": {"component": "log_monitor"},
    "monitor.log": {"component": "monitor"},
    "ray_process_exit.log": {"component": "ray_process_exit"},
    "raylet.out": {"component": "raylet"},
    "raylet.err": {"component": "raylet"},
    # Of a worker that came back into its session, or rotated.
    "raylet.1.out": {"component": "raylet"},
    "runtime_env_agent.log": {"component": "runtime_env_agent"},
    "runtime_env_agent.out": {"component": "runtime_env_agent"},
    "runtime_env_setup-01000000.log": {"component": "runtime_env_setup"},
    "ray_client_server.err": {"component": "ray_client_server"},
    "ray_client_server_23000.out": {"component": "ray_client_server"},
    f"python-core-driver-{'01000000' + 'f' * 48}_259.log": {
        "component": "python-core-driver",
        "worker_pid": "259",
    },
    f"python-core-worker-{WORKER}_11428.log": {
        "component": "python-core-worker",
        "worker_pid": "11428",
    },
    f"worker-{WORKER}-01000000-11428.out": {
        "component": "worker",
        "worker_job": "01000000",
        "worker_pid": "11428",
    },
    f"worker-{WORKER}-0a000000-7.err": {
        "component": "worker",
        "worker_job": "0a000000",
        "worker_pid": "7",
    },
    f"worker-{WORKER}-01000000-11428.1.out": {
        "component": "worker",
        "worker_job": "01000000",
        "worker_pid": "11428",
    },
    f"io_worker-{WORKER}-311.out": {"component": "io_worker", "worker_pid": "311"},
    "job-driver-raysubmit_9pVTuMJ4FbWcVYLh.log": {
        "component": "job-driver",
        "submission_id": "raysubmit_9pVTuMJ4FbWcVYLh",
    },
    "job-driver-squares-5c2d1f3a-x7k2p.log": {
        "component": "job-driver",
        "submission_id": "squares-5c2d1f3a-x7k2p",
    },
    "job-driver-by.hand_2.log": {
        "component": "job-driver",
        "submission_id": "by.hand_2",
    },
    "jobs/supervisor-squares-5c2d1f3a-x7k2p.log": {
        "component": "supervisor",
        "submission_id": "squares-5c2d1f3a-x7k2p",
    },
    "serve/controller_11428.log": {"component": "controller"},
    "serve/controller_build_classifier_11531.log": {"component": "controller"},
    "serve/proxy_10.4.2.7.log": {"component": "proxy"},
    "serve/replica_default_Model_abc123de.log": {
        "component": "replica",
        "serve_replica": "abc123de",
    },
    "serve/replica_my_app_My_Model_iggqx1mo.log": {
        "component": "replica",
        "serve_replica": "iggqx1mo",
    },
    f"train/ray-train-sys-controller-{WORKER}.log": {
        "component": "ray-train-sys-controller"
    },
    f"train/ray-train-app-worker-{WORKER}.log": {"component": "ray-train-app-worker"},
    "ray-data/ray-data.log": {"component": "ray-data"},
    "ray-data/ray-data-train_3_0.log": {"component": "ray-data"},
    "events/event_JOBS.log": {"component": "event"},
    "events/event_CORE_WORKER_5927.log": {"component": "event"},
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_is_read_once_and_its_name_is_understood(
    fluent_bit: FluentBit, name: str
) -> None:
    assert fluent_bit.reads(f"{LOGS}/{name}") == 1
    assert fluent_bit.fields(f"{LOGS}/{name}") == SHIPPED[name]


@pytest.mark.parametrize(
    "path",
    [
        f"{LOGS}/debug_state.txt",
        f"{LOGS}/old/worker-{WORKER}-01000000-11428.out",
        f"{LOGS}/export_events/event_EXPORT_TASK_5108.log",
        f"{LOGS}/serve/replica_default_Model_abc123de_memray_0.bin",
        # Python's rotation has read it before.
        f"{LOGS}/dashboard.log.1",
        "/tmp/ray/session_2026-11-26_04-39-03_283642_1/logs/raylet.out",
        "/tmp/ray/fluent-bit.db",
        "/var/log/containers/demo-head_ml_fluent-bit-0.log",
    ],
)
def test_other_files_are_left_alone(fluent_bit: FluentBit, path: str) -> None:
    assert fluent_bit.reads(path) == 0


def test_names_of_fields_are_none_of_those_in_lines_of_json(
    fluent_bit: FluentBit,
) -> None:
    # Ray's, of _common/logging_constants.py and serve/_private/logging_utils.py.
    of_lines = {"asctime", "levelname", "message", "filename", "lineno", "job_id"}
    of_lines |= {"worker_id", "node_id", "actor_id", "task_id", "task_name", "process"}
    of_lines |= {"route", "request_id", "application", "deployment", "replica"}
    of_lines |= {"component_name", "component_id", "component", "timestamp_ns"}
    (modifier,) = (
        one
        for one in fluent_bit.configuration["pipeline"]["filters"]
        if one["name"] == "record_modifier"
    )
    ours = {fluent_bit.tail["path_key"]}
    ours |= {key for fields in SHIPPED.values() for key in fields}
    assert ours & of_lines <= set(modifier["remove_key"])


def test_the_configuration_is_the_one_that_was_seen_working(
    fluent_bit: FluentBit,
) -> None:
    configuration = fluent_bit.configuration
    assert configuration["service"] == {
        "flush": 1,
        "grace": 5,
        "log_level": "warn",
        "parsers_file": "parsers.yaml",
    }
    tail = dict(fluent_bit.tail)
    assert set(tail.pop("path").split(",")) > {f"{LOGS}/*.log", f"{LOGS}/*.err"}
    assert tail == {
        "name": "tail",
        "tag": "ray",
        "path_key": "log_file",
        "read_from_head": True,
        "refresh_interval": 1,
        "db": "/tmp/ray/fluent-bit.db",
        "rotate_wait": 30,
        "multiline.parser": "ray_traceback",
        "mem_buf_limit": "16MB",
        "buffer_max_size": "1MB",
        "skip_long_lines": True,
    }
    assert configuration["pipeline"]["outputs"] == [
        {
            "name": "stdout",
            "match": "*",
            "format": "json_lines",
            "json_date_format": "iso8601",
        }
    ]
    assert fluent_bit.parsers["json_line"] == {"name": "json_line", "format": "json"}


def test_filters_keep_what_is_not_theirs(fluent_bit: FluentBit) -> None:
    of_file, of_line = fluent_bit.filter_of("log_file"), fluent_bit.filter_of("log")
    assert of_file["preserve_key"] is of_file["reserve_data"] is True
    assert of_line["reserve_data"] is True
    assert of_line["parser"] == "json_line"
    for one in fluent_bit.configuration["pipeline"]["filters"]:
        assert one["match"] == "*"


def test_every_record_says_whose_it_is(plan: Plan, fluent_bit: FluentBit) -> None:
    (modifier,) = (
        one
        for one in fluent_bit.configuration["pipeline"]["filters"]
        if one["name"] == "record_modifier"
    )
    given = {
        f"${{{one['name']}}}": one["valueFrom"]["fieldRef"]["fieldPath"]
        for one in sidecar(plan)["env"]
    }
    words = (record.split(" ") for record in modifier["record"])
    assert {name: given[variable] for name, variable in words} == {
        "cluster": "metadata.labels['ray.io/cluster']",
        "group": "metadata.labels['ray.io/group']",
        "run": "metadata.labels['ray-gke/run']",
        "pod": "metadata.name",
        "namespace": "metadata.namespace",
    }


def test_the_sidecar_begins_before_ray_and_has_the_same_logs(plan: Plan) -> None:
    container = sidecar(plan)
    assert container["name"] == "fluent-bit"
    assert container["image"] == plan.day_two.logs.image
    assert container["restartPolicy"] == "Always"
    amounts = {"cpu": "50m", "memory": "128Mi"}
    assert container["resources"] == {"requests": amounts, "limits": amounts}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    places = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    of_ray = {one["name"]: one["mountPath"] for one in log_collection.mounts(plan)}
    assert places["ray-logs"] == of_ray["ray-logs"] == "/tmp/ray"
    assert of_ray.keys() == {"ray-logs", "object-spilling"}


def test_the_configuration_is_mounted_beside_the_images_own(plan: Plan) -> None:
    (mount,) = (m for m in sidecar(plan)["volumeMounts"] if m["name"] != "ray-logs")
    assert mount["readOnly"] is True
    assert not mount["mountPath"].startswith("/fluent-bit/etc")
    assert mount["mountPath"] != "/fluent-bit"
    assert sidecar(plan)["args"] == [f"--config={mount['mountPath']}/fluent-bit.yaml"]
    sources = {one["name"]: one for one in log_collection.volumes(plan)}
    one = config_map(plan)
    assert one["metadata"] == {"name": "demo-fluent-bit", "namespace": "ml"}
    assert sources[mount["name"]]["configMap"] == {"name": "demo-fluent-bit"}
    assert one["data"].keys() == {"fluent-bit.yaml", "parsers.yaml"}


def test_logs_have_a_limit_and_objects_are_spilled_elsewhere(plan: Plan) -> None:
    plan = with_mode(plan, "sidecar", size_limit="5Gi")
    sources = {one["name"]: one.get("emptyDir") for one in log_collection.volumes(plan)}
    assert sources["ray-logs"] == {"sizeLimit": "5Gi"}
    (spilling,) = (
        one["mountPath"]
        for one in log_collection.mounts(plan)
        if one["name"] == "object-spilling"
    )
    assert sources["object-spilling"] == {}
    assert not spilling.startswith("/tmp/ray/")
    for group in (plan.head, *plan.worker_groups):
        params = log_collection.start_params(plan, group)
        assert params == {"object-spilling-directory": spilling}


def bounded(most_bytes: int, kept: str) -> dict[str, str]:
    """The variables that bound files, and what each kind of environment may keep."""
    kinds = ("CONDA", "JAVA_JARS", "PIP", "PY_MODULES", "UV", "WORKING_DIR")
    return {
        "RAY_ROTATION_MAX_BYTES": str(most_bytes),
        "RAY_ROTATION_BACKUP_COUNT": "1",
        **{f"RAY_RUNTIME_ENV_{kind}_CACHE_SIZE_GB": kept for kind in kinds},
    }


@pytest.mark.parametrize("mode", ["sidecar", "none"])
@pytest.mark.parametrize(
    ("size_limit", "most_bytes", "kept"),
    [
        # Half for 128 files and their backups, a sixth of the other half for each kind.
        ("10Gi", 20 * 2**20, "0.833"),
        ("24Gi", 48 * 2**20, "2.0"),
        ("256Mi", 2**19, "0.02"),
    ],
)
def test_files_and_environments_are_bounded_in_every_mode(
    plan: Plan, mode: Mode, size_limit: str, most_bytes: int, kept: str
) -> None:
    limited = with_mode(plan, mode, size_limit=size_limit)
    assert log_collection.env(limited, plan.head) == bounded(most_bytes, kept)


def test_gkes_collector_gets_json_and_brings_its_own_volume(plan: Plan) -> None:
    plan = with_mode(plan, "gke")
    assert log_collection.env(plan, plan.head) == {
        **bounded(20 * 2**20, "0.833"),
        "RAY_LOGGING_CONFIG_ENCODING": "JSON",
        "RAY_BACKEND_LOG_JSON": "1",
    }


def test_ray_keeps_half_of_the_volume_for_runtime_environments(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the Ray that is installed: no kind of environment is forgotten."""
    from ray._private.runtime_env.agent import runtime_env_agent
    from ray._private.runtime_env.plugin import RuntimeEnvPlugin

    for name, value in log_collection.env(plan, plan.head).items():
        monkeypatch.setenv(name, value)
    manager = runtime_env_agent.RuntimeEnvPluginManager()
    kinds = RuntimeEnvPlugin.__subclasses__()
    sizes = [
        manager.create_uri_cache_for_plugin(kind).max_total_size_bytes
        for kind in kinds
        if kind.get_uris is not RuntimeEnvPlugin.get_uris
    ]
    assert 4.9 * 2**30 < sum(sizes) <= 5 * 2**30


@pytest.mark.parametrize("mode", ["gke", "none"])
def test_without_the_sidecar_nothing_of_it_is_there(plan: Plan, mode: Mode) -> None:
    plan = with_mode(plan, mode)
    assert log_collection.config_map(plan, Templates(None), metadata) is None
    assert log_collection.sidecar(plan, plan.head, Templates(None)) is None
    assert log_collection.volumes(plan) == log_collection.mounts(plan) == []
    assert log_collection.start_params(plan, plan.head) == {}


def test_the_pod_that_submits_a_job_has_no_files_of_ray(planned: Planned) -> None:
    plan = with_mode(planned("job: {entrypoint: 'true'}"), "sidecar")
    assert plan.submitter
    assert log_collection.sidecar(plan, plan.submitter, Templates(None)) is None
    assert log_collection.env(plan, plan.submitter) == {}
    assert log_collection.start_params(plan, plan.submitter) == {}
