"""A folder as Ray takes it: what is in it, under a name that follows from that."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from ray_gke.errors import FailedError, RefusedError, UsageError
from ray_gke.targets import working_dir
from ray_gke.targets.ray_api import DashboardError


@dataclass
class FakeDashboard:
    """Keeps packages as Ray does."""

    packages: dict[str, dict[str, bytes]] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    refuses: str = ""

    def get(self, path: str) -> None:
        if self.refuses:
            raise DashboardError(self.refuses, 500)
        if path not in self.packages:
            raise DashboardError("not there", HTTPStatus.NOT_FOUND)

    def put_file(self, path: str, file: Path, *, timeout: float) -> None:
        assert path not in self.packages
        assert timeout > 0
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            self.packages[path] = {e.filename: archive.read(e) for e in entries}
            self.modes = {e.filename: e.external_attr >> 16 for e in entries}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    for name in (".git/HEAD", "a/__pycache__/x.pyc", ".venv/bin/python"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    (folder / "a" / "data.bin").write_bytes(b"\0\1")
    (folder / "go.sh").write_text("echo go")
    (folder / "go.sh").chmod(0o755)
    return folder


def upload(dashboard: FakeDashboard, folder: Path) -> str:
    given: Any = dashboard
    return working_dir.upload(given, folder)


def test_a_package_holds_what_belongs_to_the_work(folder: Path) -> None:
    dashboard = FakeDashboard()
    address = upload(dashboard, folder)
    assert address.startswith("gcs://_ray_pkg_")
    path = "/api/packages/gcs/" + address.removeprefix("gcs://")
    assert dashboard.packages == {path: {"a/data.bin": b"\0\1", "go.sh": b"echo go"}}
    assert dashboard.modes["go.sh"] & 0o111


def test_its_name_follows_from_its_content_alone(folder: Path) -> None:
    dashboard = FakeDashboard()
    first = upload(dashboard, folder)
    os.utime(folder / "go.sh", (1, 1))
    assert upload(dashboard, folder) == first
    assert len(dashboard.packages) == 1
    (folder / "go.sh").rename(folder / "go2.sh")
    assert upload(dashboard, folder) != first


def test_links_sockets_and_pipes_do_no_harm(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "broken").symlink_to("nowhere")
    (folder / "round").symlink_to(folder)
    dashboard = FakeDashboard()
    upload(dashboard, folder)
    (package,) = dashboard.packages.values()
    assert sorted(package) == ["a/data.bin", "go.sh"]


def test_too_large_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_dir, "MOST_BYTES", 1000)
    (folder / "big").write_bytes(os.urandom(2000))
    with pytest.raises(RefusedError, match="is larger than"):
        upload(FakeDashboard(), folder)


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        upload(FakeDashboard(), tmp_path / "nowhere")


def test_what_ray_says_is_told(folder: Path) -> None:
    dashboard = FakeDashboard(refuses="Traceback\nRuntimeError: GCS is gone")
    with pytest.raises(FailedError, match="RuntimeError: GCS is gone"):
        upload(dashboard, folder)
