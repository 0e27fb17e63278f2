"""`ray-gke images check`: for each check a world in which it passes, one in which it
fails, and one in which it may not be read.

Google's APIs answer on loopback, for Google's own clients; so does a registry.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.catalog.networks import ExistingNetwork
from ray_gke.errors import RefusedError
from ray_gke.gke.image_names import ImageName, parse
from ray_gke.gke.image_registry import ImageRegistry
from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.gke.images.facts import Asked
from ray_gke.targets.gke.images.places import Place, place
from ray_gke.targets.gke.images.streaming import Streaming
from ray_gke.targets.google.client import Google
from ray_gke.targets.registry.connections import Answer
from ray_gke.targets.registry.manifests import Manifest
from ray_gke.testing import RayGke
from tests.google.apis import GoogleApis
from tests.loopback_server import LoopbackServer

Object = dict[str, Any]

PROJECT = "my-project-1"
HERE = f"europe-west4-docker.pkg.dev/{PROJECT}"
RAY = "rayproject/ray:2.60.0"
PULLED = f"{HERE}/prod-docker-hub/{RAY}"
COPIED = f"{HERE}/prod-images/{RAY}"
ACCOUNT = f"prod-nodes@{PROJECT}.iam.gserviceaccount.com"
API = "containerfilesystem.googleapis.com"
CONSUMER = "roles/serviceusage.serviceUsageConsumer"
READER = "roles/artifactregistry.reader"
OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker.distribution.manifest"
GZIP = f"{OCI}.layer.v1.tar+gzip"
CONFIG = b"{}"
# What `head -c 1024 /dev/zero | sha256sum` says, and the same of 10240 bytes.
EMPTY = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
EMPTY_OF_GNU_TAR = (
    "sha256:84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652"
)


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def layer(name: str, size: int, kind: str = GZIP) -> Object:
    return {"mediaType": kind, "digest": digest(name.encode()), "size": size}


# 1 kB of configuration and 1,500 MB of layers: 60 s at 25 MB/s.
LAYERS = [layer("one", 999_999_000), layer("two", 500_000_000)]


def diff_id(of: Object) -> str:
    """Return the digest of a layer unpacked."""
    return digest(f"unpacked {of['digest']}".encode())


def image(layers: list[Object]) -> bytes:
    config = {
        "mediaType": f"{OCI}.config.v1+json",
        "digest": digest(CONFIG),
        "size": 1000,
    }
    kind = f"{OCI}.manifest.v1+json"
    said = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}
    return json.dumps(said).encode()


def index(of_amd64: bytes) -> bytes:
    def entry(body: bytes, architecture: str) -> Object:
        return {
            "mediaType": f"{OCI}.manifest.v1+json",
            "digest": digest(body),
            "size": len(body),
            "platform": {"os": "linux", "architecture": architecture},
        }

    listed = [entry(b"of another machine", "arm64"), entry(of_amd64, "amd64")]
    kind = f"{OCI}.index.v1+json"
    said = {"schemaVersion": 2, "mediaType": kind, "manifests": listed}
    return json.dumps(said).encode()


ONE = LAYERS[0]["digest"]
SCHEMA_1 = json.dumps({"schemaVersion": 1, "fsLayers": []}).encode()


class Registries:
    """Has some images under their names, and refuses the rest of some hosts.

    `empty` has the `diff_ids` of some layers, by their digests.
    """

    def __init__(
        self,
        images: Mapping[str, bytes],
        refused: str = "nowhere",
        empty: Mapping[str, str] | None = None,
    ) -> None:
        self.images = images
        self.refused = refused
        self.empty = empty or {}

    def manifest(self, name: ImageName) -> Manifest | None:
        if name.host == self.refused or self.images.get(str(name)) == SCHEMA_1:
            raise RefusedError(f"{name} may not be read")
        body = self.images.get(str(name))
        if body is None:
            return None
        return Manifest(json.loads(body)["mediaType"], digest(body), body)

    def config(self, name: ImageName, manifest: Manifest) -> Object:
        assert name.host != self.refused
        layers = manifest.parsed["layers"]
        found = [self.empty.get(one["digest"], diff_id(one)) for one in layers]
        return {"rootfs": {"type": "layers", "diff_ids": found}}

    def ask(
        self, method: str, name: ImageName, path: str, *, headers: Mapping[str, str]
    ) -> Answer:
        assert (method, path) == ("GET", f"manifests/{name.version}")
        assert f"{DOCKER}.v1+prettyjws" in headers["Accept"]
        body = self.images.get(str(name))
        if name.host == self.refused or body is None:
            return Answer(HTTPStatus.FORBIDDEN, "", {})
        return Answer(HTTPStatus.OK, "", {}, body)


@dataclass
class World:
    """A platform called prod that is up, with one image; a test takes parts away."""

    google: GoogleApis
    asked: Asked

    def repository(self, name: str, **values: Any) -> None:
        plain = {"name": name, "format": "DOCKER", "mode": "STANDARD_REPOSITORY"}
        place = values.pop("place", "europe-west4")
        project = values.pop("project", PROJECT)
        self.google.put("repositories", place, plain | values, project)

    def streaming(
        self,
        pulled: str = PULLED,
        original: str = RAY,
        registries: Registries | None = None,
    ) -> Streaming:
        registries = registries or Registries({pulled: image(LAYERS)})
        asked = replace(self.asked, images={pulled: original}, registries=registries)
        (found,) = asked.streaming()
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with GoogleApis(project=PROJECT) as google:
        for name, value in google.env().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "some-token")
        google.bind(CONSUMER, f"serviceAccount:{ACCOUNT}")
        asked = Asked(
            ImageRegistry("pull-through", "europe-west4", PROJECT, "prod"),
            ACCOUNT,
            {},
            None,
            functools.partial(Google, Credentials.default()),
            Registries({}),
        )
        found = World(google, asked)
        found.repository("prod-images")
        found.repository("prod-docker-hub", mode="REMOTE_REPOSITORY")
        yield found


def why(found: Streaming) -> str:
    """The only finding that is no note, with what repairs it."""
    (one,) = (one for one in found.findings if one.state == found.streams)
    return f"{one.text}; {one.hint}"


def test_an_image_that_streams(world: World) -> None:
    found = world.streaming()
    assert found == Streaming(PULLED, RAY, "yes", (), PULLED, 1_500_000_000, 60.0)
    copy = world.streaming(COPIED)
    assert (copy.streams, copy.findings) == ("yes", ())


def test_the_image_of_an_index_is_that_of_the_nodes(world: World) -> None:
    child = image(LAYERS)
    by_digest = PULLED.replace(":2.60.0", f"@{digest(child)}")
    registries = Registries({PULLED: index(child), by_digest: child})
    found = world.streaming(registries=registries)
    assert (found.streams, found.compressed_bytes) == ("yes", 1_500_000_000)


def test_the_api_of_image_streaming(world: World) -> None:
    world.google.turn_off(API)
    found = world.streaming()
    assert found.streams == "no"
    assert why(found) == (
        f"{API} is off in {PROJECT}; gcloud services enable {API} --project {PROJECT}"
    )


def test_an_api_that_may_not_be_read(world: World) -> None:
    world.google.deny("* /v1/projects/*/services*")
    found = world.streaming()
    assert found.streams == "unknown"
    assert why(found).startswith(f"whether {API} is on may not be read: ")


def test_the_role_without_which_nobody_is_told(world: World) -> None:
    world.google.state.bindings.clear()
    found = world.streaming()
    assert found.streams == "no"
    assert why(found) == (
        f"{ACCOUNT} has not {CONSUMER} in {PROJECT}; gcloud projects "
        f"add-iam-policy-binding {PROJECT} --member serviceAccount:{ACCOUNT} "
        f"--role {CONSUMER}"
    )


def test_roles_that_may_not_be_read(world: World) -> None:
    world.google.deny("* /v3/projects/*:getIamPolicy")
    found = world.streaming()
    assert found.streams == "unknown"
    assert why(found).startswith("the roles of the nodes' account may not be read: ")


def test_what_a_role_of_ones_own_allows_is_not_known(world: World) -> None:
    world.google.state.bindings.clear()
    member = f"serviceAccount:{ACCOUNT}"
    world.google.bind(f"projects/{PROJECT}/roles/nodes", member)
    assert world.streaming().streams == "unknown"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ({"mode": "VIRTUAL_REPOSITORY"}, "prod-images is VIRTUAL_REPOSITORY"),
        ({"format": "MAVEN"}, "prod-images is of format MAVEN, not DOCKER"),
    ],
)
def test_kinds_of_repositories_that_do_not_stream(
    world: World, kind: Object, text: str
) -> None:
    world.repository("prod-images", **kind)
    found = world.streaming(COPIED)
    assert found.streams == "no"
    assert why(found).startswith(f"the repository {text}")


def test_repositories_that_may_not_be_read(world: World) -> None:
    world.google.deny("GET /v1/projects/*/repositories")
    found = world.streaming()
    assert found.streams == "unknown"
    assert why(found).startswith(f"the repositories of {PROJECT} may not be read: ")


def test_before_up_it_is_judged_by_the_original(world: World) -> None:
    """What `up` makes is not missing: repository, API, roles."""
    world.google.turn_off(API)
    world.google.state.bindings.clear()
    pulled = f"{HERE}/prod-quay-io/kuberay/operator:v1.7.0"
    original = "quay.io/kuberay/operator:v1.7.0"
    registries = Registries({original: image(LAYERS)}, "europe-west4-docker.pkg.dev")
    found = world.streaming(pulled, original, registries)
    assert (found.streams, found.read) == ("yes", original)
    assert found.compressed_bytes == 1_500_000_000
    made, read = (one.text for one in found.findings)
    assert made == (
        f"ray-gke up makes the repository prod-quay-io, turns on {API} and lets the "
        "nodes read"
    )
    assert read == f"size and layers are those of {original}"


def test_a_repository_that_up_does_not_make(world: World) -> None:
    pulled = f"{HERE}/prod-canary-images/a:1"
    found = world.streaming(pulled, pulled)
    assert found.streams == "no"
    assert why(found).startswith(f"{PROJECT} has no repository prod-canary-images in ")


def test_a_copy_that_was_not_made(world: World) -> None:
    registries = Registries({f"docker.io/{RAY}": image(LAYERS)})
    found = world.streaming(COPIED, f"docker.io/{RAY}", registries)
    assert (found.streams, found.read) == ("no", f"docker.io/{RAY}")
    assert why(found) == f"{COPIED} is not there; ray-gke images mirror copies it"


def test_what_a_pull_through_repository_does_not_give(world: World) -> None:
    registries = Registries({f"docker.io/{RAY}": image(LAYERS)})
    found = world.streaming(PULLED, f"docker.io/{RAY}", registries)
    assert (found.streams, found.read) == ("unknown", f"docker.io/{RAY}")
    assert why(found).startswith(f"{PULLED} is not there yet, though its original is")


@pytest.mark.parametrize(
    ("name", "where"),
    [
        (PULLED, Place(PROJECT, "europe-west4", "prod-docker-hub")),
        ("us-docker.pkg.dev/p/r/a/b/c:1", Place("p", "us", "r")),
        (
            "us-docker.pkg.dev/example.com/p/r/a:1",
            Place("example.com:p", "us", "r"),
        ),
        ("gcr.io/p/a:1", Place("p", "us", "gcr.io")),
        ("eu.gcr.io/p/a/b:1", Place("p", "europe", "eu.gcr.io")),
        ("mirror.gcr.io/library/python:3.11", None),
        (RAY, None),
    ],
)
def test_where_in_artifact_registry_an_image_is(name: str, where: Place | None) -> None:
    assert place(parse(name)) == where


def test_googles_own_registries_tell_nobody_their_place(world: World) -> None:
    other = "gke.gcr.io/some/image:1"
    found = world.streaming(other, other)
    assert found.streams == "unknown"
    assert "gke.gcr.io is one of Google's own" in why(found)


def test_a_place_that_is_not_that_of_the_nodes(world: World) -> None:
    world.repository("ours", place="us")
    world.google.bind(READER, f"serviceAccount:{ACCOUNT}")
    pulled = f"us-docker.pkg.dev/{PROJECT}/ours/a:1"
    found = world.streaming(pulled, pulled)
    assert found.streams == "yes"
    (warning,) = found.findings
    assert warning.state == "warning"
    assert "is in us and the nodes are in europe-west4" in warning.text


def test_the_multi_region_around_the_nodes(world: World) -> None:
    world.repository("ours", place="europe")
    world.google.bind(READER, f"serviceAccount:{ACCOUNT}")
    pulled = f"europe-docker.pkg.dev/{PROJECT}/ours/a:1"
    found = world.streaming(pulled, pulled)
    assert (found.streams, found.findings) == ("yes", ())


def test_who_reads_a_repository_of_somebody_elses_is_not_read(world: World) -> None:
    world.repository("ours")
    pulled = f"{HERE}/ours/a:1"
    found = world.streaming(pulled, pulled)
    assert found.streams == "unknown"
    assert why(found).startswith(
        f"{ACCOUNT} has not {READER} in {PROJECT}; whether it has it on ours is not "
    )


@pytest.mark.parametrize("tag", [":1", ""])
def test_a_registry_that_is_not_googles(world: World, tag: str) -> None:
    other = f"registry.example.com/team/app{tag}"
    registries = Registries({f"{other}{'' if tag else ':latest'}": image(LAYERS)})
    found = world.streaming(other, other, registries)
    assert len(found.findings) == 1
    assert found.streams == "no"
    assert "registry.example.com is not Artifact Registry" in why(found)
    assert found.compressed_bytes == 1_500_000_000


@pytest.mark.parametrize("unpacked", [EMPTY, EMPTY_OF_GNU_TAR])
@pytest.mark.parametrize(
    ("kind", "size"),
    [("tar", 1024), ("tar+gzip", 32), ("tar+gzip", 45), ("tar+zstd", 17)],
)
def test_an_empty_layer_is_downloaded(
    world: World, unpacked: str, kind: str, size: int
) -> None:
    nothing = layer("nothing", size, f"{OCI}.layer.v1.{kind}")
    images = {PULLED: image([LAYERS[0], nothing, LAYERS[1]])}
    registries = Registries(images, empty={nothing["digest"]: unpacked})
    found = world.streaming(registries=registries)
    assert found.streams == "no"
    assert why(found).startswith(
        f"it has empty layers, so nodes download it: {nothing['digest']}; "
    )


def test_a_layer_that_is_there_twice_is_downloaded(world: World) -> None:
    images = {PULLED: image([*LAYERS, LAYERS[0]])}
    found = world.streaming(registries=Registries(images))
    assert found.streams == "no"
    assert why(found).startswith(
        f"it has layers that are there twice, so nodes download it: {ONE}; "
    )


def test_a_configuration_that_may_not_be_read(world: World) -> None:
    class Closed(Registries):
        def config(self, name: ImageName, manifest: Manifest) -> Object:
            raise RefusedError(f"{name}: no configuration of {manifest.digest}")

    found = world.streaming(registries=Closed({PULLED: image(LAYERS)}))
    assert (found.streams, found.compressed_bytes) == ("unknown", 1_500_000_000)
    assert why(found).startswith("whether it has empty layers may not be read: ")


def test_a_small_layer_is_not_an_empty_one(world: World) -> None:
    layers = [*LAYERS, layer("small", 32, f"{OCI}.layer.v1.tar+zstd"), layer("s", 33)]
    found = world.streaming(registries=Registries({PULLED: image(layers)}))
    assert found.streams == "yes"


def test_a_manifest_of_schema_1(world: World) -> None:
    found = world.streaming(registries=Registries({PULLED: SCHEMA_1}))
    assert (found.streams, found.compressed_bytes) == ("no", None)
    assert why(found).startswith("its manifest is of version 2, schema 1; ")


def test_a_manifest_that_may_not_be_read(world: World) -> None:
    registries = Registries({}, "europe-west4-docker.pkg.dev")
    found = world.streaming(PULLED, PULLED, registries)
    assert (found.streams, found.pull_seconds) == ("unknown", None)
    assert why(found) == f"its manifest may not be read: {PULLED} may not be read; "


def existing(world: World) -> World:
    given = ExistingNetwork(
        network="shared",
        subnetwork="ray",
        pods_range_name="pods",
        services_range_name="services",
    )
    return replace(world, asked=replace(world.asked, existing=given))


@pytest.mark.parametrize(("access", "streams"), [(True, "yes"), (False, "no")])
def test_private_google_access_of_a_network_that_was_there(
    world: World, access: bool, streams: str
) -> None:
    world.google.put(
        "subnetworks",
        "europe-west4",
        {
            "name": "ray",
            "network": f"projects/{PROJECT}/global/networks/shared",
            "ipCidrRange": "10.0.0.0/20",
            "privateIpGoogleAccess": access,
        },
    )
    assert existing(world).streaming().streams == streams


def test_a_subnetwork_that_is_not_there(world: World) -> None:
    found = existing(world).streaming()
    assert found.streams == "unknown"
    assert "there is no subnetwork ray" in why(found)


def test_with_nothing_to_be_read_there_is_no_answer(world: World) -> None:
    world.google.deny("*")
    registries = Registries({}, "europe-west4-docker.pkg.dev")
    with pytest.raises(RefusedError) as caught:
        world.streaming(PULLED, PULLED, registries)
    assert caught.value.exit_code == 4
    assert "nothing may be read" in str(caught.value)


class _Handler(http.server.BaseHTTPRequestHandler):
    """A registry with one image under whatever name."""

    def do_GET(self) -> None:
        body = CONFIG if "/blobs/" in self.path else image(LAYERS)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{OCI}.manifest.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: demo, summary: A GPU of a small machine}
spec:
  ray: {version: 2.60.0, image: HOST/team/ray:2.60.0}
  worker_groups:
    - {name: gpu, cpu: 1, memory: 2Gi, machine_type: g2-standard-4,
       gpu: {accelerator: nvidia-l4}}
  cluster: {}
"""


@pytest.fixture
def platform(world: World, tmp_path: Path, ray_gke: RayGke) -> Iterator[Path]:
    """A platform of which no image is at Google's, with logs and KubeRay by GKE."""
    ray_gke.env.update(world.google.env(), GOOGLE_OAUTH_ACCESS_TOKEN="some-token")
    with LoopbackServer(_Handler) as registry:
        host = registry.url.removeprefix("http://")
        folder = tmp_path / "platform"
        (folder / "catalog" / "demo").mkdir(parents=True)
        blueprint = folder / "catalog" / "demo" / "blueprint.yaml"
        blueprint.write_text(BLUEPRINT.replace("HOST", host))
        spec = {
            "target": "gke",
            "project": PROJECT,
            "region": "europe-west4",
            "zones": ["europe-west4-b"],
            "cluster": {"ray_operator": True},
            "logs": {"mode": "gke"},
            "state": {"bucket": "our-state"},
            "image_registry": {"preload": True},
            "catalogs": [{"path": "catalog"}],
            "blueprints": [{"blueprint": "demo"}],
        }
        head = {"apiVersion": "ray-gke/v1", "kind": "Platform"}
        document = head | {"metadata": {"name": "prod"}, "spec": spec}
        (folder / "ray-gke.yaml").write_text(yaml.safe_dump(document))
        yield folder


def test_the_command_for_programs(platform: Path, ray_gke: RayGke) -> None:
    answer = json.loads(ray_gke("images", "check", "-o", "json", cwd=platform).stdout)
    (one,) = answer["images"]
    assert one["image"] == one["original"] == one["read"]
    assert one["image"].endswith("/team/ray:2.60.0")
    assert (one["streams"], one["compressed_bytes"]) == ("no", 1_500_000_000)
    assert one["pull_seconds"] == 60.0
    assert (answer["platform"], answer["node_image"]) == ("prod", "COS_CONTAINERD")
    assert "25 MB" in answer["assumption"]
    small = "g2-standard-4 of the node pool "
    (warning,) = (text for text in answer["warnings"] if text.startswith(small))
    assert "has 16 GiB: Google advises more than 16 GiB" in warning
    name = hashlib.sha256(one["image"].encode()).hexdigest()[:8]
    disk = f"ray-gke-prod-{name}"
    preload = answer["preload"]
    assert preload["disk_image"] == f"projects/{PROJECT}/global/images/{disk}"
    assert preload["command"] == (
        f"go run ./cli --project-name={PROJECT} --image-name={disk} "
        "--zone=europe-west4-b --gcs-path=gs://our-state/ --disk-size-gb=60 "
        "--network=prod --subnet=prod --image-pull-auth=ServiceAccountToken "
        f"--timeout=60m --container-image={one['image']}"
    )


def test_the_command_without_a_platform(tmp_path: Path, ray_gke: RayGke) -> None:
    done = ray_gke("images", "check", cwd=tmp_path, exit_code=2)
    assert "name a platform file" in done.stderr


def test_the_command_for_people(platform: Path, ray_gke: RayGke) -> None:
    done = ray_gke("images", "check", cwd=platform)
    heading, row, *below = done.stdout.splitlines()
    assert heading.split() == ["IMAGE", "STREAMS", "SIZE", "FULL", "PULL"]
    assert row.split()[1:] == ["no", "1,500.0", "MB", "~1", "min", "00", "s"]
    assert below[0].startswith("no: 127.0.0.1:")
    assert below[1].startswith("  hint: image_registry: {mode: mirror}")
    assert "estimated" in done.stderr
