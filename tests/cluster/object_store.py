"""An S3 server, for what pods on real nodes share."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlencode

from tests.cluster import parts
from tests.cluster.processes import Program, answers, free_port

_REGION = "us-east-1"
_HEALTH = "/-/healthy"


class ObjectStore:
    """Serves the folders of `folder / "buckets"` as buckets, with their files."""

    def __init__(self, folder: Path, *, address: str = "127.0.0.1") -> None:
        """Prepare it, with its log and its buckets in `folder`."""
        self._buckets = folder / "buckets"
        self._buckets.mkdir(parents=True, exist_ok=True)
        attributes = folder / "attributes"
        attributes.mkdir(exist_ok=True)
        self._key, self._secret = (secrets.token_hex(10) for _ in range(2))
        self._host = f"{address}:{free_port(address)}"
        self.program = Program(
            "object store",
            [
                parts.path("versitygw"),
                *(f"--port={self._host}", f"--region={_REGION}", f"--health={_HEALTH}"),
                *("posix", f"--sidecar={attributes}", self._buckets),
            ],
            log=folder / "logs" / "object-store.log",
            ready=answers(f"http://{self._host}{_HEALTH}"),
            env={
                "ROOT_ACCESS_KEY_ID": self._key,
                "ROOT_SECRET_ACCESS_KEY": self._secret,
            },
        )

    def start(self) -> None:
        """Start the server."""
        self.program.start()

    def stop(self) -> None:
        """Stop the server; the buckets stay."""
        self.program.stop()

    def bucket(self, name: str) -> Path:
        """Make a bucket; return the folder in which its objects are."""
        folder = self._buckets / name
        folder.mkdir()
        return folder

    def uri(self, path: str) -> str:
        """Return a URI of `BUCKET/KEY` as pyarrow, and so Ray, understands it."""
        options = {
            "scheme": "http",
            "endpoint_override": self._host,
            "region": _REGION,
        }
        return f"s3://{self._key}:{self._secret}@{path}?{urlencode(options)}"
