"""On GKE every image comes from the registry next to the cluster.

What names become is written here by hand, from Artifact Registry's documents, and
never computed by what is tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke import planned, selection
from ray_gke.commands import on_gke
from ray_gke.errors import InvalidError
from ray_gke.gke.image_registry import ImageRegistry, preload_image
from ray_gke.rendering import image_references, terraform_variables
from ray_gke.rendering.image_references import pulled

Object = dict[str, Any]

HERE = "europe-west4-docker.pkg.dev/my-project-1"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
PULLED_THROUGH = {
    "rayproject/ray:2.60.0": f"{HERE}/prod-docker-hub/rayproject/ray:2.60.0",
    "docker.io/rayproject/ray:1": f"{HERE}/prod-docker-hub/rayproject/ray:1",
    "index.docker.io/rayproject/ray:1": f"{HERE}/prod-docker-hub/rayproject/ray:1",
    # Docker's own images stand in library/; no tag is the tag latest.
    "python": f"{HERE}/prod-docker-hub/library/python:latest",
    "python:3.11": f"{HERE}/prod-docker-hub/library/python:3.11",
    f"a/b@{DIGEST}": f"{HERE}/prod-docker-hub/a/b@{DIGEST}",
    f"a/b:1@{DIGEST}": f"{HERE}/prod-docker-hub/a/b:1@{DIGEST}",
    "quay.io/kuberay/collector:v1.7.0": f"{HERE}/prod-quay-io/kuberay/collector:v1.7.0",
    "registry.k8s.io/pause:3.10": f"{HERE}/prod-registry-k8s-io/pause:3.10",
    "ghcr.io/team/deep/app:1": f"{HERE}/prod-ghcr-io/team/deep/app:1",
}
GOOGLES = (
    f"{HERE}/prod-images/mine:1",
    "us-docker.pkg.dev/other/repo/a:1",
    "gcr.io/other/a:1",
    "gke.gcr.io/a/b:1",
    "mirror.gcr.io/library/python:3.11",
)
ELSEWHERE = ("registry.example.com/team/app:1", "127.0.0.1:5000/app:1", "localhost/a:1")
COPIES = {
    "rayproject/ray:2.60.0": f"{HERE}/prod-images/rayproject/ray:2.60.0",
    f"python@{DIGEST}": f"{HERE}/prod-images/library/python@{DIGEST}",
    "quay.io/kuberay/operator:v1.7.0": (
        f"{HERE}/prod-images/quay.io/kuberay/operator:v1.7.0"
    ),
    "registry.example.com/team/app:1": (
        f"{HERE}/prod-images/registry.example.com/team/app:1"
    ),
}


def images_of(objects: Iterable[Any]) -> list[str]:
    return sorted(image_references.images_of(objects))


def registry(
    mode: Any = "pull-through", project: str = "my-project-1"
) -> ImageRegistry:
    return ImageRegistry(mode, "europe-west4", project, "prod")


@pytest.mark.parametrize("image", PULLED_THROUGH)
def test_public_registries_are_pulled_through(image: str) -> None:
    assert registry().pulled(image) == PULLED_THROUGH[image]


@pytest.mark.parametrize("image", [*GOOGLES, *ELSEWHERE])
def test_other_registries_are_not_pulled_through(image: str) -> None:
    assert registry().pulled(image) == image


@pytest.mark.parametrize("image", COPIES)
def test_a_mirror_has_copies_of_all(image: str) -> None:
    assert registry("mirror").pulled(image) == COPIES[image]


@pytest.mark.parametrize("image", GOOGLES)
def test_a_mirror_has_no_copies_of_what_is_at_google(image: str) -> None:
    assert registry("mirror").pulled(image) == image


def test_the_colon_of_a_domain_scoped_project_is_a_slash() -> None:
    found = registry(project="example.com:my-project").pulled("a/b:1")
    assert found == (
        "europe-west4-docker.pkg.dev/example.com/my-project/prod-docker-hub/a/b:1"
    )


def test_what_was_pulled_through_has_its_original() -> None:
    found = registry().original(f"{HERE}/prod-quay-io/kuberay/collector:v1.7.0")
    assert found == "quay.io/kuberay/collector:v1.7.0"
    assert registry().original(f"{HERE}/prod-images/mine:1") is None


def test_images_of_every_place_of_an_object_and_of_nowhere_else() -> None:
    pod = {
        "containers": [
            {"name": "a", "image": "a:1", "env": [{"name": "image", "value": "no:1"}]}
        ],
        "initContainers": [{"name": "b", "image": "b:1"}],
        "volumes": [
            {"name": "models", "image": {"reference": "c:1", "pullPolicy": "Always"}},
            {"name": "other", "emptyDir": {}},
        ],
    }
    cluster = {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "demo", "annotations": {"image": "no:2"}},
        "spec": {
            "autoscalerOptions": {"image": "d:1"},
            "historyServerOptions": {"collectorOptions": {"image": "e:1"}},
            "headGroupSpec": {
                "rayStartParams": {"image": "no:3"},
                "template": {"spec": pod},
            },
        },
    }
    config = {"kind": "ConfigMap", "data": {"image": "no:4"}}
    assert images_of([cluster, config]) == ["a:1", "b:1", "c:1", "d:1", "e:1"]
    changed = pulled(cluster, registry())
    prefix = f"{HERE}/prod-docker-hub/library"
    assert images_of([changed]) == [f"{prefix}/{one}:1" for one in "abcde"]
    assert "no:1" in json.dumps(changed)
    assert images_of([cluster]) == ["a:1", "b:1", "c:1", "d:1", "e:1"], "not changed"


BLUEPRINT: Object = {
    "apiVersion": "ray-gke/v1",
    "kind": "Blueprint",
    "metadata": {"name": "demo", "summary": "All that pulls an image"},
    "spec": {
        "ray": {"version": "2.60.0", "image": "rayproject/ray:2.60.0-py311"},
        "worker_groups": [
            {
                "name": "gpu",
                "max_replicas": 4,
                "warm_replicas": 1,
                "cpu": 1,
                "memory": "2Gi",
                "gpu": {"accelerator": "nvidia-l4"},
            }
        ],
        "patches": [],
        "job": {"entrypoint": "true"},
    },
}


def write(folder: Path, patches: list[Object] | None = None, **platform: Any) -> Path:
    spec = BLUEPRINT["spec"] | {"patches": patches or []}
    catalog = folder / "catalog" / "demo"
    catalog.mkdir(parents=True, exist_ok=True)
    (catalog / "blueprint.yaml").write_text(yaml.safe_dump(BLUEPRINT | {"spec": spec}))
    file = folder / "ray-gke.yaml"
    given = {
        "target": "gke",
        "project": "my-project-1",
        "region": "europe-west4",
        "catalogs": [{"path": "catalog"}],
        "blueprints": [{"blueprint": "demo"}],
    }
    document = {
        "apiVersion": "ray-gke/v1",
        "kind": "Platform",
        "metadata": {"name": "prod"},
        "spec": given | platform,
    }
    file.write_text(yaml.safe_dump(document))
    return file


def rendered(file: Path) -> tuple[Object, ...]:
    choice = selection.choose(file)
    return tuple(selection.rendered(selection.select(choice, None), choice))


AUTOSCALER: Object = {
    "kind": "RayJob",
    "patch": {
        "spec": {
            "rayClusterSpec": {
                "autoscalerOptions": {"image": "ghcr.io/team/autoscaler:1"}
            }
        }
    },
}


def test_all_of_a_platform_comes_from_beside_the_cluster(tmp_path: Path) -> None:
    file = write(tmp_path, [AUTOSCALER])
    assert images_of(rendered(file)) == [
        f"{HERE}/prod-docker-hub/fluent/fluent-bit:5.1.1",
        f"{HERE}/prod-docker-hub/rayproject/ray:2.60.0-py311",
        f"{HERE}/prod-ghcr-io/team/autoscaler:1",
        f"{HERE}/prod-registry-k8s-io/pause:3.10",
    ]


def variables(file: Path) -> Mapping[str, Any]:
    choice = selection.choose(file)
    assert choice.platform
    selected = selection.select(choice, None)
    files = terraform_variables.files(
        planned.capacity(selected, choice),
        choice.platform,
        selection.rendered(selected, choice),
        choice.kuberay_version,
    )
    return {name.partition(".")[0]: json.loads(text) for name, text in files.items()}


def test_terraform_makes_the_repositories_that_images_need(tmp_path: Path) -> None:
    found = variables(write(tmp_path, [AUTOSCALER], kuberay={"version": "1.6.2"}))
    assert found["platform"]["image_registry"] == {
        "upstreams": {
            "ghcr-io": "https://ghcr.io",
            "quay-io": "https://quay.io",
            "registry-k8s-io": "https://registry.k8s.io",
        }
    }
    operator = f"{HERE}/prod-quay-io/kuberay/operator:v1.6.2"
    assert found["addons"]["kuberay"]["image"] == operator


def test_up_makes_what_render_writes(tmp_path: Path) -> None:
    file = write(tmp_path, [AUTOSCALER])
    whole = on_gke.Whole.of(selection.choose(file))
    stacks = {name: dict(whole.variables(name)) for name in ("platform", "addons")}
    assert stacks == variables(file)


def test_a_mirror_needs_no_upstream(tmp_path: Path) -> None:
    found = variables(write(tmp_path, image_registry={"mode": "mirror"}))
    assert "image_registry" not in found["platform"]
    image = found["addons"]["kuberay"]["image"]
    assert image == f"{HERE}/prod-images/quay.io/kuberay/operator:v1.5.1"


def test_gkes_own_operator_needs_no_upstream(tmp_path: Path) -> None:
    file = write(tmp_path, cluster={"ray_operator": True})
    found = variables(file)
    assert found["addons"]["kuberay"] == {"install": False}
    assert found["platform"]["image_registry"]["upstreams"] == {
        "registry-k8s-io": "https://registry.k8s.io"
    }


def test_elsewhere_images_keep_their_names(tmp_path: Path) -> None:
    """Not only where the platform says so: --on kubernetes is another cluster."""
    named = (
        "fluent/fluent-bit:5.1.1",
        "registry.k8s.io/pause:3.10",
        "rayproject/ray:2.60.0-py311",
    )
    assert set(images_of(rendered(write(tmp_path, target="kubernetes")))) == set(named)
    choice = selection.choose(write(tmp_path)).with_images_as_named()
    found = selection.rendered(selection.select(choice, None), choice)
    assert set(images_of(found)) == set(named)


def test_the_names_of_jobs_follow_from_their_images(tmp_path: Path) -> None:
    def name(**platform: Any) -> str:
        jobs = rendered(write(tmp_path, **platform))
        (job,) = (one for one in jobs if one["kind"] == "RayJob")
        return str(job["metadata"]["name"])

    assert name() == name()
    assert name() != name(image_registry={"mode": "mirror"})


def patched(image: str) -> Object:
    container = {"name": "tool", "image": image}
    spec = {"template": {"spec": {"initContainers": [container]}}}
    return {
        "kind": "Deployment",
        "patch": {"spec": spec},
    }


def test_what_no_repository_pulls_through_is_told(tmp_path: Path) -> None:
    image = "registry.example.com/team/tool:1"
    choice = selection.choose(write(tmp_path, [patched(image)]))
    (one,) = selection.select(choice, None)
    (note,) = (note for note in one.plan.notes if "stream" in note)
    assert image in note
    assert "ray-gke images mirror" in note
    assert image in images_of(selection.rendered([one], choice))
    file = write(tmp_path, [patched(image)], image_registry={"mode": "mirror"})
    choice = selection.choose(file)
    (one,) = selection.select(choice, None)
    assert not [note for note in one.plan.notes if "stream" in note]


def test_what_names_no_image_is_refused_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        rendered(write(tmp_path, [patched("Not An Image")]))
    (problem,) = caught.value.problems
    assert "'Not An Image' is no name of an image" in problem.message
    assert problem.place is not None
    assert problem.place.key is not None
    assert problem.place.key.startswith("spec.patches[0].patch.spec.template")


def gpu_disks(file: Path) -> Iterator[str]:
    choice = selection.choose(file)
    for pool in planned.capacity(selection.select(choice, None), choice).pools:
        if pool.accelerator:
            yield from pool.secondary_boot_disks
        else:
            assert pool.secondary_boot_disks == ()


def test_a_disk_with_the_images_for_each_pool_with_gpus(tmp_path: Path) -> None:
    assert not list(gpu_disks(write(tmp_path)))
    file = write(tmp_path, image_registry={"preload": True})
    (disk,) = gpu_disks(file)
    # sha256 of the three names, sorted, with a line feed between them.
    assert disk == "projects/my-project-1/global/images/ray-gke-prod-391ebec1"
    (pool,) = (
        pool
        for pool in variables(file)["platform"]["node_pools"].values()
        if "gpu" in pool
    )
    assert pool["nodes"]["secondary_boot_disks"] == [disk]
    (other,) = gpu_disks(
        write(tmp_path, [AUTOSCALER], image_registry={"preload": True})
    )
    assert other != disk, "other images, another disk"


def test_one_run_has_the_disk_of_all(tmp_path: Path) -> None:
    """A plan of one run must not show another disk than `up` makes."""
    other = {"blueprint": "demo", "name": "other"}
    runs = [{"blueprint": "demo"}, other]
    file = write(tmp_path, image_registry={"preload": True}, blueprints=runs)
    choice = selection.choose(file)
    found = [
        pool.secondary_boot_disks
        for selected in (
            selection.select(choice, None),
            selection.select(choice, "demo"),
        )
        for pool in planned.capacity(selected, choice).pools
        if pool.accelerator
    ]
    assert len(found) == 2
    assert found[0] == found[1]


def test_a_disk_image_does_not_depend_on_the_order_of_images() -> None:
    found = preload_image(registry(), ["b:1", "a:1", "b:1"])
    assert found == preload_image(registry(), ["a:1", "b:1"])
