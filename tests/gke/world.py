"""All that `ray-gke up --on gke` needs of the world, on this machine.

Google's cloud is a folder (`tests.terraform.cloud`) that Google's APIs tell of
(`tests.google`), each GKE cluster in it is the test cluster, its nodes come and go as
GKE's do, and who logs in is known to both.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import kuberay
from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.gke.autoscaler import Autoscaler
from tests.gke.identity import Identity
from tests.google.apis import GoogleApis
from tests.terraform import program
from tests.terraform.cloud import Cloud

# Helm stands in: it renders no chart, and installs nothing.
_CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: nothings.ray-gke.test}
spec:
  group: ray-gke.test
  scope: Namespaced
  names: {kind: Nothing, plural: nothings}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
"""
_OURS = "app.kubernetes.io/managed-by%3Dray-gke"
_MADE = {
    "/api/v1/namespaces": "namespace",
    "/apis/scheduling.k8s.io/v1/priorityclasses": "priorityclass",
    "/apis/monitoring.googleapis.com/v1/clusterrules": "clusterrules",
}
_FOLDER = "RAY_GKE_STAND_IN_CLOUD"
# A shell that starts tests in the background lets them ignore Ctrl-C.
_INTERRUPTIBLE = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


class World:
    """A folder for a platform file, the command line, and the world that it changes.

    `folder` is empty at first. The project is `my-project`.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a world has these parts
        self,
        tmp_path: Path,
        bed: Bed,
        cloud: Cloud,
        apis: GoogleApis,
        identity: Identity,
        autoscaler: Autoscaler,
    ) -> None:
        self.bed = bed
        self.cloud = cloud
        self.apis = apis
        self.identity = identity
        self.autoscaler = autoscaler
        self.folder = tmp_path / "platform"
        self.home = tmp_path / "home"
        self.folder.mkdir()
        self.home.mkdir()
        self._credentials = identity.credentials_file(tmp_path)
        self._started: list[subprocess.Popen[str]] = []

    def env(self) -> dict[str, str]:
        """Return the whole environment of a process in this world."""
        pythons = ("PYTHON", "COVERAGE_")
        kept = {k: v for k, v in os.environ.items() if k.startswith(pythons)}
        return {
            **kept,
            **self.cloud.env(),
            **self.apis.env(),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._credentials),
            "HOME": str(self.home),
            "KUBECONFIG": str(self.home / "no-kubeconfig"),
            "NO_COLOR": "1",
            "RAY_GKE_TERRAFORM": str(program.terraform()),
            "SSL_CERT_FILE": str(self.bed.control_plane.ca),
        }

    def ray_gke(
        self, *arguments: str, stdin: str = "", timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run ray-gke in `folder`, and return how it ended."""
        return subprocess.run(
            [sys.executable, "-m", "ray_gke", *arguments],
            cwd=self.folder,
            env=self.env(),
            input=stdin,
            timeout=timeout,
            check=False,
            capture_output=True,
            text=True,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ray-gke in `folder`, the first process of a session of its own.

        It can be interrupted, and says what it says to pipes. It is killed at the end.
        """
        command = [sys.executable, "-m", "ray_gke", *arguments]
        started = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _INTERRUPTIBLE, *command],
            cwd=self.folder,
            env=self.env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(started)
        return started

    def processes(self) -> list[int]:
        """Return the ids of what runs in this world: ray-gke, Terraform, providers."""
        ours = f"{_FOLDER}={self.cloud.folder}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            # It may be another user's, or have ended just now.
            with contextlib.suppress(OSError):
                if ours in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    def end_processes(self) -> None:
        """Kill what runs."""
        while running := self.processes():
            for pid in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for started in self._started:
                started.poll()
        for started in self._started:
            with started:
                pass


@contextlib.contextmanager
def opened(bed: Bed, tmp_path: Path) -> Iterator[World]:
    """Make a world around a test cluster, for as long as the block takes.

    What was made in the cluster by then is taken away; namespaces go a while later.
    """
    bed.heal()
    eventually("old namespaces to be gone", lambda: not _leaving(bed))
    cloud = Cloud(tmp_path / "cloud")
    plane = bed.control_plane
    cloud.serve_clusters_at(plane.url.removeprefix("https://"), plane.ca)
    cloud.set_values("helm_template", {"crds": [_CRD]})
    with (
        _without_plain_nodes(bed),
        _without_what_comes(bed),
        Autoscaler(cloud, bed) as autoscaler,
        GoogleApis(cloud) as apis,
        Identity(plane.token) as identity,
    ):
        world = World(tmp_path, bed, cloud, apis, identity, autoscaler)
        try:
            yield world
        finally:
            world.end_processes()
            bed.heal()


@contextlib.contextmanager
def _without_plain_nodes(bed: Bed) -> Iterator[None]:
    """Let no pods come to the nodes that are not GKE's."""
    plain = [name for name in bed.nodes.names() if name != kuberay.NODE]
    bed.kubectl("cordon", *plain)
    try:
        yield
    finally:
        bed.kubectl("uncordon", *plain)


@contextlib.contextmanager
def _without_what_comes(bed: Bed) -> Iterator[None]:
    """Take away the namespaces, and what is in none, that come meanwhile."""
    before = {path: _names(bed, path) for path in _MADE}
    try:
        yield
    finally:
        for path, kind in _MADE.items():
            ours = _names(bed, f"{path}?labelSelector={_OURS}")
            if gone := (_names(bed, path) - before[path]) | ours:
                quietly = ("--ignore-not-found", "--wait=false")
                bed.kubectl("delete", kind, *quietly, *sorted(gone))


def _names(bed: Bed, path: str) -> set[str]:
    return {one["metadata"]["name"] for one in bed.control_plane.get(path)["items"]}


def _leaving(bed: Bed) -> list[str]:
    found = bed.control_plane.get("/api/v1/namespaces")["items"]
    return [
        one["metadata"]["name"]
        for one in found
        if "deletionTimestamp" in one["metadata"]
    ]
