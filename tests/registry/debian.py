"""Docker's own registry, as Debian has it: a real one that is not crane's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster import parts
from tests.cluster.processes import Program, answers, free_port

_PACKAGE = "docker-registry"
_CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
http: {{addr: {host}, secret: "of this run"}}
storage:
  filesystem: {{rootdirectory: {images}}}
  delete: {{enabled: true}}
"""


def program() -> Path:
    """Return the program, from Debian's archive if it must.

    Raises OSError or CalledProcessError where there is none.
    """
    found = shutil.which(_PACKAGE)
    unpacked = parts.cache() / _PACKAGE / "usr" / "bin" / _PACKAGE
    if found or unpacked.exists():
        return Path(found or unpacked)
    with parts.one_build_at_a_time():
        if not unpacked.exists():
            _unpack(parts.cache() / _PACKAGE)
    return unpacked


def _unpack(folder: Path) -> None:
    archives = folder.with_name(f"{_PACKAGE}.unfinished")
    shutil.rmtree(archives, ignore_errors=True)
    archives.mkdir(parents=True)
    # The user who fetches packages for root may not look into root's folders.
    apt = ["apt-get", "--quiet", "-o", "APT::Sandbox::User=root"]
    fetch = [*apt, "download", _PACKAGE]
    if subprocess.run(fetch, cwd=archives, check=False, capture_output=True).returncode:
        # A machine may have come without its lists of packages.
        subprocess.run([*apt, "update"], check=True, capture_output=True)
        subprocess.run(fetch, cwd=archives, check=True, capture_output=True)
    (archive,) = archives.glob("*.deb")
    contents = archives / "contents"
    subprocess.run(["dpkg", "-x", archive, contents], check=True, capture_output=True)
    contents.rename(folder)
    shutil.rmtree(archives)


class DockerRegistry:
    """Serves images from `folder`; `host` is what image references begin with."""

    def __init__(self, folder: Path) -> None:
        self.host = f"127.0.0.1:{free_port()}"
        self.images = folder / "images"
        self.images.mkdir(parents=True)
        config = folder / "config.yml"
        config.write_text(_CONFIG.format(host=self.host, images=self.images))
        self.program = Program(
            _PACKAGE,
            [program(), "serve", config],
            log=folder / "logs" / "registry.log",
            ready=answers(f"http://{self.host}/v2/"),
        )

    def start(self) -> None:
        self.program.start()

    def stop(self) -> None:
        self.program.stop()

    def uploads(self, repository: str) -> list[Path]:
        """Return uploads that were begun, and neither finished nor taken back.

        Of one that is taken back this registry keeps a state of its digest.
        """
        repositories = self.images / "docker/registry/v2/repositories"
        return list(repositories.glob(f"{repository}/_uploads/*/data"))
