"""GKE's node pools and cluster autoscaler, over a stand-in cloud and a test cluster.

What it does is what GKE's documentation says of them: nodes of a pool come with it, or
with a pod that finds no place, and go when nothing runs on them. It is quicker: GKE
waits half a minute before it believes a pod that wants a GPU, and ten before it takes
an idle node away.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from tests.cluster.bed import Bed
from tests.cluster.control_plane import CommandFailed
from tests.cluster.processes import ProgramError
from tests.gke import fitting, node_pools, scaling
from tests.gke.fitting import Object
from tests.gke.node_pools import NodePool
from tests.gke.scaling import hash_of
from tests.terraform.cloud import Cloud

_POLL_SECONDS = 0.2
_LOOK_SECONDS = 1
_MARK = "ray-gke.test/cloud"
_POOL = "cloud.google.com/gke-nodepool"
_NODES = "/api/v1/nodes"
_PODS = "/api/v1/pods"
_PENDING = f"{_PODS}?fieldSelector=spec.nodeName%3D,status.phase%3DPending"
_SUFFIX = "bcdfghjklmnpqrstvwxz0123456789"
# The API server may be away, which tests do to it on purpose: the next look will tell.
_BAD_DAYS = (OSError, http.client.HTTPException, CommandFailed, ProgramError)


class Autoscaler:
    """Adds and removes fake nodes of the test cluster, in a thread, while it is open.

    The test cluster is one GKE cluster of the cloud: `cluster` by name, or the only
    one. A node that nothing but DaemonSets ran on for `idle_seconds` goes.
    """

    def __init__(
        self, cloud: Cloud, bed: Bed, *, cluster: str = "", idle_seconds: float = 2
    ) -> None:
        self.cluster = cluster
        self.idle_seconds = idle_seconds
        self._cloud = cloud
        self._bed = bed
        self._mark = hashlib.sha256(str(cloud.folder).encode()).hexdigest()[:12]
        self._begun: set[str] = set()
        self._idle_since: dict[str, float] = {}
        self._looked_at = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autoscaler")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self.clear()

    def start(self) -> None:
        """Begin to look after the node pools."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the nodes as they are from now on."""
        self._ending.set()
        self._thread.join()

    def clear(self) -> None:
        """Take all nodes away, and the pods on them."""
        self._remove(filter(self._is_ours, self._list(_NODES)))

    def nodes(self, pool: str) -> list[str]:
        """Return the names of the nodes of a pool."""
        return sorted(
            _name(node)
            for node in filter(self._is_ours, self._list(_NODES))
            if node["metadata"]["labels"][_POOL] == pool
        )

    def _run(self) -> None:
        while not self._ending.wait(_POLL_SECONDS):
            try:
                self._look()
            except _BAD_DAYS as error:
                logging.getLogger(__name__).warning("once more: %s", error)

    def _look(self) -> None:
        """See what has to be done, and do it."""
        pools = node_pools.of_cluster(self._cloud, self.cluster)
        hashes = {pool.hash for pool in pools}
        if not self._is_due(hashes):
            return
        pods, nodes = self._list(_PODS), self._list(_NODES)
        self._remove(
            node for node in filter(self._is_ours, nodes) if hash_of(node) not in hashes
        )
        nodes = [n for n in nodes if not self._is_ours(n) or hash_of(n) in hashes]
        ours = list(filter(self._is_ours, nodes))
        self._begun &= hashes
        wanted = scaling.to_begin_with(pools, ours, self._begun)
        wanted = wanted or scaling.for_pods(pools, ours, nodes, pods)
        self._add(wanted)
        self._begun = hashes
        if not wanted:
            self._scale_down(pools, ours, pods)

    def _is_due(self, hashes: set[str]) -> bool:
        """Tell whether to look at all nodes and pods, which costs more than this.

        It is for pods that wait, and pools that come or go; once a second for the rest.
        """
        now = time.monotonic()
        recent = now < self._looked_at + _LOOK_SECONDS
        if hashes == self._begun and (recent or not hashes):
            waiting = map(scaling.is_waiting, self._list(_PENDING) if hashes else [])
            if not any(waiting):
                return False
        self._looked_at = now
        return True

    def _scale_down(
        self, pools: Iterable[NodePool], ours: Iterable[Object], pods: Iterable[Object]
    ) -> None:
        """Close nodes that were idle for long, and remove those that still are.

        Until a node is closed, a pod may be on its way to it.
        """
        busy = {fitting.place(pod) for pod in pods if scaling.keeps_its_node(pod)}
        spare = Counter(map(hash_of, ours))
        spare.subtract({pool.hash: pool.minimum for pool in pools})
        for node in ours:
            is_closed = node["spec"].get("unschedulable", False)
            if _name(node) in busy or spare[hash_of(node)] <= 0:
                self._idle_since.pop(_name(node), None)
                if is_closed:
                    self._bed.kubectl("uncordon", _name(node))
            elif self._is_idle_for_long(node):
                spare[hash_of(node)] -= 1
                if is_closed:
                    self._remove([node])
                else:
                    self._bed.kubectl("cordon", _name(node))

    def _is_idle_for_long(self, node: Object) -> bool:
        now = time.monotonic()
        return now - self._idle_since.setdefault(_name(node), now) > self.idle_seconds

    def _add(self, wanted: scaling.Wanted) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda one: self._add_node(*one), wanted))

    def _add_node(self, pool: NodePool, zone: str) -> None:
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(4))
        self._bed.nodes.add_node(
            pool.node_name(suffix),
            labels=pool.node_labels(zone) | {_MARK: self._mark},
            taints=[
                {"key": key, "value": value, "effect": effect}
                for key, value, effect in pool.taints
            ],
            allocatable=pool.allocatable,
        )

    def _remove(self, nodes: Iterable[Object]) -> None:
        for node in nodes:
            self._bed.nodes.remove_node(_name(node))
            self._idle_since.pop(_name(node), None)

    def _is_ours(self, node: Object) -> bool:
        return bool(node["metadata"]["labels"].get(_MARK) == self._mark)

    def _list(self, path: str) -> list[Object]:
        found: list[Object] = self._bed.control_plane.get(path)["items"]
        return found


def _name(node: Object) -> str:
    return str(node["metadata"]["name"])
