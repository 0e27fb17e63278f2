"""A platform's Terraform stacks: `platform` makes the cluster, `addons` fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ray_gke.catalog.platform import Platform
from ray_gke.errors import RefusedError
from ray_gke.rendering import terraform_variables
from ray_gke.targets.gke import turns
from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google.client import Google
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.client import connect_to
from ray_gke.targets.terraform import programs
from ray_gke.targets.terraform.stack import Stack
from ray_gke.targets.terraform.working_copy import WorkingCopy, remember, remembered

Variables = Mapping[str, Any]

CLUSTER = "module.cluster.google_container_cluster.this"
"""The address of the cluster in the stack `platform`."""


@dataclass(frozen=True)
class Outputs:
    """What the addons stack and the Kubernetes client are told of the cluster."""

    host: str
    name: str
    location: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Outputs | None:
        """Return those of the stack `platform`, None before it has made a cluster."""
        cluster = values.get("cluster")
        if not isinstance(cluster, dict) or not cluster.get("host"):
            return None
        return cls(cluster["host"], cluster["name"], cluster["location"])


@dataclass(frozen=True)
class Stacks:
    """The stacks of one platform, and the credentials with which they are run.

    `rendered` returns the variables of a stack by its name as the platform file says
    them; `again` is the command that goes on after a failure.
    """

    whole: Platform
    rendered: Callable[[str], Variables]
    again: str

    @cached_property
    def copy(self) -> WorkingCopy:
        """The folder in which they are run."""
        return WorkingCopy.beside(self.whole.folder, self.whole.name)

    @cached_property
    def credentials(self) -> Credentials:
        """Who we are to Google Cloud. Raises RefusedError without a login."""
        return Credentials.default()

    @cached_property
    def google(self) -> Google:
        """Google Cloud as its project sees it. Raises RefusedError without a login."""
        return Google(self.credentials, self.whole.spec.project or "")

    @cached_property
    def program(self) -> programs.Program:
        """The Terraform that runs them. Raises RefusedError without one."""
        return programs.find()

    @property
    def name(self) -> str:
        """The name of the platform."""
        return self.whole.name

    @property
    def begun(self) -> bool:
        """Tell whether there may be a state: here, or in a bucket.

        Terraform is not asked: its backend `gcs` writes one where there is none.
        """
        spec = self.whole.spec
        if self.copy.exists or spec.state is None:
            return self.copy.exists
        backend = terraform_variables.backend(spec, self.name, "platform")
        place = self.copy.place("platform", backend)
        return self.google.object_exists(place) is not False

    def platform(self, variables: Variables | None = None) -> Stack:
        """Return the stack `platform`, ready to be planned.

        Without variables it has those of its last run.
        """
        return self._ready("platform", variables, {})

    def addons(self, outputs: Outputs, variables: Variables | None = None) -> Stack:
        """Return the stack `addons`, ready, with a token that is valid now."""
        given = {**(variables or self._last("addons"))}
        given["kube_config"] = {"host": outputs.host}
        return self._ready("addons", given, {"KUBE_TOKEN": self.credentials.token()})

    def addons_left(self) -> Stack:
        """Return the stack `addons` when its cluster is gone: for its state alone."""
        return self._ready("addons", None, {})

    def last_variables(self) -> dict[str, Any]:
        """Return the variables with which `platform` was run last."""
        return self._last("platform")

    def remembered(self) -> Outputs | None:
        """Return what this machine remembers of the cluster."""
        return Outputs.of(self.remembered_outputs())

    def remembered_outputs(self) -> Variables:
        """Return what this machine remembers of all outputs of the stack `platform`."""
        return remembered(self._outputs)

    def outputs(self) -> Outputs | None:
        """Return what is known of the cluster, from here or from Terraform's state."""
        found = self.remembered()
        if found is None and self.begun:
            found = self.read_outputs(self.platform())
        return found

    def current_outputs(self) -> Outputs | None:
        """Return what is known of the cluster, also where others share the state.

        They may have made it anew since this machine has looked.
        """
        if self.whole.spec.state is None:
            return self.outputs()
        return self.read_outputs(self.platform()) if self.begun else None

    def read_outputs(self, platform: Stack) -> Outputs | None:
        """Return the outputs that the state has now, and remember them."""
        values = platform.outputs()
        found = Outputs.of(values)
        if found:
            remember(self._outputs, values)
        else:
            self._outputs.unlink(missing_ok=True)
        return found

    def forget(self) -> None:
        """Forget the platform, once nothing of it is there.

        What a sweep still needs to know of its cluster stays.
        """
        self._outputs.unlink(missing_ok=True)
        if self.whole.spec.state is None and not self.fingerprints.exists():
            self.copy.remove()

    def context(self, outputs: Outputs) -> str:
        """Return what gcloud calls the cluster in a kubeconfig."""
        return f"gke_{self.whole.spec.project}_{outputs.location}_{outputs.name}"

    def api(self, outputs: Outputs) -> Api:
        """Return the cluster, with credentials that are in memory only."""
        token = self.credentials.token
        return Api(connect_to(outputs.host, self.context(outputs), token))

    @property
    def fingerprints(self) -> Path:
        """The file in which it is kept what only its clusters had."""
        return self.copy.folder / "clusters.json"

    @property
    def _outputs(self) -> Path:
        return self.copy.folder / "outputs.json"

    def _last(self, stack: str) -> dict[str, Any]:
        return remembered(self.copy.variables(stack)) or dict(self.rendered(stack))

    @cached_property
    def _prepared(self) -> WorkingCopy:
        """The folder, with others kept out, and with the stacks of this version."""
        turns.take(self.copy.folder)
        self.copy.prepare()
        return self.copy

    def _ready(
        self, name: str, variables: Variables | None, env: Mapping[str, str]
    ) -> Stack:
        spec = self.whole.spec
        # Whoever has no Terraform or no login hears it before anything is written.
        program, _ = self.program, self.credentials.token()
        provider = {"project": spec.project or "", "region": spec.region or ""}
        backend = terraform_variables.backend(spec, self.name, name)
        given = dict(variables or self._last(name))
        copy = self._prepared
        stack = Stack(program, copy, name, self.name, self.again, env, provider)
        stack.init(terraform_variables.text(given), backend)
        return stack


def not_up(whole: Platform) -> RefusedError:
    """Return the refusal for a platform that has no cluster."""
    return RefusedError(
        f"the platform {whole.name} has no cluster yet", hint="ray-gke up makes it"
    )


def connect(stacks: Stacks) -> Api:
    """Return the cluster of a platform. Raises RefusedError when there is none."""
    return stacks.api(_known(stacks))


def kubeconfig(stacks: Stacks) -> dict[str, Any]:
    """Return a kubeconfig of the cluster, for kubectl and others.

    No token is in it: gke-gcloud-auth-plugin asks for one each time. Source: GKE
    "Install kubectl and configure cluster access". Raises what `connect` raises.
    """
    outputs = _known(stacks)
    name = stacks.context(outputs)
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "installHint": "gcloud components install gke-gcloud-auth-plugin",
        "provideClusterInfo": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": outputs.host}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": {"exec": plugin}}],
    }


def _known(stacks: Stacks) -> Outputs:
    outputs = stacks.outputs()
    if outputs is None:
        raise not_up(stacks.whole)
    return outputs
