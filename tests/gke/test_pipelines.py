"""The documented pipelines end to end: from a pull request to Ray pods, and a plan that
is stale by the time it is approved.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.processes import eventually
from tests.gke import small_platform
from tests.gke.seen import kubectl
from tests.gke.small_platform import NAMESPACE
from tests.gke.world import World
from tests.pipelines import CloudBuild, GitHub, Job, Machines
from tests.terraform.bucket import Bucket

pytestmark = pytest.mark.cluster

POOL_TYPE = "google_container_node_pool"
STALE = "error: the saved plan is stale: the world has changed\n"


@dataclass
class Team:
    """A platform in git, its pipelines, and the world that they change."""

    world: World
    main: Path
    machines: Machines
    github: GitHub

    def branch(self, name: str, old: str, new: str) -> str:
        """Make a branch in which the blueprint says something else."""
        folder = self.main.with_name(name)
        shutil.copytree(self.main, folder)
        file = folder / "catalog" / "small" / "blueprint.yaml"
        text = file.read_text()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))
        self.github.branches = {**self.github.branches, name: folder}
        return name

    def merge(self, name: str) -> None:
        """Make main what a branch is."""
        folder = self.main.with_name(name)
        shutil.copytree(folder, self.main, dirs_exist_ok=True)

    def changes(self) -> int:
        """Return how often Google was asked to change anything."""
        calls = self.world.cloud.calls()
        return len([call for call in calls if call.operation != "read"])

    def phases(self) -> set[str]:
        """Return the phases of the platform's pods."""
        pods = kubectl(self.world, "pods", "-n", NAMESPACE)["items"]
        return {pod["status"]["phase"] for pod in pods}

    def ray_cluster(self) -> dict[str, object]:
        """Return the Ray cluster as its users asked for it."""
        (found,) = kubectl(self.world, "rayclusters", "-n", NAMESPACE)["items"]
        spec: dict[str, object] = found["spec"]
        return spec


@pytest.fixture
def team(gke: World, tmp_path: Path) -> Iterator[Team]:
    """A small platform in git, of which nothing is up."""
    small_platform.write(gke)
    file = gke.folder / "ray-gke.yaml"
    file.write_text(file.read_text() + "  state: {bucket: my-states}\n")
    env = gke.env()
    key = "GOOGLE_APPLICATION_CREDENTIALS"
    login = {key: env.pop(key)}
    with Bucket("my-states") as bucket:
        machines = Machines(tmp_path / "ci", {**env, **bucket.env()}, login)
        github = GitHub(machines, {"main": gke.folder})
        yield Team(gke, gke.folder, machines, github)


def results(jobs: dict[str, Job]) -> list[str]:
    return [job.result for job in jobs.values()]


def test_from_a_pull_request_to_pods_and_a_plan_that_is_stale(team: Team) -> None:
    _is_brought_up(team)
    _nothing_to_do_needs_nobody(team)
    _a_change_is_told_with_its_cost(team)
    _a_stale_plan_is_refused(team)
    _cloud_build_goes_on(team)


def _is_brought_up(team: Team) -> None:
    """Nothing is there: the plan is of everything, and pods run in the end."""
    jobs = team.github.pull_request("main")
    assert results(jobs) == ["success", "success", "skipped"], jobs
    assert "The cluster is new" in team.machines.comments(7)[0]
    assert team.changes() == 0
    jobs = team.github.push()
    assert results(jobs) == ["success"] * 3, jobs
    assert team.github.logins == ["plan@my-project", "plan@my-project", "up@my-project"]
    # The pipeline does not wait for them.
    eventually("pods that run", lambda: team.phases() == {"Running"}, patience=300)
    assert not (team.main / ".ray-gke").exists()


def _nothing_to_do_needs_nobody(team: Team) -> None:
    calls = team.changes()
    jobs = team.github.push()
    assert results(jobs) == ["success", "success", "skipped"], jobs
    assert jobs["plan"].outputs == {"changes": "false"}
    assert "Nothing would change." in team.github.summaries[-1]
    assert team.changes() == calls


def _a_change_is_told_with_its_cost(team: Team) -> None:
    more = "name: cpu, min_replicas: 1, max_replicas: 3"
    name = team.branch("more", "name: cpu, min_replicas: 1", more)
    jobs = team.github.pull_request(name)
    assert results(jobs) == ["success", "success", "skipped"], jobs
    (comment,) = team.machines.comments(7)
    most = re.search(r"At maximum \|.*\| &#43;&#36;[\d.,]+ \|", comment)
    assert most, comment
    assert "RayCluster/small in namespace vision" in comment
    team.merge(name)


def _a_stale_plan_is_refused(team: Team) -> None:
    """The plan waits for its approval while somebody changes a node pool."""
    jobs = team.github.push("validate", "plan")
    assert results(jobs)[:2] == ["success"] * 2, jobs
    before = team.ray_cluster()
    pool = next(
        one for one in team.world.cloud.objects(POOL_TYPE) if one.name.startswith("g2-")
    )
    team.world.cloud.drift(POOL_TYPE, pool.name, {"autoscaling": []})
    calls = team.changes()
    jobs = team.github.push("up")
    assert results(jobs) == ["success", "success", "failure"]
    step = jobs["up"].steps[-1]
    assert step.code == 4
    assert STALE in step.stderr
    assert f'only now: update module.node_pool["{pool.name}"]' in step.stderr
    assert team.changes() == calls
    assert team.ray_cluster() == before

    # Somebody changes the cluster itself, after the next plan.
    assert results(team.github.push("validate", "plan"))[:2] == ["success"] * 2
    team.world.bed.kubectl("delete", "networkpolicy", "--all", "-n", NAMESPACE)
    step = team.github.push("up")["up"].steps[-1]
    assert step.code == 4
    assert STALE in step.stderr
    assert re.search(
        r"only now: create NetworkPolicy/\S+ in namespace vision", step.stderr
    )
    assert team.changes() == calls

    jobs = team.github.push()
    assert results(jobs) == ["success"] * 3, jobs
    assert team.ray_cluster() != before
    assert team.changes() > calls


def _cloud_build_goes_on(team: Team) -> None:
    builds = CloudBuild(team.machines)
    done = builds.build(team.main, "1", _UP="true")
    assert done.result == "success", done
    name = team.branch("fewer", "max_replicas: 3", "max_replicas: 2")
    calls = team.changes()
    told = builds.build(team.main.with_name(name), "2")
    assert told.result == "success", told
    assert "| Cost | Before | After | Difference |" in told.step("plan").stdout
    assert team.changes() == calls
    before = team.ray_cluster()
    done = builds.build(team.main.with_name(name), "3", _UP="true")
    assert done.result == "success", done
    assert team.ray_cluster() != before
    kept = team.machines.bucket("my-project-ray-gke-plans")
    assert kept["main/plan.json"] == kept["3/plan.json"] != kept["1/plan.json"]
