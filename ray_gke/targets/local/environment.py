"""The environment of Ray's processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ray_gke.planning.machine import LocalPlan
from ray_gke.planning.plan import HEAD, Group
from ray_gke.targets.local.processes import MARKER
from ray_gke.targets.local.run_folder import RunFolder

_DROPPED = ("RAY_", "CUDA_VISIBLE_DEVICES")
"""What a user has set for other Ray clusters must not leak into this one."""


def connection(run: RunFolder) -> dict[str, str]:
    """Return what any process needs to speak to the run's cluster, but its address.

    Ray looks for a cluster at 127.0.0.1 under the machine's address in the network,
    unless clusters over several machines are off: that switch keeps all on loopback.
    """
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(run.token),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


def of_head(
    local: LocalPlan, run: RunFolder, given: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of the head: what is given, Ray's settings, the plan's."""
    base = {k: v for k, v in given.items() if not k.startswith(_DROPPED)}
    return {
        **base,
        **connection(run),
        MARKER: str(run.path),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_autoscaler_v2": "1",
        # 0 lets the system choose; the usual ports are the same for every cluster.
        "AUTOSCALER_METRIC_PORT": "0",
        "DASHBOARD_METRIC_PORT": "0",
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        # A logical node may have 96 CPUs; Python processes are made when needed.
        "RAY_enable_worker_prestart": "0",
        # Ray keeps five files of 512 MB of each log.
        "RAY_ROTATION_MAX_BYTES": str(64 * 2**20),
        "RAY_ROTATION_BACKUP_COUNT": "1",
        "RAY_GRACEFUL_SHUTDOWN_POLL_INTERVAL_S": "0.05",
        "PATH": os.pathsep.join(
            [str(Path(sys.executable).parent), base.get("PATH", os.defpath)]
        ),
        "PYTHONPATH": os.pathsep.join(
            [str(run.code), *filter(None, [base.get("PYTHONPATH")])]
        ),
        **local.plan.env,
        **of_group(local.plan.head, HEAD),
    }


def of_group(group: Group, node_type: str) -> dict[str, str]:
    """Return what nodes of `group` have beyond the plan's environment."""
    return {
        **group.env,
        "RAY_NODE_TYPE_NAME": node_type,
        **({"RAY_NODE_MARKET_TYPE": "spot"} if group.spot else {}),
    }
