"""What is remembered of one run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Phase = Literal["starting", "running", "stopping", "ended"]


@dataclass(frozen=True)
class GroupRecord:
    """A worker group as it was brought up."""

    name: str
    min_replicas: int
    max_replicas: int
    num_cpus: int
    num_gpus: int


@dataclass(frozen=True)
class Record:
    """One run. `status` is Ray's word for how it stands or ended."""

    name: str
    kind: str
    blueprint: str
    phase: Phase
    started_at: float
    up_pid: int
    up_started: float | None
    status: str = "STARTING"
    ended_at: float | None = None
    groups: tuple[GroupRecord, ...] = ()
    gcs_address: str = ""
    dashboard: str = ""
    session: str = ""
    serve_url: str = ""
    job_id: str = ""
    message: str = ""
    exit_code: int | None = None

    def to_json(self) -> str:
        """Return what `parse` takes."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def parse(cls, text: str) -> Record:
        """Raises ValueError when `text` is not a record."""
        try:
            data: dict[str, Any] = json.loads(text)
            data["groups"] = tuple(GroupRecord(**group) for group in data["groups"])
            known = {f.name for f in fields(cls)}
            return cls(**{key: value for key, value in data.items() if key in known})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(str(error)) from None
