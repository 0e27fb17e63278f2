"""`plan --out FILE` and `up --plan FILE`: what is agreed to is done, or nothing is.

On a Google Cloud that is a folder: what the clusters would be asked is in `tests/gke`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ray_gke import cli
from ray_gke.commands import on_gke
from ray_gke.commands.on_gke import Pending
from ray_gke.commands.saved_plans import Agreed
from ray_gke.errors import RefusedError
from ray_gke.events import Event, Note
from ray_gke.targets import saved_plan
from ray_gke.targets.gke import up
from ray_gke.targets.kubernetes.changes import Change, RunChanges
from ray_gke.targets.kubernetes.live import Wanted
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.saved_plan import Entry, SavedPlan
from ray_gke.targets.terraform.changes import Changes
from tests.gke_site import PLATFORM, Site
from tests.terraform import failures

SUBNET_TYPE = "google_compute_subnetwork"
POOL_TYPE = "google_container_node_pool"
CLUSTER_TYPE = "google_container_cluster"
CLUSTER = "module.cluster.google_container_cluster.this"
HINT = "plan again with ray-gke plan --out FILE, and look at what it says now"

Answer = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Run a command here; return its exit code and all that it said to people."""

    def command(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["ray-gke", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.err

    return command


@pytest.fixture(scope="module")
def brought_up(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site.new(tmp_path_factory.mktemp("up") / "site")
    with pytest.MonkeyPatch.context() as patch:
        site.enter(patch)
        site.up()
    return site


@pytest.fixture
def new(brought_up: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A platform that was never brought up."""
    site = brought_up.copy_of_nothing(tmp_path / "site")
    shutil.rmtree(site.folder / ".ray-gke")
    site.enter(monkeypatch)
    return site


@pytest.fixture
def there(brought_up: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A platform that is up, but for what is in its cluster: nobody looks there."""
    site = brought_up.copy(tmp_path / "site")
    site.enter(monkeypatch)
    leave_out_clusters(monkeypatch)
    return site


def leave_out_clusters(patch: pytest.MonkeyPatch) -> None:
    def look(_: Any, __: Any, cloud: Changes, ___: Any, **____: Any) -> Pending:
        return Pending(cloud, Changes(), ())

    patch.setattr(on_gke, "look", look)


def write(site: Site, old: str, new: str) -> None:
    text = PLATFORM.replace(old, new)
    assert text != PLATFORM
    (site.folder / "ray-gke.yaml").write_text(text)


def changed(site: Site) -> int:
    """Return how often the cloud was asked for anything but to be looked at."""
    return len([call for call in site.cloud.calls() if call.operation != "read"])


def carry_out(site: Site, saved: SavedPlan) -> None:
    """Do what is saved as `up` does, without the cluster's part."""
    whole = site.whole()
    stacks, emit = whole.stacks("ray-gke up"), site.events.append
    saved.check_place("demo", "gke")
    platform = stacks.platform(whole.variables("platform"))
    planned = up.plan(stacks, platform, emit, lambda _: True)
    Agreed(saved, whole, whole.selected, stacks, emit).platform(planned.changes)
    up.make(stacks, platform, planned, emit)


def test_a_platform_that_was_never_up_is_planned_and_carried_out_elsewhere(
    new: Site, run: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("plan", "--out", "plan.json", "--detailed-exitcode")[0] == 5
    text = (new.folder / "plan.json").read_text()
    assert "some-token" not in text
    assert str(tmp_path) not in text
    saved = json.loads(text)
    assert {one["action"] for one in saved["changes"]} == {"create"}
    assert {one["part"] for one in saved["changes"]} == {"platform"}
    assert set(saved["asked"]) == {
        "stack platform",
        "stack addons",
        "run squares",
        "run shared",
    }
    assert saved["whole"] is False
    assert new.cloud.calls() == []

    other = Site(tmp_path / "other-machine", new.cloud)
    other.folder.mkdir()
    shutil.copytree(new.folder / "catalog", other.folder / "catalog")
    for name in ("ray-gke.yaml", "plan.json"):
        shutil.copy(new.folder / name, other.folder)
    monkeypatch.chdir(other.folder)
    assert run("plan", "--out", "again.json")[0] == 0
    assert (other.folder / "again.json").read_text() == text
    carry_out(other, saved_plan.read(other.folder / "plan.json"))
    made = {f"{call.type}" for call in other.cloud.calls("create")}
    assert CLUSTER_TYPE in made
    assert len(other.there()) == len(saved["changes"])


def test_files_that_ask_for_something_else_are_refused_before_anything_is_done(
    new: Site, run: Answer
) -> None:
    assert run("plan", "--out", "plan.json")[0] == 0
    shared = new.folder / "catalog" / "shared" / "blueprint.yaml"
    shared.write_text(shared.read_text().replace("max_replicas: 4", "max_replicas: 9"))
    code, said = run("up", "--plan", "plan.json")
    assert code == 4
    assert said.splitlines()[-4:] == [
        "error: the saved plan is stale: the files ask for something else",
        "  stack platform",
        "  run shared",
        f"  hint: {HINT}",
    ]
    assert new.cloud.calls() == []


def test_something_that_came_meanwhile_makes_the_plan_stale(
    new: Site, run: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_clusters(monkeypatch)
    assert run("plan", "--out", "plan.json")[0] == 0
    new.up()
    calls = changed(new)
    code, said = run("up", "--plan", "plan.json")
    assert code == 4
    assert "the saved plan is stale: the world has changed" in said
    assert "only in the saved plan: create google_project_service.this" in said
    assert f"and {len(new.there()) - 5} more" in said
    assert changed(new) == calls


LABELS = ("  zones:", "  labels: {cost-center: '1'}\n  zones:")


@pytest.mark.parametrize(
    ("drift", "told"),
    [
        pytest.param(
            (POOL_TYPE, "system", None),
            "different: update module.cluster.google_container_node_pool.system in "
            "the saved plan, create now",
            id="lost",
        ),
        pytest.param(
            (CLUSTER_TYPE, "demo", {"resource_labels": {"by": "ann"}}),
            f"different: update {CLUSTER}, with other values",
            id="changed what would be changed",
        ),
        pytest.param(
            (SUBNET_TYPE, "demo", {"private_ip_google_access": False}),
            "only now: update module.network.google_compute_subnetwork.this[0]",
            id="changed something else",
        ),
    ],
)
def test_drift_between_plan_and_up_is_refused(
    there: Site, run: Answer, drift: tuple[str, str, Any], told: str
) -> None:
    write(there, *LABELS)
    assert run("plan", "--out", "plan.json")[0] == 0
    there.cloud.drift(*drift)
    code, said = run("up", "--plan", "plan.json")
    assert code == 4, said
    assert f"\n  {told}\n" in said
    assert said.endswith(f"  hint: {HINT}\n")
    assert changed(there) == 0
    # What is looked at again is agreed to again.
    assert run("plan", "--out", "plan.json")[0] == 0
    carry_out(there, saved_plan.read(there.folder / "plan.json"))
    assert changed(there) > 0
    assert there.plan().todo == ()


def test_what_the_plan_ends_is_ended_without_a_question(
    there: Site, run: Answer
) -> None:
    write(there, "    - {blueprint: shared}\n", "")
    assert run("plan", "--out", "plan.json")[0] == 0
    saved = saved_plan.read(there.folder / "plan.json")
    assert "delete" in {entry.action for entry in saved.entries}
    carry_out(there, saved)
    assert [call.outcome for call in there.cloud.calls("delete", POOL_TYPE)] == ["done"]


def test_a_plan_of_nothing_is_a_plan(there: Site, run: Answer) -> None:
    assert run("plan", "--out", "plan.json", "--detailed-exitcode")[0] == 0
    assert saved_plan.read(there.folder / "plan.json").entries == ()


def test_numbers_that_google_changes_by_itself_make_nothing_stale(
    there: Site, run: Answer
) -> None:
    write(there, *LABELS)
    assert run("plan", "--out", "plan.json")[0] == 0
    before = (there.folder / "plan.json").read_text()
    there.cloud.drift(CLUSTER_TYPE, "demo", {"master_version": "1.99.0-gke.1"})
    assert run("plan", "--out", "plan.json")[0] == 0
    assert (there.folder / "plan.json").read_text() == before


def test_what_is_done_again_for_a_new_api_is_a_rest_of_the_plan(
    new: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes what was made while Google gets to know of an API."""
    monkeypatch.setattr(up, "_API_SECONDS", 0)
    error = failures.api_disabled()
    new.cloud.refuse(CLUSTER_TYPE, error=error, operation="create", times=1)

    def hears(event: Event) -> None:
        if isinstance(event, Note) and "does not know everywhere" in event.text:
            values = {"private_ip_google_access": False}
            new.cloud.drift(SUBNET_TYPE, "demo", values)

    subnet = (
        r"this was not planned before: update module\.network\.google_compute_subnet"
    )
    with pytest.raises(RefusedError, match=subnet):
        new.up(emit=hears)
    assert new.cloud.objects(CLUSTER_TYPE) == []


# What follows needs no cloud.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a platform, and a plan of it in `plan.json`."""
    text = PLATFORM.replace("  catalogs: [{path: catalog}]\n", "")
    platform = text.replace("    - {blueprint: shared}\n", "")
    (tmp_path / "ray-gke.yaml").write_text(platform)
    (tmp_path / "plan.json").write_text(SavedPlan("demo", "gke", {}, ()).text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edited(**changes: object) -> str:
    saved = json.loads(SavedPlan("demo", "gke", {}, ()).text())
    return json.dumps({**saved, **changes})


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        pytest.param(
            "plan", 3, "plan.json: no saved plan: not JSON, or not ", id="text"
        ),
        pytest.param(
            edited()[:-20],
            3,
            "plan.json: no saved plan: not JSON, or not all ",
            id="cut",
        ),
        pytest.param("\xff", 3, "plan.json: no saved plan: not JSON", id="binary"),
        pytest.param(
            "[" * 100_000,
            3,
            "plan.json: no saved plan: it is nested too deeply\n",
            id="nested",
        ),
        pytest.param(
            '{"kind": "Plan"}',
            3,
            "plan.json: no saved plan: not a plan that ray-gke plan --out wrote",
            id="what plan prints",
        ),
        pytest.param(
            edited(changes=[{"part": "runs"}]),
            3,
            "plan.json: no saved plan: changes.0.thing: Field required",
            id="incomplete",
        ),
        pytest.param(
            edited(format=2),
            4,
            "plan.json was saved with format 2, and this is format 1",
            id="another format",
        ),
        pytest.param(
            edited(ray_gke="9.9.9"),
            4,
            "plan.json was saved with ray-gke 9.9.9, and this is ray-gke 0.1.0",
            id="another ray-gke",
        ),
        pytest.param(
            edited(platform="other"),
            4,
            "the saved plan is of the platform other, and this is demo",
            id="another platform",
        ),
        pytest.param(
            edited(target="kubernetes"),
            4,
            "the saved plan is of the target kubernetes, and this is gke",
            id="another target",
        ),
    ],
)
def test_files_that_cannot_be_carried_out(
    folder: Path, run: Answer, text: str, code: int, told: str
) -> None:
    (folder / "plan.json").write_bytes(text.encode("latin-1"))
    ended, said = run("up", "--plan", "plan.json")
    assert ended == code
    assert said.startswith(f"error: {told}")
    assert "\n  hint: " in said


def test_a_file_that_is_not_there(folder: Path, run: Answer) -> None:
    code, said = run("up", "--plan", "elsewhere.json")
    assert code == 2
    assert "'elsewhere.json' does not exist" in said


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("squares",), "BLUEPRINT"),
        (("squares", "--set", "count=3"), "BLUEPRINT, --set"),
        (("--name", "other"), "--name"),
        (("-n", "other"), "--namespace"),
    ],
)
@pytest.mark.parametrize("command", [("up", "--plan"), ("plan", "--out")])
def test_a_saved_plan_is_that_of_a_whole_platform(
    folder: Path,
    run: Answer,
    command: tuple[str, str],
    arguments: tuple[str, ...],
    named: str,
) -> None:
    if command == ("plan", "--out") and named == "--namespace":
        arguments = (*arguments, "--on", "kubernetes")
    code, said = run(*command, "plan.json", *arguments)
    assert code == 2
    assert f"it does not go with {named}\n" in said


def test_a_saved_plan_runs_no_jobs_again(folder: Path, run: Answer) -> None:
    code, said = run("up", "--plan", "plan.json", "--rerun")
    assert code == 2
    assert "it does not go with --rerun" in said


@pytest.mark.parametrize("arguments", [("--on", "local"), ("--on", "kubernetes")])
def test_a_plan_of_gke_is_not_carried_out_elsewhere(
    folder: Path, run: Answer, arguments: tuple[str, ...]
) -> None:
    code, said = run("up", "--plan", "plan.json", *arguments)
    assert code == 4
    assert f"is of the target gke, and this is {arguments[1]}\n" in said


def test_without_a_platform_there_is_nothing_to_save(folder: Path, run: Answer) -> None:
    (folder / "ray-gke.yaml").unlink()
    code, said = run("plan", "--out", "plan.json")
    assert code == 2
    assert "no BLUEPRINT given" in said or "--out saves the plan of a platform" in said


def test_a_comparison_needs_a_summary(folder: Path, run: Answer) -> None:
    code, said = run("plan", "--compare-to", "plan.json")
    assert code == 2
    assert "add --markdown FILE" in said


@pytest.mark.parametrize(
    "text",
    ["nonsense", "[" * 100_000, '{"kind": "Plan"}'],
    ids=["text", "nested", "of another version"],
)
def test_what_is_no_plan_is_told_before_anybody_is_asked(
    folder: Path, run: Answer, text: str
) -> None:
    (folder / "base.json").write_text(text)
    summary = ("--markdown", "summary.md", "--compare-to", "base.json")
    code, said = run("plan", "--out", "new.json", *summary)
    assert code == 3
    assert said.startswith("error: base.json: no plan to compare with: ")
    assert not (folder / "summary.md").exists()


@pytest.mark.parametrize("option", ["--html", "--markdown"])
def test_a_cluster_that_is_there_has_no_page(
    folder: Path, run: Answer, option: str
) -> None:
    code, said = run("plan", "--on", "kubernetes", option, "page")
    assert code == 2
    assert "about a plan for GKE" in said


# The objects of runs, in a cluster.


def manifest(kind: str = "RayCluster", **spec: object) -> dict[str, Any]:
    metadata = {"name": "demo", "namespace": "ml"}
    return {"apiVersion": "ray.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def found(change: Change, *objects: dict[str, Any]) -> list[RunChanges]:
    unused: Any = None
    return [RunChanges(Wanted(unused, "ml", objects), (change,), None, ())]


REF = Ref("RayCluster", "ml", "demo")
HERE = {"metadata": {"uid": "1"}, "spec": {"replicas": 1}}
CHANGE = Change(REF, "change", ("spec.image",), wanted=manifest(), before=HERE)
RUN = found(CHANGE, manifest(image="a"))


def test_the_same_change_of_an_object_is_the_same() -> None:
    saved = SavedPlan("demo", "gke", {}, tuple(saved_plan.of_runs(RUN)))
    # Ray's autoscaler writes numbers of workers at any time.
    scaled = {"metadata": {"uid": "1"}, "spec": {"replicas": 7}}
    later = replace(CHANGE, before=scaled, wanted=manifest(replicas=7))
    saved.check_runs(found(later, manifest(image="a")))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (found(CHANGE, manifest(image="b")), "with other values"),
        (found(replace(CHANGE, fields=()), manifest(image="a")), "with other values"),
        (
            found(
                replace(CHANGE, before={"metadata": {"uid": "2"}}), manifest(image="a")
            ),
            "with other values",
        ),
        (
            found(replace(CHANGE, action="replace"), manifest(image="a")),
            "demo in namespace ml in the saved plan, replace now",
        ),
        (
            found(replace(CHANGE, action="unchanged"), manifest(image="a")),
            "only in the saved plan: change RayCluster/demo in namespace ml",
        ),
        (
            [*RUN, *found(Change(Ref("Secret", "ml", "x"), "create"))],
            "only now: create Secret/x in namespace ml",
        ),
    ],
)
def test_another_change_of_an_object_is_refused(
    now: list[RunChanges], told: str
) -> None:
    saved = SavedPlan("demo", "gke", {}, tuple(saved_plan.of_runs(RUN)))
    with pytest.raises(RefusedError, match=r"stale: the world has changed") as refused:
        saved.check_runs(now)
    assert told in refused.value.problems[0].message


def test_namespaces_are_made_before() -> None:
    space = Change(Ref("Namespace", "", "ml"), "create")
    assert list(saved_plan.of_runs(found(space))) == []


def test_in_a_new_cluster_everything_is_created() -> None:
    saved = SavedPlan("demo", "gke", {}, (), whole=False)
    saved.check_new(saved_plan.of_runs(found(Change(REF, "create"))))
    with pytest.raises(RefusedError) as refused:
        saved.check_new(saved_plan.of_runs(RUN))
    assert refused.value.problems[0].message.splitlines() == [
        "the saved plan is stale: something is in the new cluster already",
        "only now: change RayCluster/demo in namespace ml",
    ]


def test_a_plan_is_read_as_it_was_saved(tmp_path: Path) -> None:
    entries = (
        Entry("platform", "a.b", "create", "1"),
        Entry("runs", "x", "prune", "2"),
    )
    saved = SavedPlan("demo", "gke", {"run x": "3"}, entries, whole=False)
    (tmp_path / "plan.json").write_text(saved.text())
    assert saved_plan.read(tmp_path / "plan.json") == saved
