"""A highly available service goes on without its head, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.cluster.redis import Redis
from tests.node.command_line import PATIENCE, CommandLine
from tests.node.traffic import Traffic

pytestmark = pytest.mark.node

BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {{name: greeter}}
spec:
  head: {{cpu: 1, memory: 3Gi}}
  worker_groups: [{{name: workers, cpu: 1, memory: 2Gi}}]
  gcs_fault_tolerance_options:
    redis_address: {redis}
    redis_password: {{secret_name: redis}}
  service: {{serve_config: serve.yaml, highly_available: true}}
"""
SERVE_CONFIG = """\
applications:
  - name: greeter
    import_path: app:app
    deployments:
      - {name: Greeter, num_replicas: 2, ray_actor_options: {num_cpus: 0.5}}
"""
APP = """\
from ray import serve
from starlette.responses import JSONResponse

@serve.deployment
class Greeter:
    async def __call__(self, request):
        return JSONResponse({"status": "WORD"})

app = Greeter.bind()
"""


@pytest.fixture
def redis(real_cluster: Bed, tmp_path: Path) -> Iterator[Redis]:
    """A Redis that pods reach."""
    assert real_cluster.network
    store = Redis(tmp_path / "redis", address=real_cluster.network.address)
    store.start()
    yield store
    store.stop()


def greeter(folder: Path, redis: Redis, word: str) -> str:
    """Write the blueprint of a service that says `word`; return how to name it."""
    place = folder / "greeter"
    place.mkdir(exist_ok=True)
    (place / "blueprint.yaml").write_text(BLUEPRINT.format(redis=redis.host))
    (place / "serve.yaml").write_text(SERVE_CONFIG)
    (place / "app.py").write_text(APP.replace("WORD", word))
    return "./greeter"


def pods(cluster: Bed, namespace: str, node_type: str) -> list[dict[str, Any]]:
    chosen = ("-l", f"ray.io/node-type={node_type}", "-o", "json")
    found = json.loads(cluster.kubectl("get", "pods", "-n", namespace, *chosen))
    items: list[dict[str, Any]] = found["items"]
    return [one for one in items if "deletionTimestamp" not in one["metadata"]]


def is_ready(pod: dict[str, Any]) -> bool:
    return any(
        (c["type"], c["status"]) == ("Ready", "True")
        for c in pod["status"].get("conditions", ())
    )


def test_no_request_is_lost_with_the_head(
    here: CommandLine, real_cluster: Bed, redis: Redis, tmp_path: Path
) -> None:
    password = f"--from-literal=password={redis.password}"
    secret = ("create", "secret", "generic", "redis", password)
    real_cluster.kubectl("-n", here.namespace, *secret)
    here("up", greeter(tmp_path, redis, "good"), cwd=tmp_path)
    assert redis.keys() > 0
    traffic = Traffic(real_cluster, here.namespace, "greeter")
    traffic.start()
    _the_head_is_killed(real_cluster, here.namespace)
    traffic.goes_on()
    answers, lost = traffic.result()
    assert lost == []
    assert set(answers) == {"good"}
    _it_moves_to_a_new_cluster(here, real_cluster, redis, tmp_path)
    here("down", "greeter")
    assert redis.keys() == 0, "the state of the head is left in Redis"


def _the_head_is_killed(cluster: Bed, namespace: str) -> None:
    (head,) = pods(cluster, namespace, "head")
    name = head["metadata"]["name"]
    workers = {p["metadata"]["uid"] for p in pods(cluster, namespace, "worker")}
    at_once = ("--grace-period=0", "--force")
    cluster.kubectl("-n", namespace, "delete", "pod", name, *at_once)

    def has_another() -> bool:
        found = pods(cluster, namespace, "head")
        return [is_ready(one) for one in found] == [True] and (
            found[0]["metadata"]["uid"] != head["metadata"]["uid"]
        )

    eventually("another head to be ready", has_another, patience=PATIENCE)
    stayed = pods(cluster, namespace, "worker")
    assert {p["metadata"]["uid"] for p in stayed} == workers
    # Only where a replica is there is a proxy, and so readiness: each has one.
    eventually(
        "both workers to serve",
        lambda: [is_ready(p) for p in pods(cluster, namespace, "worker")] == [True] * 2,
    )


def _it_moves_to_a_new_cluster(
    here: CommandLine, cluster: Bed, redis: Redis, folder: Path
) -> None:
    (old,) = cluster.kubectl(
        *("get", "rayclusters", "-n", here.namespace, "-o", "name")
    ).split()
    here("up", greeter(folder, redis, "better"), cwd=folder)

    def is_gone() -> bool:
        found = cluster.kubectl(
            *("get", "rayclusters", "-n", here.namespace, "-o", "name")
        )
        return old not in found.split()

    eventually("the old cluster to go", is_gone, patience=PATIENCE)
