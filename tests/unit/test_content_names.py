"""Names that follow from content: the same content, the same name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render

Object = dict[str, Any]
JOB = "job: {entrypoint: python go.py}"


def rendered(plan: Plan) -> Sequence[Object]:
    return list(render(plan, kuberay_version="1.5.1", namespace="ml"))


def name(objects: Sequence[Object], kind: str) -> str:
    """Return the name of the one object of a kind; of ConfigMaps, that of files."""
    (found,) = (
        one["metadata"]["name"]
        for one in objects
        if one["kind"] == kind and (kind != "ConfigMap" or one.get("immutable"))
    )
    return str(found)


def test_the_same_job_has_the_same_name_and_another_one_another(
    planned: Callable[..., Plan],
) -> None:
    files = {"go.py": b"1\n"}
    first = rendered(planned(JOB, files=files))
    assert first == rendered(planned(JOB, files=files))
    assert name(first, "RayJob").startswith("demo-")
    other = rendered(planned(f"env: {{A: b}}\n{JOB}", files=files))
    assert name(other, "RayJob") != name(first, "RayJob")
    assert name(other, "ConfigMap") == name(first, "ConfigMap")


def test_other_files_are_another_job_that_reads_them(
    planned: Callable[..., Plan],
) -> None:
    first = rendered(planned(JOB, files={"go.py": b"1\n"}))
    other = rendered(planned(JOB, files={"go.py": b"2\n"}))
    for kind in ("RayJob", "ConfigMap"):
        assert name(first, kind) != name(other, kind)
    read = name(other, "ConfigMap")
    (job,) = (one for one in other if one["kind"] == "RayJob")
    pod = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    assert pod["volumes"][0]["configMap"]["name"] == read


def test_long_names_that_begin_alike_stay_apart(planned: Callable[..., Plan]) -> None:
    files = {"go.py": b"1\n"}
    names = {
        name(rendered(planned(JOB, files=files, name="a" * 40 + end)), "RayJob")
        for end in ("one", "two")
    }
    assert len(names) == 2
    assert all(len(one) <= 47 for one in names)


def test_services_and_clusters_keep_their_names(planned: Callable[..., Plan]) -> None:
    assert name(rendered(planned("cluster: {}")), "RayCluster") == "demo"
