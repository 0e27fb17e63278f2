"""The package as users get it: wheel, start-up, generated files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "-w", folder, ROOT], check=True)
    return next(folder.glob("*.whl"))


def test_a_wheel_carries_templates_blueprints_and_terraform(
    wheel: Path, tmp_path: Path
) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "from ray_gke import assets;"
        "print(*(assets.folder(n) for n in ('templates', 'blueprints', 'terraform')))"
    )
    # -I: nothing of this checkout is on the path but what we put there.
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], check=True, capture_output=True, text=True
    )
    folders = [Path(word) for word in done.stdout.split()]
    assert [f.name for f in folders] == ["templates", "blueprints", "terraform"]
    assert all(f.is_relative_to(tmp_path) and any(f.iterdir()) for f in folders)
    assert (folders[1] / "squares" / "blueprint.yaml").is_file()


def test_an_editable_install_finds_them_beside_the_package() -> None:
    from ray_gke import assets

    assert assets.folder("blueprints") == ROOT / "blueprints"


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["up", "--help"], {}),
        ([], {"_RAY_GKE_COMPLETE": "complete_bash", "COMP_WORDS": "ray-gke up "}),
    ],
)
def test_help_and_completion_import_nothing_heavy(
    arguments: list[str], environment: dict[str, str]
) -> None:
    script = (
        "import os, sys; before = set(sys.modules);"
        f"os.environ.update({environment!r}); sys.argv = ['ray-gke', *{arguments!r}];"
        "import atexit;"
        "atexit.register(lambda: print(*set(sys.modules) - before, file=sys.stderr));"
        "from ray_gke.cli import main; main()"
    )
    # pytest tells its children how wide its own terminal is.
    wide = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=wide,
        check=True,
        capture_output=True,
        text=True,
    )
    imported = done.stderr.split()
    assert done.stdout
    assert len(imported) < 60
    tops = {name.split(".")[0] for name in imported}
    assert not tops & {"typer", "pydantic", "yaml", "jinja2", "rich", "ray", "psutil"}


def test_help_and_command_reference_are_those_of_the_commands() -> None:
    script = (
        "import sys; sys.path.insert(0, 'tools'); import write_help;"
        "sys.exit(any(path.read_text() != text"
        " for path, text in write_help.generated().items()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert done.returncode == 0, "run `make docs`"


def test_versions_are_pinned_with_hashes_and_without_registry_addresses() -> None:
    for name in ("up", "test"):
        text = (ROOT / f"requirements/{name}.txt").read_text()
        packages = re.findall(r"^[a-z0-9]\S*==\S+", text, re.MULTILINE)
        assert len(packages) > 50
        assert text.count("==") <= len(packages) + text.count(" ; ") * 3
        assert "://" not in text
        assert "--index" not in text
        assert "ray==2.60.0" in text


def test_every_package_is_pinned_by_hash() -> None:
    text = (ROOT / "requirements/test.txt").read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [b.split()[0] for b in blocks if "--hash=sha256:" not in b] == []
