"""A real image registry on a free port."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import parts
from tests.cluster.processes import Program, answers, free_port


class Registry:
    """Serves images from memory; `host` is what image references begin with."""

    def __init__(self, folder: Path, *, address: str = "127.0.0.1") -> None:
        """Prepare it, with its log and its images in `folder`."""
        self.host = f"{address}:{free_port(address)}"
        images = folder / "images"
        images.mkdir(parents=True, exist_ok=True)
        self.program = Program(
            "registry",
            [
                parts.path("crane"),
                *("registry", "serve"),
                f"--address={self.host}",
                f"--disk={images}",
            ],
            log=folder / "logs" / "registry.log",
            ready=answers(f"http://{self.host}/v2/"),
        )

    def start(self) -> None:
        """Start the registry."""
        self.program.start()

    def stop(self) -> None:
        """Stop the registry: it forgets which images it had."""
        self.program.stop()
