"""A Redis, in which heads keep what they need to be replaced."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from tests.cluster import packages
from tests.cluster.processes import Program, free_port


class Redis:
    """Debian's redis-server, with a password and nothing on disk."""

    def __init__(self, folder: Path, *, address: str = "127.0.0.1") -> None:
        """Prepare it, with its log and its configuration in `folder`."""
        packages.install(("redis-server", "redis-tools"))
        folder.mkdir(parents=True, exist_ok=True)
        self.password = secrets.token_hex(16)
        self._address, self._port = address, free_port(address)
        self._client = {"REDISCLI_AUTH": self.password, "PATH": "/usr/bin:/bin"}
        config = folder / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind {address}\nport {self._port}\nrequirepass {self.password}\n"
            f'save ""\nappendonly no\ndir {folder}\n'
        )
        self.program = Program(
            "redis",
            ["/usr/bin/redis-server", config],
            log=folder / "logs" / "redis.log",
            ready=lambda: self._ask("ping") == "PONG",
        )

    @property
    def host(self) -> str:
        """Where it listens: HOST:PORT."""
        return f"{self._address}:{self._port}"

    def start(self) -> None:
        """Start it."""
        self.program.start()

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        self.program.stop()

    def keys(self) -> int:
        """Return how many keys it holds."""
        return int(self._ask("dbsize"))

    def _ask(self, *command: str) -> str:
        done = subprocess.run(
            [
                "/usr/bin/redis-cli",
                "-h",
                self._address,
                "-p",
                str(self._port),
                *command,
            ],
            env=self._client,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()
