"""What goes wrong in Google Cloud while the stack `platform` is applied or destroyed:
what is told, what is kept, and that the next run goes on from there.

The causes are those of GKE's, Terraform's and the provider's own issues.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

import pytest

from ray_gke.errors import FailedError, RayGkeError, UsageError
from ray_gke.events import Event, Note
from ray_gke.targets.gke import down, up
from ray_gke.targets.kubernetes import checks
from ray_gke.targets.terraform import process
from tests.cluster.processes import eventually
from tests.gke_site import PLATFORM, Site
from tests.terraform import failures, program

LONG = 600
POOL_TYPE = "google_container_node_pool"
CLUSTER_TYPE = "google_container_cluster"
NETWORK_TYPE = "google_compute_network"
T4 = "n1-standard-8-t4-*"
LOCATION = "projects/some-project/locations/us-central1-a"
CLUSTER = f"{CLUSTER_TYPE} {LOCATION}/clusters/demo"
NETWORK = f"{NETWORK_TYPE} projects/some-project/global/networks/demo"
CLUSTER_AT = ", at module.cluster.google_container_cluster.this"
NETWORK_AT = ", at module.network.google_compute_network.this[0]"
POOL_AT = ', at module.node_pool["n1-standard-8-t4-'
GOES_ON = "; then run ray-gke up: it goes on from where it stopped"
IN_THE_CLUSTER = (CLUSTER_TYPE, POOL_TYPE)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A platform that nothing has happened to."""
    site = Site.new(tmp_path_factory.mktemp("undisturbed") / "site")
    with pytest.MonkeyPatch.context() as patch:
        site.enter(patch)
        site.up()
    return site


@pytest.fixture
def site(undisturbed: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A platform of which nothing is there yet."""
    new = undisturbed.copy_of_nothing(tmp_path / "site")
    new.enter(monkeypatch)
    return new


@pytest.fixture
def running(undisturbed: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A platform that is up."""
    copied = undisturbed.copy(tmp_path / "site")
    copied.enter(monkeypatch)
    return copied


def refused(site: Site, run: Callable[[], object], code: int = 1) -> tuple[str, str]:
    """Run what has to fail for one cause; return its message and its hint."""
    with pytest.raises(RayGkeError) as caught:
        run()
    (problem,) = caught.value.problems
    assert caught.value.exit_code == code
    assert problem.hint is not None
    for text in (problem.message, problem.hint):
        assert "Traceback" not in text
        assert "\n" not in text
    return problem.message, problem.hint


def is_as(site: Site, undisturbed: Site) -> None:
    """See that the cloud is that of an undisturbed run, and that the state knows it."""
    assert site.there() == undisturbed.there()
    assert site.known() == site.there().keys()
    assert site.made_twice() == []


def of_types(site: Site, *types: str) -> set[str]:
    return {one for one in site.there() if one.split()[0] in types}


def t4_pool(site: Site) -> str:
    (pool,) = (one for one in of_types(site, POOL_TYPE) if "/n1-standard-8-t4-" in one)
    return pool


@dataclass(frozen=True)
class Fault:
    """What is refused, where, and how it is told."""

    kind: str
    name: str
    error: str
    message: str
    hint: str


POOLS = [
    Fault(
        POOL_TYPE,
        T4,
        failures.quota("NVIDIA_T4_GPUS"),
        "the quota is too small: NVIDIA_T4_GPUS (72 needed, 24 of 24 free), "
        'at module.node_pool["n1-standard-8-t4-',
        "ask for more at https://console.cloud.google.com/iam-admin/quotas"
        "?project=some-project, or ask for less in the blueprints",
    ),
    Fault(
        POOL_TYPE,
        "e2-standard-2-*",
        failures.global_gpu_quota(),
        "the project may have no more GPUs: the quota GPUS_ALL_REGIONS (limit 0 "
        'globally), at module.node_pool["e2-standard-2-',
        "a new project has none: ask for more GPUS_ALL_REGIONS, of location global, at "
        "https://console.cloud.google.com/iam-admin/quotas?project=some-project",
    ),
    Fault(
        POOL_TYPE,
        "e2-standard-4-*",
        failures.operation_in_progress(),
        "the cluster still does something else: "
        "operation-1756199704413-2f9a1c3e-7b8d-4c0e-9a56-0d1e2f3a4b5c, "
        'at module.node_pool["e2-standard-4-',
        "it cannot be cancelled, so wait until gcloud container operations list "
        "--project some-project --filter status=RUNNING shows nothing",
    ),
]
OTHERS = [
    Fault(
        CLUSTER_TYPE,
        "demo",
        failures.permission(),
        "the account lacks container.clusters.create" + CLUSTER_AT,
        "ask an administrator of the project: gcloud projects add-iam-policy-binding "
        "some-project --member MEMBER --role roles/container.admin",
    ),
    Fault(
        "google_artifact_registry_repository",
        "demo-docker-hub",
        failures.network_lost("artifactregistry.googleapis.com"),
        "the connection to artifactregistry.googleapis.com was lost, at "
        "module.image_registry[0].google_artifact_registry_repository.docker_hub[0]",
        "check the network, for example with curl -I "
        "https://artifactregistry.googleapis.com",
    ),
    Fault(
        "google_artifact_registry_repository",
        "demo-images",
        failures.token_expired(),
        "the login has expired, or is not accepted, "
        "at module.image_registry[0].google_artifact_registry_repository.images[0]",
        "gcloud auth application-default login, or another key in "
        "GOOGLE_APPLICATION_CREDENTIALS",
    ),
]


@pytest.mark.parametrize("faults", [POOLS, OTHERS], ids=["pools", "others"])
def test_refusals_are_told_one_by_one_and_up_goes_on_when_they_are_gone(
    site: Site, undisturbed: Site, faults: list[Fault]
) -> None:
    for one in faults:
        site.cloud.refuse(one.kind, one.name, error=one.error, operation="create")
    with pytest.raises(FailedError) as caught:
        site.up()
    told = {one.message: one.hint or "" for one in caught.value.problems}
    assert caught.value.exit_code == 1
    assert len(told) == len(faults)
    for one in faults:
        (message,) = (text for text in told if text.startswith(one.message))
        assert told[message] == one.hint + GOES_ON
    made = site.there().keys()
    assert site.known() == made < undisturbed.there().keys()
    assert {NETWORK, CLUSTER} - made == ({CLUSTER} if faults is OTHERS else set())
    site.cloud.clear()
    site.up()
    is_as(site, undisturbed)


def test_a_pool_without_machines_is_kept_and_replaced(
    site: Site, undisturbed: Site
) -> None:
    error = failures.stock_out()
    site.cloud.refuse(POOL_TYPE, T4, error=error, operation="create", leaves="object")
    message, hint = refused(site, site.up)
    assert message.startswith(
        "Google has no such machines left in us-central1-a" + POOL_AT
    )
    assert "name other zones (zones: in the platform file)" in hint
    assert site.known() == site.there().keys() == undisturbed.there().keys()
    site.cloud.clear()
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    site.up(agree)
    (question,) = asked
    assert question.startswith('this would replace module.node_pool["n1-standard-8-t4-')
    assert site.there() == undisturbed.there()
    assert site.known() == site.there().keys()
    assert site.made_twice() == [t4_pool(site)]


def test_an_api_that_stays_off_is_told_with_its_command(
    site: Site, undisturbed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "_API_SECONDS", 0)
    error = failures.api_disabled()
    site.cloud.refuse(CLUSTER_TYPE, error=error, operation="create")
    message, hint = refused(site, site.up)
    assert "an API is off" in message
    assert message.endswith(": container.googleapis.com" + CLUSTER_AT)
    assert hint.startswith(
        f"gcloud services enable container.googleapis.com --project {failures.NUMBER}"
    )
    in_it = of_types(undisturbed, *IN_THE_CLUSTER)
    assert site.known() == site.there().keys() == undisturbed.there().keys() - in_it
    # Once more and no oftener: whoever has it off does not wait for hours.
    assert len(site.cloud.calls("create", CLUSTER_TYPE)) == 2
    site.cloud.clear()
    site.up()
    is_as(site, undisturbed)


def test_an_api_that_is_on_since_a_moment_ago_is_waited_for(
    site: Site, undisturbed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "_API_SECONDS", 0)
    site.cloud.require_apis()
    error = failures.api_disabled()
    site.cloud.refuse(CLUSTER_TYPE, error=error, operation="create", times=1)
    site.up()
    assert any("Google does not know everywhere" in note for note in site.notes())
    is_as(site, undisturbed)


@pytest.mark.parametrize("lost", [NETWORK, CLUSTER], ids=["network", "cluster"])
def test_what_was_made_when_the_network_was_lost_is_found_again(
    site: Site, undisturbed: Site, lost: str
) -> None:
    error = failures.network_lost()
    kind, _ = lost.split()
    site.cloud.refuse(kind, error=error, operation="create", leaves="orphan")
    message, _ = refused(site, site.up)
    at = {NETWORK: NETWORK_AT, CLUSTER: CLUSTER_AT}[lost]
    assert message.endswith(at)
    assert site.there().keys() - site.known() == {lost}
    site.cloud.clear()
    site.up()
    assert f"found again: {at.removeprefix(', at ')}" in site.notes()
    is_as(site, undisturbed)


def test_what_somebody_else_made_when_the_network_was_lost_is_never_taken_over(
    site: Site, undisturbed: Site
) -> None:
    error = failures.network_lost()
    site.cloud.refuse(CLUSTER_TYPE, error=error, operation="create", leaves="orphan")
    refused(site, site.up)
    site.cloud.clear()
    theirs = {"goog-terraform-provisioned": "true", "owner": "them"}
    site.cloud.drift(CLUSTER_TYPE, "demo", {"effective_labels": theirs})
    for _ in range(2):
        message, hint = refused(site, site.up, code=4)
        assert message == (
            "there is something of the same name that ray-gke did not make: "
            + CLUSTER_AT.removeprefix(", at ")
        )
        assert hint == "give the platform another name, or remove what is there"
        assert site.there()[CLUSTER]["effective_labels"] == theirs
        assert site.there().keys() - site.known() == {CLUSTER}
    site.cloud.drift(CLUSTER_TYPE, "demo", None)
    site.up()
    assert site.there() == undisturbed.there()


def test_a_pool_whose_operation_failed_is_found_again(
    running: Site, undisturbed: Site
) -> None:
    pool = t4_pool(running)
    running.cloud.drift(POOL_TYPE, pool.rpartition("/")[2], None)
    error = failures.global_gpu_quota()
    running.cloud.refuse(
        POOL_TYPE, T4, error=error, operation="create", leaves="orphan"
    )
    refused(running, running.up)
    assert running.there().keys() - running.known() == {pool}
    running.cloud.clear()
    running.up()
    is_as(running, undisturbed)


def test_what_is_made_by_somebody_else_after_a_refusal_stays_theirs(
    running: Site,
) -> None:
    """Who may not make it is given one by an administrator, under the same name."""
    pool = t4_pool(running)
    theirs = running.there()[pool]
    running.cloud.drift(POOL_TYPE, pool.rpartition("/")[2], None)
    error = failures.permission("container.nodePools.create")
    running.cloud.refuse(POOL_TYPE, T4, error=error, operation="create")
    refused(running, running.up)
    running.cloud.clear()
    running.cloud.put(POOL_TYPE, pool.split()[1], theirs)
    message, _ = refused(running, running.up)
    assert "it exists already, and was not made from here" in message
    assert pool not in running.known()


READS = {
    "lost network": (
        failures.network_lost(),
        "the connection to container.googleapis.com was lost, at ",
        "check the network, for example with curl -I https://container.googleapis.com",
    ),
    "expired token": (
        failures.token_expired(),
        "the login has expired, or is not accepted, at ",
        OTHERS[2].hint,
    ),
}


@pytest.mark.parametrize(("error", "message", "hint"), READS.values(), ids=READS)
def test_a_plan_that_cannot_look_changes_nothing(
    running: Site, undisturbed: Site, error: str, message: str, hint: str
) -> None:
    running.cloud.refuse(error=error)
    told = refused(running, running.up)
    assert told[0].startswith(message)
    assert told[1] == hint + GOES_ON
    assert running.cloud.calls("create") == []
    running.cloud.clear()
    running.up()
    assert [c for c in running.cloud.calls() if c.operation != "read"] == []
    is_as(running, undisturbed)


@pytest.mark.parametrize("before", [True, False])
def test_a_provider_that_dies_at_a_pool(
    running: Site, undisturbed: Site, *, before: bool
) -> None:
    pool = t4_pool(running)
    running.cloud.drift(POOL_TYPE, pool.rpartition("/")[2], None)
    running.cloud.die_at(1, before=before)
    message, hint = refused(running, running.up)
    assert message.startswith(
        "a program that Terraform works with, a provider, has ended in the middle"
        + POOL_AT
    )
    assert hint.startswith("see that this machine has memory left")
    assert running.there().keys() - running.known() == (set() if before else {pool})
    running.cloud.clear()
    running.up()
    found = [note for note in running.notes() if note.startswith("found again")]
    assert bool(found) is not before
    is_as(running, undisturbed)


def test_a_provider_that_dies_with_much_in_its_hands(
    site: Site, undisturbed: Site
) -> None:
    site.cloud.die_at(14)
    refused(site, site.up)
    assert site.known() <= site.there().keys()
    site.cloud.clear()
    site.up()
    # A dead provider's log may tell of what it did not come to make.
    assert site.there() == undisturbed.there()
    assert site.known() == site.there().keys()


FOREIGN = {
    NETWORK: ({"name": "demo", "project": "some-project"}, NETWORK_AT),
    CLUSTER: (
        {"name": "demo", "project": "some-project", "location": "us-central1-a"},
        CLUSTER_AT,
    ),
}


@pytest.mark.parametrize("theirs", FOREIGN, ids=["network", "cluster"])
def test_a_name_that_somebody_else_has_is_never_taken_over(
    site: Site, undisturbed: Site, theirs: str
) -> None:
    values, at = FOREIGN[theirs]
    kind, identity = theirs.split()
    site.cloud.put(kind, identity, values)
    for _ in range(2):
        message, hint = refused(site, site.up)
        assert message == (
            f"it exists already, and was not made from here: {identity}{at}"
        )
        assert hint.startswith("give another name in the platform file, delete it, or")
        assert f"{identity} in .ray-gke/demo/terraform/platform; then" in hint
        assert site.there()[theirs] == {"id": identity, **values}
        assert site.there().keys() - site.known() == {theirs}
    site.cloud.drift(kind, "demo", None)
    site.up()
    is_as(site, undisturbed)


def test_a_cluster_that_somebody_deleted_is_made_again(
    running: Site, undisturbed: Site
) -> None:
    delete_cluster(running)
    running.up()
    created = "create 1 google_container_cluster, 4 google_container_node_pool"
    assert created in running.notes()
    is_as(running, undisturbed)


def delete_cluster(site: Site) -> None:
    """Delete the cluster as somebody else does; its pools go with it."""
    for one in of_types(site, *IN_THE_CLUSTER):
        kind, identity = one.split()
        site.cloud.drift(kind, identity, None)


def test_drift_is_shown_and_set_back(running: Site, undisturbed: Site) -> None:
    name = t4_pool(running).rpartition("/")[2]
    limits = [{"total_min_node_count": 3, "total_max_node_count": 9}]
    running.cloud.drift(POOL_TYPE, name, {"autoscaling": limits})
    shown = running.plan()
    address = f'module.node_pool["{name}"].google_container_node_pool.this'
    for changes in (shown.todo, shown.drift):
        (change,) = changes
        assert (change.address, change.action) == (address, "update")
        assert change.attributes == ("autoscaling",)
    assert running.cloud.calls("update") == []
    running.up()
    assert f"update {address} (autoscaling)" in running.notes()
    assert len(running.cloud.calls("update")) == 1
    is_as(running, undisturbed)


def test_a_second_run_waits_for_the_first(site: Site, undisturbed: Site) -> None:
    """The first is stopped once the second waits for it: no clock is needed."""
    waited: list[str] = []

    def told(event: Event) -> None:
        if isinstance(event, Note) and "is still at work" in event.text:
            waited.append(event.text)
            site.cloud.clear()
            os.kill(int(event.text.partition("(process ")[2].partition(")")[0]), SIGINT)

    site.cloud.stall(CLUSTER_TYPE, seconds=LONG, operation="create")
    with ThreadPoolExecutor() as beside:
        first = beside.submit(site.up)
        eventually("the cluster", lambda: bool(site.cloud.objects(CLUSTER_TYPE)))
        site.up(emit=told)
        assert isinstance(first.exception(), FailedError)
    assert len(waited) == 1
    is_as(site, undisturbed)


def test_a_plan_that_another_run_has_carried_out_is_not_done_again(
    running: Site,
) -> None:
    drop_the_shared(running)

    def meanwhile(_: str) -> bool:
        running.up()
        return True

    message, hint = refused(running, lambda: running.up(meanwhile), code=4)
    assert message == "another run has planned demo anew meanwhile"
    assert hint.startswith("ray-gke up once more")
    assert len(running.cloud.calls("delete")) == 1
    assert running.known() == running.there().keys()


def test_what_another_run_has_planned_is_not_what_was_agreed_to(
    running: Site, undisturbed: Site
) -> None:
    drop_the_shared(running)

    def meanwhile(_: str) -> bool:
        (running.folder / "ray-gke.yaml").write_text(PLATFORM)
        running.plan()
        return True

    message, _ = refused(running, lambda: running.up(meanwhile), code=4)
    assert message == "another run has planned demo anew meanwhile"
    is_as(running, undisturbed)


def drop_the_shared(site: Site) -> None:
    """Take the run away from the platform file whose pool is that of T4s."""
    text = PLATFORM.replace("    - {blueprint: shared}\n", "")
    (site.folder / "ray-gke.yaml").write_text(text)


def test_a_plan_that_is_too_old_for_its_state_is_not_applied(
    running: Site, undisturbed: Site
) -> None:
    """Somebody has worked on the same state from another folder."""
    drop_the_shared(running)

    def meanwhile(_: str) -> bool:
        address = f'module.node_pool["{t4_pool(running).rpartition("/")[2]}"]'
        folder = running.folder / ".ray-gke" / "demo" / "terraform" / "platform"
        done = running.cloud.terraform(folder, "state", "rm", address)
        assert done.returncode == 0, done.stderr
        return True

    message, hint = refused(running, lambda: running.up(meanwhile))
    assert message == "something else has changed the state since this was planned"
    assert hint.startswith("ray-gke plan shows what is to be done now")
    assert running.there() == undisturbed.there()


def test_a_state_that_somebody_else_works_on_is_left_alone(
    running: Site, undisturbed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOCK_TIMEOUT", "0s")
    pool = t4_pool(running)
    running.cloud.drift(POOL_TYPE, pool.rpartition("/")[2], None)
    running.cloud.stall(POOL_TYPE, seconds=LONG, operation="create")
    with by_hand(running) as apply:
        eventually("the pool", lambda: pool in running.there())
        message, hint = refused(running, running.up)
        running.cloud.clear()
        apply.send_signal(SIGINT)
    assert re.fullmatch(
        r"Terraform's state is locked by \S+@\S+ since [-\d]+ [:\d]+ UTC for Apply",
        message,
    )
    assert hint.startswith("wait until that run is done, or end it: a lock on a file ")
    running.up()
    is_as(running, undisturbed)


@contextmanager
def by_hand(site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """Apply in the working copy as somebody does who knows Terraform."""
    apply = subprocess.Popen(
        [str(program.terraform()), "apply", "-auto-approve"],
        cwd=site.folder / ".ray-gke" / "demo" / "terraform" / "platform",
        env=site.cloud.env(),
        stdout=subprocess.DEVNULL,
    )
    try:
        yield apply
        apply.wait()
    finally:
        if apply.poll() is None:
            apply.kill()
            apply.wait()


def test_a_protected_cluster_is_not_destroyed(running: Site, undisturbed: Site) -> None:
    protect(running)
    running.up()
    message, hint = refused(running, running.destroy)
    assert message == "the cluster is protected from deletion" + CLUSTER_AT
    assert "give ray-gke down --yes-delete-cluster, or set " in hint
    assert "cluster.deletion_protection: false in the platform file" in hint
    # Pools are destroyed before the cluster refuses.
    pools = of_types(undisturbed, POOL_TYPE)
    assert CLUSTER in running.there()
    assert running.known() == running.there().keys()
    running.up()
    assert running.there().keys() == undisturbed.there().keys()
    assert running.known() == running.there().keys()
    assert {f"{c.type} {c.id}" for c in running.cloud.calls("create", POOL_TYPE)} == (
        pools
    )


def protect(site: Site) -> None:
    text = PLATFORM.replace(", deletion_protection: false", "")
    (site.folder / "ray-gke.yaml").write_text(text)


USERS = {
    "google_compute_firewall projects/some-project/global/firewalls/k8s-fw-a1b2": (
        "firewall rules",
        "gcloud compute firewall-rules delete k8s-fw-a1b2 --project some-project",
    ),
    "google_compute_network_endpoint_group projects/some-project/zones/us-central1-a/"
    "networkEndpointGroups/k8s1-ddb447c6": (
        "load balancers",
        "network-endpoint-groups delete k8s1-ddb447c6 --zone us-central1-a --project ",
    ),
}


@pytest.mark.parametrize("user", USERS, ids=["firewall", "load balancer"])
def test_a_network_in_use_stays_until_its_user_is_gone(
    running: Site, user: str
) -> None:
    who, command = USERS[user]
    kind, identity = user.split()
    values = {"network": "demo", "project": "some-project"}
    running.cloud.put(kind, identity, values)
    message, hint = refused(running, running.destroy)
    assert message == (
        f"{NETWORK.split()[1]} is still used by {who}: {identity}{NETWORK_AT}"
    )
    assert command in hint
    assert hint.endswith("then run ray-gke down: it goes on from where it stopped")
    assert running.known() == running.there().keys() - {user}
    assert of_types(running, CLUSTER_TYPE, POOL_TYPE, NETWORK_TYPE) == {NETWORK}
    running.cloud.drift(kind, identity, None)
    running.destroy()
    assert running.there() == {}
    assert running.known() == set()


def test_a_destroy_without_a_network_goes_on(running: Site) -> None:
    error = failures.network_lost()
    running.cloud.refuse(CLUSTER_TYPE, error=error, operation="delete")
    message, _ = refused(running, running.destroy)
    assert message.endswith("container.googleapis.com was lost" + CLUSTER_AT)
    assert running.known() == running.there().keys() >= {CLUSTER, NETWORK}
    running.cloud.clear()
    running.destroy()
    assert running.there() == {}
    assert running.known() == set()


def test_down_refuses_a_protected_cluster(running: Site, undisturbed: Site) -> None:
    protect(running)
    message, hint = refused(running, lambda: take_down(running), code=4)
    assert message == "the cluster of the platform demo is protected from deletion"
    assert "--yes-delete-cluster deletes it" in hint
    is_as(running, undisturbed)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that does not answer is waited for."""
    monkeypatch.setattr(checks, "PATIENCE_SECONDS", 0.0)


def take_down(site: Site, *, delete_cluster: bool = False) -> None:
    stacks = site.stacks("ray-gke down")
    emit = site.events.append
    with pytest.MonkeyPatch.context() as patch, site.google(patch):
        down.delete(stacks, emit, lambda _: True, delete_cluster=delete_cluster)


@pytest.mark.usefixtures("impatient")
def test_down_of_a_cluster_that_does_not_answer_keeps_it(
    running: Site, undisturbed: Site
) -> None:
    """What it made outside could not be taken away any more."""
    message, _ = refused(running, lambda: take_down(running), code=4)
    assert "127.0.0.1:1" in message
    is_as(running, undisturbed)


@pytest.mark.usefixtures("impatient")
def test_down_of_a_cluster_that_somebody_deleted_takes_the_rest(
    running: Site,
) -> None:
    protect(running)
    running.up()
    delete_cluster(running)
    take_down(running, delete_cluster=True)
    assert running.there() == {}
    assert running.cloud.calls("create", CLUSTER_TYPE) == []
    assert not (running.folder / ".ray-gke").exists()
    with pytest.raises(UsageError, match="nothing of the platform demo is up"):
        take_down(running)
