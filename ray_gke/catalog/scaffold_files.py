"""What a new blueprint consists of; NAME stands for its name."""

from __future__ import annotations

_HEAD = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata:
  name: NAME
  summary: {summary}
"""

_JOB = (
    _HEAD.format(summary="Squares numbers with Ray tasks")
    + """\
parameters:
  count: {type: integer, default: 4, minimum: 1, description: How many numbers}
spec:
  worker_groups:
    - {name: workers, cpu: 1, memory: 2Gi}
  job:
    entrypoint: python main.py {{ count }}
"""
)
_JOB_CODE = '''\
"""Square numbers with Ray tasks."""

import sys

import ray


@ray.remote
def square(number: int) -> int:
    """Return the square of a number."""
    return number * number


ray.init()
print(ray.get([square.remote(number) for number in range(int(sys.argv[1]))]))
'''
_SERVICE = (
    _HEAD.format(summary="Answers over HTTP with Ray Serve")
    + """\
parameters:
  greeting: {type: string, default: Hello, description: How to greet}
spec:
  worker_groups:
    - {name: workers, cpu: 1, memory: 2Gi}
  service:
    serve_config: serve.yaml
"""
)
_SERVICE_CONFIG = """\
applications:
  - name: NAME
    import_path: main:build
    args: {greeting: "{{ greeting }}"}
"""
_SERVICE_CODE = '''\
"""Greet whoever asks."""

from ray import serve
from ray.serve import Application
from starlette.requests import Request


@serve.deployment
class Greeter:
    """Answers `GET /?name=NAME`."""

    def __init__(self, greeting: str) -> None:
        """Greet with these words."""
        self.greeting = greeting

    async def __call__(self, request: Request) -> str:
        """Return the greeting."""
        return f"{self.greeting}, {request.query_params.get('name', 'world')}!"


def build(args: dict[str, str]) -> Application:
    """Return the application for the `args` of serve.yaml."""
    return Greeter.bind(args["greeting"])
'''

_CLUSTER = (
    _HEAD.format(summary="A cluster to connect to")
    + """\
spec:
  worker_groups:
    - {name: workers, min_replicas: 0, max_replicas: 2, cpu: 1, memory: 2Gi}
  cluster: {}
"""
)
_CLUSTER_CODE = '''\
"""Print what the cluster has; run it where RAY_ADDRESS names the cluster."""

import ray

ray.init()
print(ray.cluster_resources())
'''
_START = """\
from pathlib import Path

FOLDER = str(Path(__file__).parent)


"""
_JOB_TEST = (
    _START
    + """\
def test_prints_squares(ray_gke):
    assert "[0, 1, 4]" in ray_gke("up", FOLDER, "--set", "count=3").stdout
"""
)
_SERVICE_TEST = (
    "import json\n"
    + _START.replace("Path\n\n", "Path\nfrom urllib.request import urlopen\n\n", 1)
    + """\
def test_greets(ray_gke):
    lines = ray_gke("up", FOLDER, "--output", "json").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    url = next(e["urls"]["service"] for e in events if e["event"] == "ready")
    with urlopen(f"{url.rstrip('/')}/?name=Ray") as answer:
        assert answer.read() == b"Hello, Ray!"
"""
)
_CLUSTER_TEST = (
    _START
    + """\
def test_comes_up(ray_gke):
    ray_gke("up", FOLDER)
    assert "NAME" in ray_gke("status").stdout
"""
)


def _readme(summary: str, *options: str) -> str:
    command = " ".join(["ray-gke up ./NAME", *options])
    return f"# NAME\n\n{summary}.\n\n```console\n$ {command}\n```\n"


FILES: dict[str, dict[str, str]] = {
    "job": {
        "blueprint.yaml": _JOB,
        "README.md": _readme("Squares numbers with Ray tasks", "--set count=10"),
        "main.py": _JOB_CODE,
        "test_{module}.py": _JOB_TEST,
    },
    "service": {
        "blueprint.yaml": _SERVICE,
        "README.md": _readme("Answers over HTTP with Ray Serve"),
        "serve.yaml": _SERVICE_CONFIG,
        "main.py": _SERVICE_CODE,
        "test_{module}.py": _SERVICE_TEST,
    },
    "cluster": {
        "blueprint.yaml": _CLUSTER,
        "README.md": _readme("A cluster to connect to"),
        "main.py": _CLUSTER_CODE,
        "test_{module}.py": _CLUSTER_TEST,
    },
}
"""The files of each kind, by their path; {module} is the name as Python writes it."""
