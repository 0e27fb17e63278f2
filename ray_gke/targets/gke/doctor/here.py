"""What of Terraform is on this machine: the program, its providers, the state.

Sources: Terraform "CLI Configuration" (provider_installation, and which folders are
looked at without it), "Provider Installation"; OpenTofu's, which differ in names.
"""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ray_gke import assets
from ray_gke.errors import Problem, RefusedError
from ray_gke.targets.gke.doctor import state
from ray_gke.targets.gke.doctor.needs import Needs
from ray_gke.targets.gke.doctor.provider_folders import has_provider
from ray_gke.targets.gke.later import Later
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.terraform.programs import Program
from ray_gke.targets.terraform.working_copy import WorkingCopy

STACKS = ("platform", "addons")
_SECONDS = 5.0
_NOBODY_BEHIND = {502, 503, 504}
"""What a proxy, or a site that is down, answers in place of what was asked."""
_REQUIRED = re.compile(r'source\s*=\s*"hashicorp/([\w-]+)"\s*version\s*=\s*"([^"]+)"')
_CHART = re.compile(r'\brepository\s*=\s*optional\(string, "([^"]+)"\)')
_BLOCK = re.compile(r"\b(filesystem_mirror|network_mirror|direct)\s*\{([^}]*)\}")
_PLACE = re.compile(r'\b(?:path|url)\s*=\s*"([^"]+)"')
_COMMENT = re.compile(r"^\s*(#|//).*$", re.MULTILINE)
_SITES = {
    "terraform": (
        "https://registry.terraform.io/.well-known/terraform.json",
        "https://releases.hashicorp.com/",
    ),
    "tofu": ("https://registry.opentofu.org/.well-known/terraform.json",),
}
_FOLDERS = (
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
)


@dataclass(frozen=True)
class Provider:
    """A provider, and from where Terraform gets one of the `versions` that it may be.

    `status` is `here` where a folder has it, `there` where all of `sites` answer, and
    `silent` where one does not, for the `reason` given. It is `nowhere` where the
    configuration names folders alone and none has it.
    """

    name: str
    versions: str
    status: Literal["here", "there", "silent", "nowhere"]
    sites: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Chart:
    """A page that Helm reads for a chart; `reason` is why it is out of reach, if so."""

    name: str
    url: str
    reason: str | None


@dataclass(frozen=True)
class Terraform:
    """The program, or why there is none, the stacks' providers, and their charts."""

    program: Program | Problem
    providers: tuple[Provider, ...]
    charts: tuple[Chart, ...]


def reach(url: str) -> str | None:
    """Return why a site does not answer, None when it does; through a proxy, if any."""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 ours, or the user's
    try:
        # A new opener, since the shared one remembers the proxies of its first day.
        with urllib.request.build_opener().open(request, timeout=_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}" if error.code in _NOBODY_BEHIND else None
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


@dataclass(frozen=True)
class Here:
    """A machine, for a platform whose stacks are run in `copy`.

    `find` returns Terraform, `stored` tells whether Cloud Storage has an object. Both
    may raise RefusedError. `reach` is as above.
    """

    copy: WorkingCopy
    find: Callable[[], Program]
    stored: Callable[[str], bool | Unread]
    reach: Callable[[str], str | None] = reach

    def look(self, needs: Needs) -> tuple[Terraform, state.Ours]:
        """Return what is here of Terraform, and what its state has."""
        program = self._program()
        ours = Later(lambda: state.read(needs, self.copy, program, self.stored))
        charts = [Later(partial(self._chart, *one)) for one in _charts(needs)]
        providers = self._providers(program)
        read = tuple(one.answer() for one in charts)
        return Terraform(program, providers, read), ours.answer()

    def _chart(self, name: str, url: str) -> Chart:
        return Chart(name, url, self.reach(url))

    def _program(self) -> Program | Problem:
        try:
            return self.find()
        except RefusedError as error:
            return error.problems[0]

    def _providers(self, program: Program | Problem) -> tuple[Provider, ...]:
        tofu = isinstance(program, Program) and "tofu" in Path(program.command[0]).name
        folders, sites = _methods(_SITES["tofu" if tofu else "terraform"])
        machine = program.platform if isinstance(program, Program) else ""
        wanted = {
            one: has_provider([*self._installed(stack), *folders], *one, machine)
            for stack in STACKS
            for one in required(stack)
        }
        if all(wanted.values()):
            return tuple(Provider(*one, "here") for one in wanted)
        asked = {site: Later(partial(self.reach, site)) for site in sites}
        silent = {site: why for site, later in asked.items() if (why := later.answer())}
        return tuple(
            Provider(*one, "here") if here else _elsewhere(*one, sites, silent)
            for one, here in wanted.items()
        )

    def _installed(self, stack: str) -> Iterator[Path]:
        yield self.copy.stack(stack) / ".terraform" / "providers"


def required(stack: str) -> list[tuple[str, str]]:
    """Return the providers of a stack, each with the versions that it may be."""
    return _REQUIRED.findall(_text(f"{stack}/versions.tf"))


def _charts(needs: Needs) -> Iterator[tuple[str, str]]:
    """Yield the charts that are installed, and the page that tells of each."""
    if not needs.spec.cluster.ray_operator:
        (repository,) = _CHART.findall(_text("addons/variables.tf"))
        yield "kuberay-operator", f"{repository.rstrip('/')}/index.yaml"


def _text(file: str) -> str:
    return (assets.folder("terraform") / file).read_text(encoding="utf-8")


def _elsewhere(
    name: str, versions: str, sites: Sequence[str], silent: dict[str, str]
) -> Provider:
    hosts = tuple(urlsplit(site).hostname or site for site in sites)
    if not sites:
        return Provider(name, versions, "nowhere")
    if not silent:
        return Provider(name, versions, "there", hosts)
    site, reason = next(iter(silent.items()))
    host = urlsplit(site).hostname or site
    return Provider(name, versions, "silent", (host,), reason)


def _methods(registry: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the folders and the sites from which providers are installed."""
    text = configuration()
    if "provider_installation" not in text:
        return [Path(folder).expanduser() for folder in _FOLDERS], list(registry)
    folders: list[Path] = []
    sites: list[str] = []
    for kind, inside in _BLOCK.findall(text):
        place = _PLACE.search(inside)
        if kind == "direct":
            sites += registry
        elif kind == "filesystem_mirror" and place:
            folders.append(Path(place[1]))
        elif place:
            sites.append(place[1])
    return folders, sites


def configuration() -> str:
    """Return the text of Terraform's own configuration, empty without one."""
    named = os.environ.get("TF_CLI_CONFIG_FILE")
    files = [named] if named else ["~/.terraformrc", "~/.tofurc"]
    for file in files:
        try:
            text = Path(file).expanduser().read_text(encoding="utf-8")
        except (OSError, RuntimeError, UnicodeDecodeError):
            continue
        return _COMMENT.sub("", text)
    return ""
