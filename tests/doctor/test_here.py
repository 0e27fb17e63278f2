"""What is found on this machine: providers, and what the state has."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ray_gke.targets.gke.doctor import state
from ray_gke.targets.gke.doctor.here import reach
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.client import Google
from ray_gke.targets.terraform.programs import Program
from tests.doctor import world
from tests.doctor.world import Patient
from tests.google.apis import GoogleApis
from tests.terraform import program
from tests.terraform.bucket import Bucket

BUCKET = world.ZONES + "  state: {bucket: my-states, prefix: ray}\n"
CLUSTER = ("google_container_cluster", "projects/p/locations/l/clusters/demo")


VERSIONS = {"google": "7.45.0", "kubernetes": "3.2.1", "helm": "3.1.2"}
CHART = "https://ray-project.github.io/kuberay-helm/index.yaml"


def install(
    folder: Path, name: str, version: str, machine: str = "linux_amd64"
) -> None:
    provider = folder / "registry.terraform.io" / "hashicorp" / name / version
    (provider / machine).mkdir(parents=True)


def pack(folder: Path, name: str, version: str, machine: str = "linux_amd64") -> None:
    provider = folder / "registry.terraform.io" / "hashicorp" / name
    provider.mkdir(parents=True)
    (provider / f"terraform-provider-{name}_{version}_{machine}.zip").touch()


def mirrored(patient: Patient) -> Path:
    """Return the only folder from which providers are installed."""
    mirror = patient.folder / "mirror"
    configure(
        patient,
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n',
    )
    return mirror


def configure(patient: Patient, text: str) -> None:
    (patient.folder / "terraform.rc").write_text(text)


def test_providers_that_are_installed_need_no_network(patient: Patient) -> None:
    for stack, name in (
        ("platform", "google"),
        ("addons", "kubernetes"),
        ("addons", "helm"),
    ):
        folder = patient.copy.stack(stack) / ".terraform" / "providers"
        install(folder, name, VERSIONS[name])
    found = patient.find_one("terraform", "google")
    assert (found.status, patient.reached) == ("ok", [CHART])


def test_a_mirror_in_the_file_system_is_looked_into(patient: Patient) -> None:
    mirror = patient.folder / "mirror"
    for name, version in VERSIONS.items():
        install(mirror, name, version)
    configure(
        patient,
        "# provider_installation { direct {} }\nprovider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n'
        '    include = ["registry.terraform.io/*/*"]\n  }\n}\n',
    )
    assert patient.find_one("terraform", "helm").status == "ok"
    assert patient.reached == [CHART]


@pytest.mark.parametrize("lay", [install, pack])
@pytest.mark.parametrize(
    ("version", "machine", "status"),
    [
        ("7.42.0", "linux_arm64", "ok"),
        ("7.100.1", "linux_arm64", "ok"),
        ("7.41.9", "linux_arm64", "refused"),
        ("8.0.0", "linux_arm64", "refused"),
        ("7.45.0-beta1", "linux_arm64", "refused"),
        ("7.45.0", "linux_amd64", "refused"),
    ],
)
def test_a_provider_is_one_of_the_stacks_versions_for_this_machine(
    lay: Callable[..., None], version: str, machine: str, status: str, patient: Patient
) -> None:
    patient.find = lambda: Program(("terraform",), "1.11.4", "linux_arm64")
    lay(mirrored(patient), "google", version, machine)
    assert patient.find_one("terraform", "google").status == status


def test_gkes_own_operator_needs_no_chart(patient: Patient) -> None:
    world.write(patient.folder, world.ZONES + "  cluster: {ray_operator: true}\n")
    subjects = {one.subject for one in patient.examine().findings}
    assert ("helm" in subjects, "kuberay-operator" in subjects) == (True, False)
    assert CHART not in patient.reached


def test_a_mirror_in_the_network_is_asked_in_place_of_the_registry(
    patient: Patient,
) -> None:
    configure(
        patient,
        "provider_installation {\n"
        '  network_mirror { url = "https://mirror.example.com/p/" }\n}\n',
    )
    found = patient.find_one("terraform", "google")
    assert (found.status, found.subject) == ("ok", "google")
    assert sorted(patient.reached) == ["https://mirror.example.com/p/", CHART]
    patient.silent["mirror.example.com"] = "refused"
    assert patient.find_one("terraform", "google").status == "warning"


def test_opentofu_has_its_own_registry(patient: Patient) -> None:
    patient.find = lambda: Program(("/usr/bin/tofu",), "1.11.4")
    patient.examine()
    sites = {url.split("/")[2] for url in patient.reached} - {CHART.split("/")[2]}
    assert sites == {"registry.opentofu.org"}


def test_any_answer_tells_that_a_site_is_there() -> None:
    with GoogleApis() as server:
        assert reach(f"{server.url}/no-such-page") is None


def test_a_site_that_fails_or_is_not_there_is_told_with_its_reason() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert "refused" in str(reach(url))


def test_a_proxy_that_lets_nobody_through_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with GoogleApis() as server:
        monkeypatch.setenv("https_proxy", server.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert "Tunnel connection failed" in str(reach("https://registry.example.com/"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"resources": [{"mode": "managed"}]}']
)
def test_a_damaged_state_proves_nothing(text: str, patient: Patient) -> None:
    file = patient.copy.state("platform")
    file.parent.mkdir(parents=True)
    file.write_text(text)
    patient.google.put("networks", "global", {"name": "demo"})
    assert patient.find_one("names", "demo").status == "warning"


def test_what_the_state_has_is_not_taken_by_others(patient: Patient) -> None:
    patient.google.put("networks", "global", {"name": "demo"})
    patient.google.put("clusters", "us-central1", {"name": "demo"})
    patient.made(("google_compute_network", "projects/p/global/networks/demo"), CLUSTER)
    names = [one for one in patient.examine().findings if one.check == "names"]
    assert {one.status for one in names} == {"ok"}


def test_a_cluster_of_the_same_name_elsewhere_is_none_of_ours(patient: Patient) -> None:
    patient.google.put("clusters", "europe-west4", {"name": "demo"})
    assert patient.find_one("names", "cluster").status == "ok"


@pytest.fixture
def bucket(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Patient, Bucket]]:
    """A platform whose state is in a bucket, over Terraform itself."""
    try:
        terraform = str(program.terraform())
    except program.MissingProgram as missing:
        pytest.skip(str(missing))
    patient.find = lambda: Program((terraform,), "1.11.4")
    world.write(patient.folder, BUCKET)
    with Bucket("my-states") as found:
        for name, value in found.env().items():
            monkeypatch.setenv(name, value)
        yield patient, found


def test_the_state_in_a_bucket_says_what_is_ours(
    bucket: tuple[Patient, Bucket],
) -> None:
    patient, storage = bucket
    kind, identity = CLUSTER
    written = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 1,
        "lineage": "some",
        "outputs": {},
        "resources": [
            {
                "mode": "managed",
                "type": kind,
                "name": "this",
                "provider": 'provider["registry.terraform.io/hashicorp/google"]',
                "instances": [{"schema_version": 0, "attributes": {"id": identity}}],
            }
        ],
    }
    key = "ray/platform/default.tfstate"
    storage.put("my-states", key, json.dumps(written).encode())
    ours = state.read(patient.needs(), patient.copy, patient.find(), patient.stored)
    assert ours.resources == {(kind, "demo")}
    assert (ours.certain, ours.bucket) == (True, state.Bucket("ok"))
    assert not [line for line in storage.asked if not line.startswith("GET ")]


def test_a_bucket_without_a_state_is_one_of_a_new_platform(
    bucket: tuple[Patient, Bucket],
) -> None:
    patient, storage = bucket
    # Google refuses a name that another cluster has: of ours none is there for sure.
    patient.google.put("networks", "global", {"name": "demo"})
    found = patient.find_one("state", "gs://my-states/ray/platform")
    assert (found.status, found.message) == ("ok", "can be read")
    assert patient.find_one("names", "demo").status == "refused"
    assert storage.objects("my-states") == {}
    assert {line.split(" ")[0] for line in storage.asked} == {"GET"}


def test_a_bucket_in_which_nothing_can_be_written_is_refused(
    bucket: tuple[Patient, Bucket],
) -> None:
    patient, storage = bucket
    assert patient.find_one("state", "gs://my-states").status == "ok"
    storage.revoked |= {"storage.objects.create", "storage.objects.delete"}
    found = patient.find_one("state", "gs://my-states")
    assert found.status == "refused"
    assert found.message == (
        "to keep the state in gs://my-states, you lack storage.objects.create, "
        "storage.objects.delete"
    )
    assert found.repair == (
        "gcloud storage buckets add-iam-policy-binding gs://my-states "
        "--member MEMBER --role roles/storage.objectUser"
    )


def test_what_may_be_done_in_a_bucket_may_not_be_read(
    bucket: tuple[Patient, Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, _ = bucket
    # What there is of a state is read, but of permissions nothing is told.
    denied = Unread("denied", "Permission denied")
    monkeypatch.setattr(Google, "granted_on_bucket", lambda *_: denied)
    found = patient.find_one("state", "gs://my-states")
    assert found.status == "warning"
    assert "what you may do in the state's bucket may not be read" in found.message


def test_a_bucket_that_is_not_there_is_refused(bucket: tuple[Patient, Bucket]) -> None:
    patient, _ = bucket
    world.write(patient.folder, BUCKET.replace("my-states", "no-such-states"))
    found = patient.find_one("state", "gs://no-such-states/ray/platform")
    assert found.status == "refused"
    assert "does not exist" in found.message
    assert "gs://no-such-states" not in {f.subject for f in patient.examine().findings}
    assert "gcloud storage buckets create gs://no-such-states" in str(found.repair)


def test_a_bucket_that_is_not_to_be_read_now_proves_nothing(
    bucket: tuple[Patient, Bucket],
) -> None:
    patient, storage = bucket
    storage.refuse(400, "something unheard of")
    found = patient.find_one("state", "gs://my-states/ray/platform")
    assert found.status == "warning"
    assert "something unheard of" in found.message
    patient.google.put("networks", "global", {"name": "demo"})
    assert patient.find_one("names", "demo").status == "warning"
