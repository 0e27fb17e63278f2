"""Terraform's state in a bucket: `state:` of a platform file, on a Cloud Storage that
is on this machine and a Google Cloud that is a folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from ray_gke import selection
from ray_gke.commands import on_gke
from ray_gke.errors import FailedError, RefusedError, UsageError
from ray_gke.targets.gke import down
from ray_gke.targets.gke.stacks import CLUSTER
from ray_gke.targets.terraform import journal, process
from ray_gke.targets.terraform.messages import Diagnostic
from ray_gke.targets.terraform.working_copy import remember
from tests.cluster.processes import eventually
from tests.gke_site import PLATFORM, Site
from tests.terraform.bucket import Bucket

IN_BUCKET = PLATFORM + "  state: {bucket: my-states, prefix: ray/prod}\n"
STATE = "ray/prod/platform/default.tfstate"
LOCK = "ray/prod/platform/default.tflock"
PLACE = f"gs://my-states/{STATE}"
EMPTY = (
    b'{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "some", '
    b'"outputs": {}, "resources": []}'
)
CLUSTER_TYPE = "google_container_cluster"
FORBIDDEN = (
    "deployer@some-project.iam.gserviceaccount.com does not have storage.objects.list "
    "access to the Google Cloud Storage bucket. Permission 'storage.objects.list' "
    "denied on resource (or it may not exist)."
)
SINCE = "2026-01-02T03:04:05.678901234Z"


@contextmanager
def world(folder: Path, *buckets: str) -> Iterator[tuple[Site, Bucket]]:
    """A platform with its state in a bucket, and no waiting for locks."""
    site = Site.new(folder, IN_BUCKET)
    with Bucket(*buckets) as bucket, pytest.MonkeyPatch.context() as patch:
        site.enter(patch)
        for name, value in bucket.env().items():
            patch.setenv(name, value)
        patch.setattr(process, "LOCK_TIMEOUT", "0s")
        yield site, bucket


@pytest.fixture
def site_and_bucket(tmp_path: Path) -> Iterator[tuple[Site, Bucket]]:
    with world(tmp_path / "site", "my-states") as found:
        yield found


@pytest.fixture(scope="module")
def brought_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A platform that is up, as folder and state, for tests to go on from."""
    folder = tmp_path_factory.mktemp("up") / "site"
    with world(folder, "my-states") as (site, bucket):
        site.up()
        assert set(bucket.objects("my-states")) == {STATE}
        return folder, bucket.objects("my-states")[STATE]


@pytest.fixture
def up(brought_up: tuple[Path, bytes], tmp_path: Path) -> Iterator[tuple[Site, Bucket]]:
    folder, state = brought_up
    with (
        world(tmp_path / "new", "my-states") as (new, bucket),
        # Taken back before what it is on top of.
        pytest.MonkeyPatch.context() as patch,
    ):
        site = Site(folder, new.cloud).copy(tmp_path / "site")
        bucket.put("my-states", STATE, state)
        site.enter(patch)
        yield site, bucket


def write(site: Site, platform: str) -> None:
    (site.folder / "ray-gke.yaml").write_text(platform)


def local_state(site: Site) -> Path:
    return site.folder / ".ray-gke" / "demo" / "state" / "platform.tfstate"


def resources(state: bytes) -> list[str]:
    return [one["type"] for one in json.loads(state)["resources"]]


def another(state: bytes) -> bytes:
    """Return a state of the same resources that does not come from this one."""
    lineage = "11111111-2222-3333-4444-555555555555"
    return json.dumps({**json.loads(state), "lineage": lineage}).encode()


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield what the files of a folder say: a plan is a zip."""
    for path in folder.rglob("*"):
        if path.is_file() and "providers" not in path.parts:
            yield path, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as plan:
                    yield from ((path, plan.read(name)) for name in plan.namelist())


def test_the_state_is_in_the_bucket_and_nowhere_else(up: tuple[Site, Bucket]) -> None:
    site, bucket = up
    here = dict(contents(site.folder / ".ray-gke"))
    there = bucket.objects("my-states")
    assert set(there) == {STATE}
    assert CLUSTER_TYPE in resources(there[STATE])
    assert [path.name for path in here if path.suffix == ".plan"] == ["ray-gke.plan"]
    states = [text for path, text in here.items() if ".tfstate" in path.name]
    assert not [text for text in states if json.loads(text).get("resources")]
    said = [text for _, text in contents(site.folder / ".ray-gke")]
    assert not [text for text in (*said, *there.values()) if b"some-token" in text]


def test_another_machine_goes_on(up: tuple[Site, Bucket], tmp_path: Path) -> None:
    first, _ = up
    calls = len(first.cloud.calls("create"))
    second = Site(tmp_path / "elsewhere", first.cloud)
    second.folder.mkdir()
    shutil.copy(first.folder / "ray-gke.yaml", second.folder)
    shutil.copytree(first.folder / "catalog", second.folder / "catalog")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(second.folder)
        assert second.plan().todo == ()
        found = second.stacks().outputs()
        assert second.up() == found
    assert found is not None
    assert found.host == first.stacks().outputs().host  # type: ignore[union-attr]
    assert len(first.cloud.calls("create")) == calls


def test_a_cluster_that_another_machine_has_made_anew(
    up: tuple[Site, Bucket], tmp_path: Path
) -> None:
    site, _ = up
    other = site.copy(tmp_path / "other")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(other.folder)
        Site(other.folder, site.cloud).destroy()
        site.cloud.serve_clusters_at("127.0.0.2:1", site.folder / "ca.pem")
        anew = Site(other.folder, site.cloud).up()
    assert anew.host == "https://127.0.0.2:1"
    remembered = site.stacks().outputs()
    assert remembered is not None
    assert remembered.host == "https://127.0.0.1:1"
    with pytest.raises(RefusedError, match=r"127\.0\.0\.2"):
        on_gke.cluster(selection.choose(None), None)
    assert site.stacks().outputs() == anew

    stale = {"cluster": {**vars(anew), "host": remembered.host}}
    remember(site.folder / ".ray-gke" / "demo" / "outputs.json", stale)
    assert site.up() == anew
    Site(site.folder, site.cloud).destroy()
    with pytest.raises(RefusedError, match="has no cluster yet"):
        on_gke.cluster(selection.choose(None), None)


def test_a_bucket_that_is_missing(tmp_path: Path) -> None:
    with world(tmp_path / "site") as (site, bucket):
        with pytest.raises(FailedError) as failed:
            site.up()
        (problem,) = failed.value.problems
        assert problem.message == "the bucket my-states of the state does not exist"
        assert problem.hint is not None
        assert problem.hint.startswith(
            "gcloud storage buckets create gs://my-states --project some-project "
        )
        assert failed.value.exit_code == 1
        assert site.cloud.calls() == []
        bucket.make("my-states")
        assert site.up().name == "demo"
        assert CLUSTER_TYPE in resources(bucket.objects("my-states")[STATE])


@pytest.mark.parametrize("was_up", [False, True])
def test_a_bucket_that_is_forbidden(
    was_up: bool, request: pytest.FixtureRequest
) -> None:
    site, bucket = request.getfixturevalue("up" if was_up else "site_and_bucket")
    bucket.refuse(403, FORBIDDEN)
    with pytest.raises(FailedError) as failed:
        site.plan()
    (problem,) = failed.value.problems
    assert problem.message == (
        "the account lacks storage.objects.list on my-states, the bucket of the state"
    )
    assert problem.hint is not None
    assert "add-iam-policy-binding gs://my-states --member MEMBER" in problem.hint
    assert failed.value.exit_code == 1
    bucket.accept()
    assert bool(site.plan().todo) is not was_up


def test_a_lock_of_somebody_else_is_told_and_left_alone(
    up: tuple[Site, Bucket],
) -> None:
    site, bucket = up
    lock = bucket.lock("my-states", "ray/prod/platform", "ann@laptop", SINCE)
    with pytest.raises(FailedError) as failed:
        site.up()
    (problem,) = failed.value.problems
    assert problem.message == (
        "Terraform's state is locked by ann@laptop since 2026-01-02 03:04:05 UTC "
        "for Apply"
    )
    assert problem.hint is not None
    assert (
        f"terraform force-unlock {lock} in .ray-gke/demo/terraform/platform"
        in problem.hint
    )
    assert site.notes()[-1] == f"{problem.message}: waiting, 0s at most"
    assert LOCK in bucket.objects("my-states")
    bucket.delete("my-states", LOCK)
    assert site.up().name == "demo"
    assert site.plan().todo == ()


@pytest.mark.parametrize("work", ["plan", "apply"])
def test_whoever_waits_hears_for_whom_and_goes_on(
    up: tuple[Site, Bucket], work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, bucket = up
    monkeypatch.setattr(process, "LOCK_TIMEOUT", "60s")
    drop_the_shared(site)
    whole, emit = site.whole(), site.events.append
    platform = whole.stacks("ray-gke up").platform(whole.variables("platform"))
    planned = platform.plan(emit) if work == "apply" else None
    bucket.lock("my-states", "ray/prod/platform", "ann@laptop", SINCE)
    asked = looks(bucket)
    with ThreadPoolExecutor() as pool:
        if planned:
            command = pool.submit(platform.apply, planned, emit, "platform")
        else:
            command = pool.submit(lambda: str(platform.plan(emit).to_apply))
        # Once at once; then it has begun to wait, and asks again.
        eventually("it waits", lambda: looks(bucket) > asked + 1 or command.done())
        bucket.delete("my-states", LOCK)
        assert command.result() == ("1 deleted, 1 changed" if planned else "True")
    told = (
        "Terraform's state is locked by ann@laptop since 2026-01-02 03:04:05 UTC for "
        "Apply: waiting, 60s at most"
    )
    assert site.notes().count(told) == 1


def drop_the_shared(site: Site) -> None:
    """Take the run away from the platform file whose pool is that of T4s."""
    write(site, IN_BUCKET.replace("    - {blueprint: shared}\n", ""))


def looks(bucket: Bucket) -> int:
    """Return how often somebody who could not have the lock has read whose it is.

    Terraform reads the lock, and then its generation.
    """
    name = LOCK.replace("/", "%2F")
    return bucket.asked.count(f"GET /storage/v1/b/my-states/o/{name}")


def tries(bucket: Bucket) -> list[str]:
    """Return the attempts to write anything, such as a lock."""
    return [one for one in bucket.asked if one.startswith("POST ")]


def test_a_plan_to_be_shown_waits_for_nobody_and_keeps_nobody_out(
    up: tuple[Site, Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, bucket = up
    bucket.put("my-states", "ray/prod/addons/default.tfstate", EMPTY)
    for stack in ("platform", "addons"):
        bucket.lock("my-states", f"ray/prod/{stack}", "ann@laptop", SINCE)
    there = bucket.objects("my-states")
    # Nobody looks into the cluster, which is none.
    monkeypatch.setattr(on_gke, "wanted", lambda *_: [])
    cluster = SimpleNamespace(changes=lambda *_, **__: [])
    monkeypatch.setattr(on_gke, "_cluster", lambda *_: cluster)
    drop_the_shared(site)
    whole = site.whole()
    found = on_gke.pending(whole, whole.selected, None, site.events.append)
    assert found is not None
    assert [one.action for one in found.cloud.todo if one.ends] == ["delete"]
    assert {one.action for one in found.addons.todo} == {"create"}
    assert bucket.objects("my-states") == there
    assert not tries(bucket)


def test_a_bucket_without_a_state_stays_so(
    site_and_bucket: tuple[Site, Bucket],
) -> None:
    """Whoever has misspelt its prefix hears that nothing is up, and leaves nothing."""
    site, bucket = site_and_bucket
    whole = site.whole()
    assert on_gke.pending(whole, whole.selected, None, site.events.append) is None
    with pytest.raises(UsageError, match="nothing of the platform demo is up"):
        take_down(site)
    with pytest.raises(RefusedError, match="has no cluster yet"):
        on_gke.cluster(selection.choose(None), None)
    assert bucket.objects("my-states") == {}
    assert not tries(bucket)
    assert not (site.folder / ".ray-gke").exists()


def take_down(site: Site) -> None:
    """Take the platform down as `ray-gke down` does, and remove nothing else."""
    stacks, emit = site.stacks("ray-gke down"), site.events.append
    down.delete(stacks, emit, lambda _: False, delete_cluster=False)


def test_another_machine_that_takes_down_the_rest_says_what_it_cannot_know(
    up: tuple[Site, Bucket], tmp_path: Path
) -> None:
    """The first one has broken off once the cluster was gone."""
    first, _ = up
    emit = first.events.append
    platform = first.stacks("ray-gke down").platform()
    planned = platform.plan(emit, destroy=True, target=[CLUSTER])
    platform.apply(planned, emit, "remove platform")
    assert first.cloud.objects("google_compute_network")

    second = Site(tmp_path / "elsewhere", first.cloud)
    second.folder.mkdir()
    shutil.copy(first.folder / "ray-gke.yaml", second.folder)
    shutil.copytree(first.folder / "catalog", second.folder / "catalog")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(second.folder)
        take_down(second)
    assert first.cloud.objects() == []
    (told,) = [one for one in second.notes() if "nothing proves" in one]
    assert (
        "gcloud compute disks list --filter labels.goog-k8s-cluster-name=demo "
        "--project some-project" in told
    )


def test_a_state_moves_to_a_file_and_to_a_bucket(up: tuple[Site, Bucket]) -> None:
    site, bucket = up
    state = json.loads(bucket.objects("my-states")[STATE])

    write(site, PLATFORM)
    assert site.plan().todo == ()
    here = json.loads(local_state(site).read_bytes())
    assert here["lineage"] == state["lineage"]
    assert here["resources"] == state["resources"]
    assert json.loads(bucket.objects("my-states")[STATE]) == state

    bucket.delete("my-states", STATE)
    write(site, IN_BUCKET)
    assert site.up().name == "demo"
    assert site.cloud.calls("create") == []
    there = json.loads(bucket.objects("my-states")[STATE])
    assert there["lineage"] == state["lineage"]
    assert there["resources"] == state["resources"]
    assert set(bucket.objects("my-states")) == {STATE}
    assert not local_state(site).exists()


def refused_for_two_states(site: Site) -> str:
    """Return the hint of an `up` that is refused: both places have a state."""
    with pytest.raises(RefusedError) as refused:
        site.up()
    (problem,) = refused.value.problems
    assert str(local_state(site)) in problem.message
    assert PLACE in problem.message
    assert problem.hint is not None
    assert refused.value.exit_code == 4
    return problem.hint


def test_a_bucket_that_has_a_state_is_not_overwritten(up: tuple[Site, Bucket]) -> None:
    site, bucket = up
    write(site, PLATFORM)
    assert site.plan().todo == ()
    here = local_state(site).read_bytes()
    bucket.put("my-states", STATE, another(bucket.objects("my-states")[STATE]))
    there = bucket.objects("my-states")

    write(site, IN_BUCKET)
    hint = refused_for_two_states(site)
    assert f"gcloud storage cat {PLACE}" in hint
    assert f"gcloud storage mv {PLACE} {PLACE}.old" in hint
    assert bucket.objects("my-states") == there
    assert local_state(site).read_bytes() == here
    write(site, PLATFORM)
    assert site.plan().todo == ()

    # One of the two ways that the hint shows.
    cached = site.folder / ".ray-gke" / "demo" / "terraform" / "platform" / ".terraform"
    assert f"rm -r {cached}" in hint
    shutil.rmtree(cached)
    write(site, IN_BUCKET)
    assert site.plan().todo == ()
    assert bucket.objects("my-states") == there


def test_a_file_that_has_a_state_is_not_overwritten(up: tuple[Site, Bucket]) -> None:
    site, bucket = up
    there = bucket.objects("my-states")
    here = another(there[STATE])
    local_state(site).write_bytes(here)

    write(site, PLATFORM)
    hint = refused_for_two_states(site)
    assert hint.startswith(f"look at it with cat {local_state(site)}; mv ")
    assert local_state(site).read_bytes() == here
    assert bucket.objects("my-states") == there
    write(site, IN_BUCKET)
    assert site.plan().todo == ()


def test_a_state_does_not_move_while_it_is_written(up: tuple[Site, Bucket]) -> None:
    site, bucket = up
    terraform = subprocess.Popen(["sleep", "600"])
    log = site.folder / ".ray-gke" / "demo" / "logs" / "platform-apply.jsonl"
    file = site.folder / ".ray-gke" / "demo" / "running-platform.json"
    write(site, PLATFORM)
    try:
        journal.begin(file, process.Running(terraform, log))
        with pytest.raises(RefusedError, match=f"at work .process {terraform.pid}"):
            site.stacks().platform()
        assert not local_state(site).exists()
    finally:
        terraform.kill()
        terraform.wait()
    assert site.plan().todo == ()
    assert resources(local_state(site).read_bytes()) == resources(
        bucket.objects("my-states")[STATE]
    )


def running(site: Site) -> int:
    """Return the process of the Terraform that runs now."""
    file = site.folder / ".ray-gke" / "demo" / "running-platform.json"
    return int(json.loads(file.read_text())["pid"])


def kill_terraform_alone(site: Site, kind: str) -> None:
    """Let it be killed while the command that began it looks on."""
    with ThreadPoolExecutor() as pool:
        command = pool.submit(site.up)
        eventually(kind, lambda: site.cloud.objects(kind) or command.done())
        os.killpg(running(site), signal.SIGKILL)
        with pytest.raises(FailedError):
            command.result()


def kill_both(site: Site, kind: str) -> None:
    """Let the machine go down."""
    with subprocess.Popen(
        [sys.executable, "-m", "ray_gke", "up", "--yes"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        eventually(kind, lambda: site.cloud.objects(kind) or command.poll())
        terraform = running(site)
        command.kill()
        os.killpg(terraform, signal.SIGKILL)
    eventually("no Terraform", lambda: process.begun_at(terraform) is None)


@pytest.mark.parametrize(
    ("kill", "address"),
    [
        (kill_terraform_alone, "module.network.google_compute_network.this[0]"),
        (kill_both, "module.cluster.google_container_cluster.this"),
    ],
)
def test_a_killed_apply_is_gone_on_with(
    site_and_bucket: tuple[Site, Bucket],
    kill: Callable[[Site, str], None],
    address: str,
) -> None:
    site, bucket = site_and_bucket
    kind = address.split(".")[2]
    site.cloud.stall(kind, seconds=120, operation="create")
    kill(site, kind)
    site.cloud.clear()
    there = bucket.objects("my-states")
    assert json.loads(there[LOCK])["Who"].endswith(f"@{socket.gethostname()}")
    assert kind not in resources(there[STATE])

    site.up()
    (found,) = [one for one in site.notes() if one.startswith("found again: ")]
    assert address in found
    assert len([one for one in site.notes() if "has left its lock" in one]) == 1
    assert site.made_twice() == []
    there = bucket.objects("my-states")
    assert set(there) == {STATE}
    assert kind in resources(there[STATE])
    assert site.plan().todo == ()


def test_a_bucket_that_is_lost_in_the_middle(
    site_and_bucket: tuple[Site, Bucket],
) -> None:
    site, bucket = site_and_bucket
    site.cloud.stall(CLUSTER_TYPE, seconds=2, operation="create")
    with ThreadPoolExecutor() as pool:
        command = pool.submit(site.up)
        there = site.cloud.objects
        eventually("a cluster", lambda: there(CLUSTER_TYPE) or command.done())
        bucket.refuse(403, FORBIDDEN)
        with pytest.raises(FailedError):
            command.result()
    site.cloud.clear()
    bucket.accept()
    unwritten = site.folder / ".ray-gke/demo/terraform/platform/errored.tfstate"
    assert CLUSTER_TYPE in resources(unwritten.read_bytes())
    with pytest.raises(FailedError, match="is locked by"):
        site.up()
    bucket.delete("my-states", LOCK)
    site.up()
    assert not unwritten.exists()
    assert site.made_twice() == []
    assert site.plan().todo == ()


def said(kind: str, second: int, **more: object) -> str:
    at = f"2026-01-02T04:00:{second:02}.000000+01:00"
    return json.dumps({"type": kind, "@timestamp": at, "@message": kind, **more})


def hook(address: str) -> dict[str, object]:
    return {"hook": {"resource": {"addr": address}}}


KILLED = [
    said("version", 10),
    said("apply_start", 12, **hook("a.one")),
    said("apply_start", 12, **hook("a.two")),
    said("apply_complete", 14, **hook("a.one")),
]
OURS = f"root@{socket.gethostname()}"


def lock(who: str = OURS, at: str = "03:00:11.123456789") -> Diagnostic:
    return Diagnostic(
        "error",
        "Error acquiring the state lock",
        'Error message: writing "gs://b/p/default.tflock" failed: googleapi: Error '
        "412: At least one of the pre-conditions you specified did not hold.\n"
        "Lock Info:\n  ID:        123\n  Path:      gs://b/p/default.tflock\n"
        f"  Operation: OperationTypeApply\n  Who:       {who}\n"
        f"  Version:   1.11.4\n  Created:   2026-01-02 {at} +0000 UTC\n  Info:      \n",
    )


@pytest.mark.parametrize(
    ("lines", "error", "found"),
    [
        pytest.param(KILLED, lock(), "123", id="ours"),
        pytest.param([*KILLED, '{"@level":"inf'], lock(), "123", id="a half line"),
        pytest.param(KILLED, lock("root@elsewhere"), None, id="of another machine"),
        pytest.param(KILLED, lock(at="03:00:13"), None, id="taken after it"),
        pytest.param(KILLED, lock(at="03:00:09.9"), None, id="taken before it"),
        pytest.param(KILLED[:1], lock(), None, id="killed before its lock"),
        pytest.param(KILLED[1:], lock(), None, id="no beginning"),
        pytest.param(
            [*KILLED, said("apply_errored", 15, **hook("a.two"))],
            lock(),
            None,
            id="all done",
        ),
        pytest.param(
            [*KILLED, said("log", 15, **{"@message": "Interrupt received."})],
            lock(),
            None,
            id="asked to stop",
        ),
        pytest.param(KILLED, Diagnostic("error", "no lock"), None, id="no lock"),
    ],
)
def test_only_the_lock_of_a_killed_terraform_is_ours(
    tmp_path: Path, lines: list[str], error: Diagnostic, found: str | None
) -> None:
    log = tmp_path / "apply.jsonl"
    log.write_text("\n".join(lines))
    left = {log: journal.lock_left(log)}
    assert journal.take_lock([error], left) == found
    # Who has waited for it may have the next one, taken at the same time.
    assert journal.take_lock([error], {log: journal.lock_left(log)}) is None


def test_the_lock_of_a_terraform_that_has_ended_or_runs_is_not_left(
    tmp_path: Path,
) -> None:
    log = tmp_path / "apply.jsonl"
    log.write_text("\n".join([*KILLED, ""]))
    journal.end(tmp_path / "running-platform.json", log, whole=True)
    assert journal.lock_left(log) is None

    running = process.start(["sleep"], "600", folder=tmp_path, log=log)
    log.write_text("\n".join(KILLED))
    try:
        assert journal.lock_left(log) is None
        with pytest.raises(RefusedError, match="another run is at work"):
            process.start(["sleep"], "600", folder=tmp_path, log=log)
        assert log.read_text() == "\n".join(KILLED)
    finally:
        running.process.kill()
        running.process.wait()
    assert journal.lock_left(log) is not None
    assert journal.lock_left(tmp_path / "none.jsonl") is None
