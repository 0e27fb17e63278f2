"""Runs of each kind, from `up` to `down`, each in a namespace that `up` makes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.cluster.bed import Bed
from tests.cluster.processes import ProgramError, eventually
from tests.cluster.ray_stand_in import JobCourse
from tests.kubernetes.commands import Command
from tests.kubernetes.desk import NO_ANSWER, Desk
from tests.kubernetes.holdings import Holdings, holdings, is_there

T = TypeVar("T")

_SIZE = "{cpu: 1, memory: 2Gi}"
GROUPS = "worker_groups: [{name: few, min_replicas: 1, cpu: 1, memory: 2Gi}]"
_RAY = f"head: {_SIZE}\n{GROUPS}"
SPECS = {
    "stays": f"{_RAY}\ncluster: {{}}\n",
    "works": f"{_RAY}\njob: {{entrypoint: python work.py}}\n",
    "serves": f"{_RAY}\nservice: {{serve_config: serve.yaml}}\n",
}
"""A cluster, a job and a service."""

AT_ONCE = 6
FOREVER = JobCourse(seconds=3600)


def write(desk: Desk) -> None:
    """Write the blueprints."""
    for name, spec in SPECS.items():
        files = {"serve.yaml": NO_ANSWER} if name == "serves" else {}
        files |= {"work.py": "print('done')\n"} if name == "works" else {}
        desk.write(name, spec, files)


@dataclass
class Life:
    """One run in a namespace of its own; `kubeconfig` says how it is reached."""

    desk: Desk
    name: str
    namespace: str
    kubeconfig: Path
    commands: list[Command] = field(default_factory=list)

    @property
    def cluster(self) -> Bed:
        """The cluster, which the test reaches without anything between."""
        return self.desk.cluster

    def start(
        self, word: str, *options: str, kubeconfig: Path | None = None
    ) -> Command:
        """Start `up` or `down` of the run."""
        what = f"./{self.name}" if word == "up" else self.name
        where = ("--on", "kubernetes", "--namespace", self.namespace)
        number = len(self.commands)
        command = Command(
            [word, what, *where, *options],
            kubeconfig or self.kubeconfig,
            self.desk.folder,
            self.desk.folder / "logs" / f"{self.namespace}-{number}.log",
        )
        self.commands.append(command)
        if self.namespace not in self.desk.namespaces:
            self.desk.namespaces.append(self.namespace)
        return command.start()

    def done(self, word: str, *options: str, kubeconfig: Path | None = None) -> Command:
        """Run a command that must succeed."""
        command = self.start(word, *options, kubeconfig=kubeconfig)
        code = command.wait()
        assert code == 0, f"exit {code} of {command}"
        return command

    def comes_to(self, wanted: Holdings) -> None:
        """Wait until the namespace holds what is wanted, and nothing else."""
        found: Holdings = {}

        def same() -> bool:
            found.clear()
            found.update(holdings(self.cluster, self.namespace))
            return found == wanted

        try:
            eventually("the same objects", same, patience=60)
        except ProgramError:
            raise AssertionError(difference(found, wanted)) from None

    def leaves_nothing(self) -> None:
        """See to it that the namespace is gone."""
        assert not is_there(self.cluster, self.namespace), (
            f"{self.namespace} holds {list(holdings(self.cluster, self.namespace))}"
        )


def new_life(desk: Desk, name: str, namespace: str) -> Life:
    """Return a run whose jobs never end, in a namespace that is not there yet."""
    assert desk.cluster.stand_in
    desk.cluster.stand_in.jobs[namespace] = FOREVER
    return Life(desk, name, namespace, desk.cluster.kubeconfig)


def in_parallel(do: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
    """Return what `do` returns for each number; several at once, which mostly wait."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, numbers))


def undisturbed(desk: Desk, name: str, *options: str) -> Holdings:
    """Return what an `up` leaves that nothing disturbs."""
    life = new_life(desk, name, desk.new_namespace())
    life.done("up", *options)
    eventually(f"{name} to be up", lambda: _is_up(life), patience=60)
    settled: list[Holdings] = [{}]

    def same_twice() -> bool:
        settled.append(holdings(desk.cluster, life.namespace))
        return settled[-1] == settled[-2]

    eventually("the objects to settle", same_twice, patience=30)
    life.done("down")
    life.leaves_nothing()
    return settled[-1]


def _is_up(life: Life) -> bool:
    where = ("--on", "kubernetes", "--namespace", life.namespace)
    answer = life.desk.run("status", life.name, *where, "--output", "json")
    return answer.code == 0 and answer.json["status"] == "RUNNING"


def difference(found: Holdings, wanted: Holdings) -> str:
    """Return in words how two namespaces differ."""
    lines = [
        *(f"missing {key}" for key in wanted if key not in found),
        *(f"besides {key}" for key in found if key not in wanted),
    ]
    for key in wanted.keys() & found.keys():
        before, after = ("\n".join(h[key]).splitlines() for h in (wanted, found))
        diff = difflib.unified_diff(before, after, "wanted", f"found {key}", n=1)
        lines += map(str.rstrip, diff)
    return "\n".join(lines)
