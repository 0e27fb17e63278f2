"""Logs, port-forwards, dashboards and jobs of pods that really run."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
import websocket

from ray_gke.catalog.blueprint import Cluster
from ray_gke.errors import FailedError, RefusedError
from ray_gke.events import Event, LogLine
from ray_gke.planning.day_two import DayTwo, Metrics
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render
from ray_gke.targets.kubernetes import dashboard, logs, status, submit
from ray_gke.targets.kubernetes.api import Api, StreamEnded
from ray_gke.targets.kubernetes.inventory import Inventory, Item
from ray_gke.targets.kubernetes.log_stream import Stream
from ray_gke.targets.kubernetes.port_forward import forward
from ray_gke.targets.kubernetes.resources import Ref
from tests.cluster import ray_image
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.local.conftest import group, plan, script

pytestmark = pytest.mark.node

TALK = """
import sys, time
for number in range(4000):
    print("line", number, flush=True)
    if number % 500 == 0:
        print("aside", number, file=sys.stderr, flush=True)
        time.sleep(0.7)
print("long " * 20_000)
print("same"); print("same"); print(); print("end", end="")
"""
BIG = b"0123456789abcdef" * (20 * 2**16)
WEB = """
from aiohttp import web
BIG = b"0123456789abcdef" * (20 * 2**16)
async def big(request):
    return web.Response(body=BIG, headers={"Connection": "close"})
async def echo(request):
    talk = web.WebSocketResponse(max_msg_size=0)
    await talk.prepare(request)
    async for message in talk:
        await talk.send_bytes(message.data)
    return talk
async def size(request):
    return web.Response(text=str(len(await request.read())))
async def path(request):
    return web.Response(text=request.path)
app = web.Application(client_max_size=2**30)
app.add_routes([web.get("/big", big), web.get("/echo", echo), web.post("/size", size)])
app.add_routes([web.get("/{any}", path)])
web.run_app(app, port=8000)
"""
COUNT = """
import time
for number in range(60):
    print(number, flush=True)
    time.sleep(0.5)
print("end", end="")
"""


class CuttingApi(Api):
    """An API whose streams of lines break again and again."""

    cuts: list[int]

    def lines(self, path: str, query: Mapping[str, str]) -> Iterator[str]:
        left = self.cuts.pop(0) if self.cuts else None
        for number, line in enumerate(super().lines(path, query)):
            if number == left:
                raise StreamEnded
            yield line


@dataclass
class Place:
    """A namespace, and how tests bring things up in it."""

    api: Api
    namespace: str

    def pod(self, name: str, source: str, **labels: str) -> str:
        container = {
            "name": "main",
            "image": ray_image.RAY,
            "command": ["python", "-c", source],
        }
        self.api.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": self.namespace,
                    "labels": labels,
                },
                "spec": {
                    "containers": [container],
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 0,
                },
            }
        )
        return name

    def up(self, wanted: Plan, **spec: Any) -> Inventory:
        """Bring up a plan, without waiting; `spec` is added to its Ray object's."""
        # Nothing in this cluster knows of Prometheus.
        wanted = replace(wanted, day_two=DayTwo(metrics=Metrics(mode="none")))
        objects = render(wanted, kuberay_version="1.5.1", namespace=self.namespace)
        items = [Item(Ref.of(one)) for one in objects]
        known = Inventory.of(wanted, self.namespace, items)
        for one in (known.manifest(), *objects):
            if Ref.of(one) == known.ray:
                one["spec"] |= spec
            self.api.apply(one)
        return known

    def stands(self, name: str, wanted: str) -> None:
        eventually(
            f"{name} to be {wanted}",
            lambda: status.run(self.api, self.namespace, name).status == wanted,
            patience=240,
        )

    def forwarding(self, pod: str) -> Any:
        return forward(self.api, self.namespace, lambda: pod, 8000)


@dataclass
class Told:
    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def lines(self) -> list[str]:
        return [e.text for e in self.events if isinstance(e, LogLine)]


@pytest.fixture
def place(
    real_cluster: Bed, real_namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Place:
    monkeypatch.setenv("KUBECONFIG", str(real_cluster.kubeconfig))
    return Place(Api.of(None), real_namespace)


def get(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def answers(port: int) -> bool:
    with suppress(OSError, HTTPException):
        return get(port, "/ready") == b"/ready"
    return False


def small(name: str) -> dict[str, Any]:
    """A head that fits beside much else."""
    return {
        "name": name,
        "image": ray_image.RAY,
        "head": group("head", cpu="500m", memory="3Gi", num_cpus=2),
    }


def test_every_line_of_a_pod_comes_once_though_its_stream_breaks(place: Place) -> None:
    pod = place.pod("talker", TALK)
    api = CuttingApi(place.api.client)
    api.cuts = [0, 1, 700, 3, 0, 1200, 1500, 2, 900]
    lines = list(Stream(api, place.namespace, pod, "main").lines())
    assert api.cuts == []
    numbers = [line for line in lines if line.startswith("line ")]
    assert numbers == [f"line {number}" for number in range(4000)]
    asides = [line for line in lines if line.startswith("aside ")]
    assert asides == [f"aside {number}" for number in range(0, 4000, 500)]
    assert lines[-5:] == ["long " * 20_000, "same", "same", "", "end"]
    assert len(lines) == 4000 + 8 + 5
    again = Stream(place.api, place.namespace, pod, "main", follow=False).lines()
    assert list(again) == lines


def test_http_and_websockets_through_a_forwarded_port(place: Place) -> None:
    pod = place.pod("web", WEB)
    with place.forwarding(pod) as port:
        eventually("the pod to answer", lambda: answers(port), patience=120)
        kept = HTTPConnection("127.0.0.1", port, timeout=30)
        for number in range(20):
            kept.request("GET", f"/{number}")
            assert kept.getresponse().read() == f"/{number}".encode()
        kept.request("POST", "/size", body=BIG)
        assert kept.getresponse().read() == str(len(BIG)).encode()
        kept.close()
        assert get(port, "/big") == BIG
        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda n: get(port, f"/{n}"), range(60)))
        assert found == [f"/{n}".encode() for n in range(60)]
        talk = websocket.create_connection(f"ws://127.0.0.1:{port}/echo", timeout=30)
        for size in (1, 70_000, 2**20):
            talk.send_binary(b"x" * size)
            assert talk.recv() == b"x" * size
        talk.close()


def test_a_client_that_has_sent_all_gets_its_answer(place: Place) -> None:
    pod = place.pod("web", WEB)
    with place.forwarding(pod) as port:
        eventually("the pod to answer", lambda: answers(port), patience=120)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"GET /last HTTP/1.0\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            with client.makefile("rb") as file:
                assert file.read().endswith(b"\r\n\r\n/last")


def test_a_pod_that_is_gone_closes_connections_and_may_be_replaced(
    place: Place,
) -> None:
    names = [place.pod("first", WEB)]
    with forward(place.api, place.namespace, lambda: names[-1], 8000) as port:
        eventually("the pod to answer", lambda: answers(port), patience=120)
        open_one = socket.create_connection(("127.0.0.1", port), timeout=60)
        place.api.delete(Ref("Pod", place.namespace, "first"))
        with suppress(ConnectionResetError):
            assert open_one.recv(1) == b""
        open_one.close()
        begun = time.monotonic()
        assert not answers(port)
        assert time.monotonic() - begun < 15
        names.append(place.pod("second", WEB))
        eventually("the other pod to answer", lambda: answers(port), patience=120)


def test_pods_that_come_later_are_followed_until_the_run_is_gone(place: Place) -> None:
    known = place.up(plan(Cluster(), **small("band")), suspend=True)
    assert known.ray
    source = "import time; print('hello', flush=True); time.sleep(600)"
    labels = {
        "app.kubernetes.io/managed-by": "ray-gke",
        "ray-gke/run": "band",
        "ray.io/node-type": "worker",
    }
    place.pod("flute", source, **labels, **{"ray.io/group": "wind"})
    heard = []
    for line in logs.logs(place.api, place.namespace, "band", follow=True):
        assert isinstance(line, LogLine)
        heard.append((line.source, line.text))
        if line.source == "flute":
            place.pod("drum", source, **labels, **{"ray.io/group": "beat"})
        else:
            place.api.delete(known.ray)
    assert heard == [("flute", "hello"), ("drum", "hello")]


def test_a_job_goes_on_over_another_submitter(place: Place) -> None:
    wanted = script(
        COUNT,
        **small("count"),
        submitter=group("submitter", cpu="250m", memory="1Gi"),
    )
    known = place.up(wanted)
    assert known.ray
    selector = f"batch.kubernetes.io/job-name={known.ray.name}"
    first: Ref | None = None
    lines = []
    for line in logs.logs(place.api, place.namespace, "count", follow=True):
        lines.append(line.text)
        if line.text == "9":
            assert first is None, "it was told again"
            (pod,) = place.api.list("Pod", place.namespace, selector=selector)
            first = Ref.of(pod)
            place.api.delete(first)
    assert lines == [*map(str, range(60)), "end"]
    (second,) = place.api.list("Pod", place.namespace, selector=selector)
    assert Ref.of(second) != first
    place.stands("count", "SUCCEEDED")
    again = logs.logs(place.api, place.namespace, "count")
    assert [line.text for line in again] == lines


def test_a_cluster_is_looked_at_and_takes_jobs(place: Place, tmp_path: Path) -> None:
    place.up(plan(Cluster(), **small("lasting")))
    with pytest.raises(RefusedError, match="is not ready"), opened(place):
        pytest.fail("there is no head yet")
    place.stands("lasting", "RUNNING")
    head = list(logs.logs(place.api, place.namespace, "lasting", group="head"))
    assert any("Ray runtime started" in line.text for line in head)
    _only_the_token_opens_the_dashboard(place)
    _jobs_run(place, tmp_path)
    _a_replaced_head_is_found_again(place)


def opened(place: Place) -> Any:
    return dashboard.opened(place.api, place.namespace, "lasting")


def _only_the_token_opens_the_dashboard(place: Place) -> None:
    with opened(place) as found:
        url = found.urls["dashboard"] + "/api/version"
        assert found.token not in repr(found)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url, timeout=30)
        asked = urllib.request.Request(
            url, headers={"Authorization": f"Bearer {found.token}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert b"2.60.0" in answer.read()


def _jobs_run(place: Place, tmp_path: Path) -> None:
    (tmp_path / "go.py").write_text(COUNT.replace("0.5", "0.02"))
    told = Told()
    options: Any = {"runtime_env": {}, "detach": False, "emit": told}
    where = (place.api, place.namespace, "lasting")
    done = submit.submit(*where, "python go.py", working_dir=tmp_path, **options)
    assert done.status == "SUCCEEDED"
    assert told.lines == [*map(str, range(60)), "end"]
    with pytest.raises(FailedError, match="failed with exit code 3"):
        submit.submit(*where, "exit 3", working_dir=None, **options)


def _a_replaced_head_is_found_again(place: Place) -> None:
    with opened(place) as found:
        port = int(found.urls["dashboard"].rpartition(":")[2])
        selector = "ray-gke/run=lasting,ray.io/node-type=head"
        (pod,) = place.api.list("Pod", place.namespace, selector=selector)
        place.api.delete(Ref.of(pod))

        def is_back() -> bool:
            with suppress(OSError, HTTPException):
                get(port, "/api/version")
                return True
            return False

        eventually("the old head to be gone", lambda: not is_back(), patience=120)
        eventually("the new head to answer", is_back, patience=240)
