from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ray_gke.catalog.assignments import Assigned
from ray_gke.catalog.load import check, declared, load
from ray_gke.errors import InvalidError, Place, Problem, RayGkeError, UsageError

HEAD = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: mine}
"""
JOB = HEAD + "spec: {job: {entrypoint: echo hi}}\n"


def _folder(tmp_path: Path, text: str = JOB, **files: str) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "blueprint.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def _problems(folder: Path, given: dict[str, Any] | None = None) -> list[Problem]:
    with pytest.raises(RayGkeError) as caught:
        load(folder, given or {}, display="mine")
    return list(caught.value.problems)


def _only(folder: Path, given: dict[str, Any] | None = None) -> Problem:
    (problem,) = _problems(folder, given)
    return problem


def test_values_are_evaluated_and_typed(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters:\n"
        "  count: {type: integer, default: 2, description: How many}\n"
        "  path: {type: string, default: a b, description: Where}\n"
        "spec:\n"
        "  env: {COUNT: '{{ count }}!'}\n"
        "  worker_groups: [{name: w, max_replicas: '{{ count * 3 }}'}]\n"
        "  job: {entrypoint: \"cat {{ path | quote }} {{ '{{' }}\"}\n"
    )
    loaded = load(_folder(tmp_path, text), {"count": "5"})
    assert loaded.parameters == {"count": 5, "path": "a b"}
    assert loaded.blueprint.spec.worker_groups[0].max_replicas == 15
    assert loaded.blueprint.spec.env == {"COUNT": "5!"}
    assert loaded.blueprint.spec.job is not None
    assert loaded.blueprint.spec.job.entrypoint == "cat 'a b' {{"


def test_values_of_parameters_are_never_evaluated(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters: {p: {type: string, default: '{{ 1 }}', description: Any}}\n"
        "spec: {job: {entrypoint: 'echo {{ p }}'}}\n"
    )
    loaded = load(_folder(tmp_path, text), {"p": "{{ 7 * 7 }}"})
    assert loaded.blueprint.spec.job is not None
    assert loaded.blueprint.spec.job.entrypoint == "echo {{ 7 * 7 }}"


def test_the_workloads_own_files_travel(tmp_path: Path) -> None:
    folder = _folder(tmp_path, **{"main.py": "1", "README.md": "2", "test_a.py": "3"})
    (folder / ".env").write_text("secret", encoding="utf-8")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "main.pyc").write_bytes(b"x")
    (folder / "data").mkdir()
    (folder / "data" / "rows.bin").write_bytes(b"\xff\x00")
    (folder / "link.py").symlink_to("main.py")
    files = load(folder, {}).files
    assert files == {"data/rows.bin": b"\xff\x00", "link.py": b"1", "main.py": b"1"}


def test_all_problems_of_all_files_at_once_and_in_order(tmp_path: Path) -> None:
    text = HEAD + (
        "spec:\n"
        "  ray: {image: 'A B'}\n"
        "  heads: {}\n"
        "  worker_groups:\n"
        "    - {name: w, cpu: zero}\n"
        "    - {name: headgroup, max_replicas: '{{ nothing }}'}\n"
        "  service: {serve_config: serve.yaml}\n"
    )
    serve = "applications:\n  - import_path: nothing\n    nme: x\n"
    folder = _folder(tmp_path, text, **{"serve.yaml": serve})
    problems = _problems(folder)
    places = [problem.place for problem in problems if problem.place]
    assert [(p.file, p.line) for p in places] == [
        ("mine/blueprint.yaml", 5),
        ("mine/blueprint.yaml", 6),
        ("mine/blueprint.yaml", 8),
        ("mine/blueprint.yaml", 9),
        ("mine/blueprint.yaml", 9),
        ("mine/serve.yaml", 2),
        ("mine/serve.yaml", 3),
    ]


def test_a_misspelt_assignment_names_the_nearest(tmp_path: Path) -> None:
    text = JOB + "parameters: {count: {type: integer, default: 1, description: N}}\n"
    folder = _folder(tmp_path, text)
    with pytest.raises(UsageError):
        load(folder, {"coutn": "3"})
    problem = _only(folder, {"coutn": "3"})
    assert problem.place == Place("command line", key="--set coutn")
    assert problem.hint == "did you mean 'count'?"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("three", "'three' is not a whole number"),
        ("1.5", "1.5 is not a whole number"),
        ("true", "true is not a whole number"),
        ("", "'' is not a whole number"),
        ("0", "0 is less than the minimum 1"),
        ("10", "10 is more than the maximum 9"),
        ("9" * 5000, "is not a whole number"),
        (True, "true is not a whole number"),
    ],
)
def test_a_wrong_assignment(tmp_path: Path, value: str, message: str) -> None:
    declared = "{type: integer, default: 1, minimum: 1, maximum: 9, description: N}"
    folder = _folder(tmp_path, JOB + f"parameters: {{count: {declared}}}\n")
    problem = _only(folder, {"count": value})
    assert message in problem.message
    assert problem.hint == "use a whole number at least 1, at most 9"


def test_assignments_of_a_file_are_invalid_there(tmp_path: Path) -> None:
    text = JOB + "parameters: {count: {type: integer, default: 1, description: N}}\n"
    place = Place("ray-gke.yaml", 9)
    with pytest.raises(InvalidError) as caught:
        load(
            _folder(tmp_path, text),
            {},
            in_files=[Assigned({"count": "x"}, lambda _: place, tmp_path)],
        )
    assert caught.value.problems[0].place == place


def test_a_parameter_without_default_must_be_set(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters: {input: {type: string, description: Data}}\n"
        "spec: {job: {entrypoint: 'cat {{ input }}'}}\n"
    )
    folder = _folder(tmp_path, text)
    problem = _only(folder)
    assert "'input' must be set" in problem.message
    assert problem.hint == "Data: --set input=VALUE"
    assert load(folder, {"input": "x"}).parameters == {"input": "x"}
    assert check(folder) is not None


def test_open_parameters_may_be_quantities_and_numbers(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters:\n"
        "  memory: {type: string, description: Memory}\n"
        "  most: {type: integer, minimum: 3, description: Most}\n"
        "spec:\n"
        "  head: {memory: '{{ memory }}'}\n"
        "  worker_groups: [{name: w, max_replicas: '{{ most }}'}]\n"
        "  cluster:\n"
    )
    loaded = check(_folder(tmp_path, text))
    assert loaded is not None
    assert loaded.blueprint.spec.worker_groups[0].max_replicas == 3


def test_open_parameters_of_many_kinds_at_once(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters:\n"
        "  memory: {type: string, description: Memory}\n"
        "  cpu: {type: string, description: CPU}\n"
        "  accelerator: {type: string, description: GPU}\n"
        "  version: {type: string, description: Ray}\n"
        "  low: {type: integer, minimum: 0, maximum: 5, description: Least}\n"
        "  high: {type: integer, minimum: 0, maximum: 9, description: Most}\n"
        "  size: {type: string, enum: [small, 2Gi], description: Head}\n"
        "spec:\n"
        "  ray: {version: '{{ version }}'}\n"
        "  head: {memory: '{{ size }}'}\n"
        "  worker_groups:\n"
        "    - name: w\n"
        "      cpu: '{{ cpu }}'\n"
        "      memory: '{{ memory }}'\n"
        "      min_replicas: '{{ low }}'\n"
        "      max_replicas: '{{ high }}'\n"
        "      gpu: {accelerator: '{{ accelerator }}'}\n"
        "  cluster:\n"
    )
    loaded = check(_folder(tmp_path, text))
    assert loaded is not None
    (group,) = loaded.blueprint.spec.worker_groups
    assert (group.memory, group.max_replicas) == ("1Gi", 9)
    assert loaded.blueprint.spec.head.memory == "2Gi"


def test_no_stand_in_is_not_a_fault(tmp_path: Path) -> None:
    text = HEAD.replace("mine", "mine, summary: Mine") + (
        "parameters: {partition: {type: string, description: MIG}}\n"
        "spec:\n"
        "  head: {gpu: {accelerator: nvidia-h100, partition: '{{ partition }}'}}\n"
        "  job:\n"
        "  cluster:\n"
    )
    folder = _folder(tmp_path, text)
    assert check(folder) is None
    found = declared(folder)
    assert (found.metadata.summary, found.kind) == ("Mine", "cluster")
    assert found.parameters["partition"].description == "MIG"


def test_many_open_parameters_end_soon(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(30)]
    lines = [f"  {name}: {{type: string, description: Any}}\n" for name in names]
    joined = " ~ ".join(names)
    text = HEAD + f"parameters:\n{''.join(lines)}spec:\n  cluster:\n"
    text += f"  head: {{memory: '{{{{ {joined} }}}}'}}\n"
    assert check(_folder(tmp_path, text)) is None


def test_open_parameters_of_a_serve_config(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters: {route: {type: string, description: Route}}\n"
        "spec: {service: {serve_config: s.yaml}}\n"
    )
    serve = "applications: [{import_path: 'a:b', route_prefix: '{{ route }}'}]\n"
    loaded = check(_folder(tmp_path, text, **{"s.yaml": serve}))
    assert loaded is not None
    assert loaded.serve_config == {
        "applications": [{"import_path": "a:b", "route_prefix": "/"}]
    }
    assert declared(loaded.folder).kind == "service"


@pytest.mark.parametrize("name", ["x" * 300, "mine/blueprint.yaml/more", "a\0b"])
def test_a_folder_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    _folder(tmp_path)
    assert _only(tmp_path / name).hint


def test_a_folder_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _folder(tmp_path)

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    problem = _only(folder)
    assert problem.message == "cannot be read: Permission denied"
    assert str(problem.place) == "mine/blueprint.yaml"


def test_problems_beside_open_parameters_are_found(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters: {input: {type: string, description: Data}}\n"
        "spec: {jobs: {}, job: {entrypoint: 'cat {{ input }}'}}\n"
    )
    with pytest.raises(InvalidError, match="unknown key 'jobs'"):
        check(_folder(tmp_path, text))


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    (folder / "secret").symlink_to("../secret")
    problem = _only(folder)
    assert str(problem.place) == "mine/secret"
    assert str(tmp_path / "secret") in problem.message


def test_a_serve_config_that_is_a_link_out(tmp_path: Path) -> None:
    folder = _folder(tmp_path, HEAD + "spec: {service: {serve_config: s.yaml}}\n")
    (tmp_path / "s.yaml").write_text("applications: []", encoding="utf-8")
    (folder / "s.yaml").symlink_to(tmp_path / "s.yaml")
    assert "leads out" in _only(folder).message


def test_a_blueprint_that_is_a_link_out(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "blueprint.yaml").rename(tmp_path / "elsewhere.yaml")
    (folder / "blueprint.yaml").symlink_to("../elsewhere.yaml")
    assert "leads out" in _only(folder).message


@pytest.mark.parametrize("target", ["..", "/etc", ".", "nowhere", "link"])
def test_other_links(tmp_path: Path, target: str) -> None:
    folder = _folder(tmp_path)
    (folder / "link").symlink_to(target)
    assert str(_only(folder).place) == "mine/link"


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    os.mkfifo(folder / "pipe")
    assert "not a regular file" in _only(folder).message


def test_files_that_are_too_large_together(tmp_path: Path) -> None:
    folder = _folder(tmp_path, small="x" * 1000)
    (folder / "large.bin").write_bytes(b"x" * 921_600)
    problem = _only(folder)
    assert str(problem.place) == "mine/large.bin"
    assert "922,600" in problem.message
    assert "921,600 (900 KiB)" in problem.message
    assert "large.bin (921,600)" in problem.message
    (folder / "small").unlink()
    assert len(load(folder, {}).files["large.bin"]) == 921_600


def test_a_folder_with_too_many_files(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    for number in range(1001):
        (folder / str(number)).touch()
    assert "more than 1000 files" in _only(folder).message


def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).touch()
    assert "is not text" in _only(folder).message


def test_no_blueprint(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "blueprint.yaml").rename(folder / "blueprint.yml")
    problem = _only(folder)
    assert problem.message == "there is no blueprint.yaml"
    assert problem.hint == "did you mean 'blueprint.yml'?"
    assert "no blueprint.yaml" in _only(tmp_path / "nowhere").message


def test_a_blueprint_that_is_too_large(tmp_path: Path) -> None:
    assert "too large" in _only(_folder(tmp_path, JOB + "#" * 2**20)).message


def test_a_folder_given_as_link_or_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _folder(tmp_path)
    (tmp_path / "alias").symlink_to(folder)
    assert load(tmp_path / "alias", {}).blueprint.metadata.name == "mine"
    monkeypatch.chdir(folder)
    assert load(Path(), {}).blueprint.metadata.name == "mine"


def test_serve_config_is_evaluated(tmp_path: Path) -> None:
    text = HEAD + (
        "parameters: {n: {type: integer, default: 2, description: N}}\n"
        "spec: {service: {serve_config: ./serve.yaml}}\n"
    )
    serve = (
        "applications:\n"
        "  - import_path: app:build\n"
        "    args: {n: '{{ n }}'}\n"
        "    deployments: [{name: A, num_replicas: '{{ n + 1 }}'}]\n"
    )
    loaded = load(_folder(tmp_path, text, **{"serve.yaml": serve}), {})
    assert loaded.serve_config == {
        "applications": [
            {
                "import_path": "app:build",
                "args": {"n": 2},
                "deployments": [{"name": "A", "num_replicas": 3}],
            }
        ]
    }


def test_too_many_expressions_are_one_problem(tmp_path: Path) -> None:
    entries = ", ".join(f"K{n}: '{{{{ {n} }}}}'" for n in range(1500))
    text = HEAD + f"spec: {{cluster: {{}}, env: {{{entries}}}}}\n"
    problems = _problems(_folder(tmp_path, text))
    assert [p for p in problems if "too many" in p.message] == problems[-1:]


def test_many_large_results_are_refused(tmp_path: Path) -> None:
    metadata = ", ".join(f"k{n}: \"{{{{ 'x' * 60000 }}}}\"" for n in range(100))
    text = HEAD + f"spec: {{job: {{entrypoint: a, metadata: {{{metadata}}}}}}}\n"
    assert "too large together" in _only(_folder(tmp_path, text)).message
