"""Google's APIs on loopback, for Google's own clients: one project, one stand-in cloud.

What Terraform made in the cloud is there by itself; all else a test says. At first
everything is on, granted and allowed.
"""

from __future__ import annotations

import functools
import re
import threading
import time
import traceback
from collections.abc import Callable, Collection
from fnmatch import fnmatchcase

from tests.google import (
    compute,
    container,
    projects,
    quotas,
    repositories,
    service_accounts,
)
from tests.google.handler import Handler
from tests.google.requests_and_errors import (
    NUMBER,
    Api,
    Json,
    Refused,
    Request,
    api_off,
    denied,
    may_not_count,
    passing,
    refused,
)
from tests.google.state import State
from tests.loopback_server import LoopbackServer
from tests.terraform.cloud import Cloud

_VARIABLES = {
    "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT": "/v1/",
    "GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT": "/v1/",
    "GOOGLE_CLOUD_QUOTAS_CUSTOM_ENDPOINT": "/v1/",
    "GOOGLE_COMPUTE_CUSTOM_ENDPOINT": "/compute/v1/",
    "GOOGLE_CONTAINER_CUSTOM_ENDPOINT": "/v1/",
    "GOOGLE_IAM_CUSTOM_ENDPOINT": "/v1/",
    "GOOGLE_RESOURCE_MANAGER_V3_CUSTOM_ENDPOINT": "/v3/",
    "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT": "/v1/",
}
_APIS = (
    compute.API,
    container.API,
    projects.RESOURCE_MANAGER,
    projects.BILLING,
    projects.SERVICE_USAGE,
    quotas.API,
    repositories.API,
    service_accounts.API,
)
CUT = 0
"""A status for `fail`: the connection is cut, and nothing answered."""


def endpoints(url: str) -> dict[str, str]:
    """Return the variables by which Google's APIs are found at a URL without a path."""
    return {name: f"{url}{path}" for name, path in _VARIABLES.items()}


class GoogleApis(LoopbackServer):
    """Answers while it is open. Patterns are fnmatch's, of `METHOD /path`.

    `asked` is what was asked so far, as such a line, and `counted` the project that
    each named for its quota. Lists have at most `page_size` items a page; each answer
    comes `delay_seconds` late. `state` is all that a project has; a test may change it
    where there is no method for that here.
    """

    def __init__(self, cloud: Cloud | None = None, project: str = "my-project") -> None:
        self.state = State(cloud, project)
        self.asked: list[str] = []
        self.counted: list[str] = []
        self.delay_seconds = 0.0
        self._denied: list[str] = []
        self._failing: list[tuple[str, int, list[int]]] = []
        self._lock = threading.Lock()
        super().__init__(functools.partial(Handler, self.answer))
        # More may come at once than the five that wait by default.
        self._server.socket.listen(128)

    @property
    def page_size(self) -> int:
        """The most items on a page of a list; an API's own limit holds, too."""
        return self.state.page_size

    @page_size.setter
    def page_size(self, size: int) -> None:
        self.state.page_size = size

    def env(self) -> dict[str, str]:
        """Return the variables by which Google's APIs are found here."""
        return endpoints(self.url)

    def grant(
        self,
        metric: str,
        limit: float,
        used: float = 0,
        *,
        region: str | None = None,
        gpu_family: str | None = None,
    ) -> None:
        """Set a quota: in one region, or in all; a global one is known by its name.

        With a family it is Cloud Quotas' of GPUs by family, whatever the metric.
        """
        if gpu_family:
            self.state.families[gpu_family, region or ""] = int(limit)
        else:
            self.state.quotas[metric, region or ""] = (float(limit), float(used))

    def offer(self, name: str, zones: Collection[str]) -> None:
        """Offer an accelerator or a machine type in these zones only."""
        self.state.offers[name] = set(zones)

    def revoke(self, *permissions: str) -> None:
        """Let testIamPermissions find these (patterns of fnmatch) not granted."""
        self.state.revoked += permissions

    def bind(self, role: str, member: str, condition: str = "") -> None:
        """Give a member a role on the project, under a condition where one is given."""
        only = {"condition": {"expression": condition}} if condition else {}
        self.state.bindings.append({"role": role, "members": [member], **only})

    def turn_off(self, *apis: str) -> None:
        """Turn APIs off: they are not enabled, and do not answer."""
        self.state.off.update(apis)

    def deny(self, *patterns: str) -> None:
        """Answer these with 403 from now on."""
        self._denied += patterns

    def fail(self, pattern: str, status: int, times: int = 1_000_000) -> None:
        """Answer the first `times` of these with 429, 500, 502, 503, 504, or `CUT`."""
        self._failing.append((pattern, status, [times]))

    def refuse_deletion(self, pattern: str, message: str) -> None:
        """Let operations fail that delete what has such a path (fnmatch's pattern)."""
        self.state.refused_deletions.append((pattern, message))

    def put(
        self, kind: str, place: str, resource: Json, project: str | None = None
    ) -> None:
        """Add a resource in the API's own JSON; ids, times and URLs are filled in.

        `kind` is a collection: disks, networks, clusters, repositories,
        serviceAccounts, …; `place` a zone, a region, `global`. Another project than
        our own is known from then on.
        """
        self.state.put(kind, place, project or self.state.project, resource)

    def there(self, kind: str, project: str | None = None) -> list[Json]:
        """Return what there is of a kind, put or made by Terraform."""
        found = self.state.things(kind, project or self.state.project)
        return [one.told for one in found]

    def answer(self, request: Request, authorization: str) -> tuple[int, Json | str]:
        """Return status and body. Raises ConnectionError for one that is cut."""
        with self._lock:
            self.asked.append(f"{request.method} {request.path}")
            self.counted.append(request.quota_project)
        time.sleep(self.delay_seconds)
        try:
            return 200, self._answer(request, authorization)
        except Refused as error:
            return error.status, error.body
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - ours, and told at once: 501 is not repeated
            return 501, traceback.format_exc()

    def _answer(self, request: Request, authorization: str) -> Json:
        if not re.fullmatch(r"Bearer .+", authorization):
            raise refused(401, "Request is missing required authentication credential.")
        api, answer, words = _routed(request)
        self._fail(request, api)
        self._check_consumer(request, api)
        line = f"{request.method} {request.path}"
        unknown = "project" in words and not self.state.knows(words["project"])
        if unknown or any(fnmatchcase(line, one) for one in self._denied):
            raise denied(request)
        return answer(self.state, request, **words)

    def _check_consumer(self, request: Request, api: Api) -> None:
        state = self.state
        consumer = state.consumer(request.quota_project)
        if request.quota_project in state.not_for_quota:
            raise may_not_count(request.quota_project, api)
        ours = consumer == NUMBER
        if api.name in (state.off | state.unknown if ours else state.off_elsewhere):
            raise api_off(api, consumer)

    def _fail(self, request: Request, api: Api) -> None:
        line = f"{request.method} {request.path}"
        for pattern, status, left in self._failing:
            with self._lock:
                hit = left[0] > 0 and fnmatchcase(line, pattern)
                left[0] -= hit
            if hit and status == CUT:
                raise ConnectionError
            if hit:
                raise passing(status, api)


def _routed(request: Request) -> tuple[Api, Callable[..., Json], dict[str, str]]:
    for api in _APIS:
        if found := api.answering(request):
            return api, *found
    raise refused(404, f"Method not found: {request.method} {request.path}")
