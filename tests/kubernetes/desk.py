"""Where a test sits as a user would: a folder, a cluster, and the command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ray_gke import cli
from ray_gke.targets.kubernetes.resources import RESOURCES, resource
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually

Object = dict[str, Any]

NOTHING: Mapping[str, str] = {}
NO_ANSWER = "applications: [{name: a, import_path: 'app:app', route_prefix: /}]\n"
"""A Serve config; on fake nodes nobody imports anything."""


@dataclass(frozen=True)
class Answer:
    """What a command has answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """A folder for blueprints, and commands that are run in it, in this process."""

    def __init__(self, cluster: Bed, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.namespaces: list[str] = []

    def new_namespace(self) -> str:
        """Return the name of a namespace that is not there yet; it goes at the end."""
        self.namespaces.append(f"desk-{secrets.token_hex(4)}")
        return self.namespaces[-1]

    def write(self, name: str, spec: str, files: Mapping[str, str] = NOTHING) -> str:
        """Write a blueprint, over what was there; return how commands name it."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        text = textwrap.indent(textwrap.dedent(spec), "  ")
        head = "apiVersion: ray-gke/v1\nkind: Blueprint\n"
        (folder / "blueprint.yaml").write_text(
            f"{head}metadata: {{name: {name}}}\nspec:\n{text}"
        )
        for path, content in files.items():
            (folder / path).write_text(content)
        return f"./{name}"

    def run(self, *arguments: str) -> Answer:
        """Run ray-gke here, as on the command line."""
        out, err = io.StringIO(), io.StringIO()
        with (
            self.seated(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["ray-gke", *arguments]),
            mock.patch.object(sys, "stdin", io.StringIO()),
        ):
            try:
                cli.main()
            except SystemExit as ended:
                code = ended.code
        return Answer(int(code or 0), out.getvalue(), err.getvalue())

    @contextlib.contextmanager
    def seated(self) -> Iterator[None]:
        """Make the folder and the cluster those of this process."""
        kubeconfig = str(self.cluster.kubeconfig)
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict(os.environ, {"KUBECONFIG": kubeconfig}),
        ):
            yield

    def done(self, *arguments: str) -> Answer:
        """Run a command that must succeed."""
        answer = self.run(*arguments)
        assert answer.code == 0, f"{arguments}: {answer.out}{answer.err}"
        return answer

    def refused(self, *arguments: str) -> str:
        """Run a command that must be refused; return why."""
        answer = self.run(*arguments)
        assert answer.code == 4, f"{arguments}: {answer.out}{answer.err}"
        return answer.err

    def changes(self, *arguments: str) -> dict[str, Object]:
        """Return what `plan` says would change, by `Kind/name`."""
        answer = self.done("plan", *arguments, "-o", "json")
        return {
            f"{change['kind']}/{change['name']}": change
            for run in answer.json
            for change in run["changes"]
            if change["action"] != "unchanged"
        }

    def all(self, kind: str, namespace: str) -> dict[str, Object]:
        """Return the objects of a kind in a namespace, by name."""
        found = self.cluster.control_plane.get(resource(kind).path(namespace))
        return {one["metadata"]["name"]: one for one in found["items"]}

    def objects(self, namespace: str) -> dict[str, Object]:
        """Return all that a run in a namespace may consist of, by `Kind/name`."""
        return {
            f"{kind}/{name}": one
            for kind in RESOURCES
            for name, one in self.all(kind, namespace).items()
            if resource(kind).namespaced or name.startswith(namespace)
        }

    def written(self, namespace: str) -> dict[str, str]:
        """Return uid and generation of all objects there: they change with a write."""
        return {
            key: f"{one['metadata']['uid']} {one['metadata']['resourceVersion']}"
            for key, one in self.objects(namespace).items()
        }

    def apply(self, one: Object, *, manager: str = "kubectl") -> None:
        """Apply an object in the name of somebody else."""
        self.cluster.control_plane.apply(json.dumps(one), manager=manager)

    def clear(self) -> None:
        """Remove what a test has made, without waiting."""
        kubectl = self.cluster.kubectl
        for namespace in self.namespaces:
            at_once = ("--wait=false", "--ignore-not-found")
            kubectl("delete", "namespace", namespace, *at_once)
        for kind in ("PriorityClass", "ClusterRules"):
            for name in self.all(kind, ""):
                if any(name.startswith(namespace) for namespace in self.namespaces):
                    kubectl("delete", kind, name)


@contextlib.contextmanager
def at(cluster: Bed, folder: Path) -> Iterator[Desk]:
    """Sit down at a cluster that is whole."""
    cluster.heal()
    desk = Desk(cluster, folder)
    try:
        yield desk
    finally:
        cluster.heal()
        desk.clear()


def gone(desk: Desk, namespace: str, *kinds: str) -> None:
    """Wait until a namespace has no object of these kinds."""
    eventually(
        f"{kinds} to be gone from {namespace}",
        lambda: not any(desk.all(kind, namespace) for kind in kinds),
    )
