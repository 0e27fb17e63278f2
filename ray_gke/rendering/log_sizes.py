"""How much Ray may write below its session, where its log files are.

So do the runtime environments that no task needs any more, which Ray keeps until there
are too many of a kind (_private/runtime_env/plugin.py and uri_cache.py of 2.60.0):
10 GiB of each, in `runtime_resources` of the session (_private/node.py). Those in use
have no limit. Half of `logs.size_limit` is for logs, half for what is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ray_gke.catalog.quantities import number

_MOST_BYTES = "RAY_ROTATION_MAX_BYTES"
_BACKUP_COUNT = "RAY_ROTATION_BACKUP_COUNT"
_BACKUPS = 1
_FILES = 128
"""How many files of a pod may grow to their limit before their half is full.

There is one for each process that ever ran, so that no number is enough for all.
"""

_CACHES = tuple(
    f"RAY_RUNTIME_ENV_{plugin}_CACHE_SIZE_GB"
    for plugin in ("CONDA", "JAVA_JARS", "PIP", "PY_MODULES", "UV", "WORKING_DIR")
)
_GIB = 2**30


def env(size_limit: str) -> dict[str, str]:
    """Return the variables of Ray by which logs and environments have this room.

    Rotation holds for the files of every process of Ray (_private/node.py,
    GetRayLogRotationMaxBytesOrDefault, serve/_private/logging_utils.py), those of
    workers too. Not for a driver's: job_supervisor.py hands a plain file to it.
    """
    half = int(number(size_limit)) // 2
    kept = half * 1000 // (len(_CACHES) * _GIB) / 1000
    return {
        _MOST_BYTES: str(half // (_FILES * (1 + _BACKUPS))),
        _BACKUP_COUNT: str(_BACKUPS),
        **dict.fromkeys(_CACHES, str(kept)),
    }


def most(size_limit: str, given: Mapping[str, str]) -> float:
    """Return how many bytes a pod may keep with variables in the place of ours.

    Without end where files are not rotated: by Python's RotatingFileHandler they are
    not with 0 of either.
    """
    values = {name: _number(value) for name, value in env(size_limit).items()}
    values |= {name: _number(given[name]) for name in values.keys() & given.keys()}
    if not values[_MOST_BYTES] or not values[_BACKUP_COUNT]:
        return math.inf
    logs = _FILES * values[_MOST_BYTES] * (1 + values[_BACKUP_COUNT])
    return logs + _GIB * sum(values[name] for name in _CACHES)


def _number(value: str) -> float:
    """What is no number Ray does not start with, so that it writes nothing."""
    try:
        return float(value)
    except ValueError:
        return math.nan
