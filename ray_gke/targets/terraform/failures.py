"""What the errors of a failed Terraform command come from, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ray_gke.errors import Problem
from ray_gke.targets.terraform.failure_rules import RULES, Rule
from ray_gke.targets.terraform.messages import Diagnostic, Message, Work

_LONGEST = 500
_MOST_NAMES = 3
_PERMISSION = r"([a-z]+\.[a-zA-Z]+\.[a-zA-Z]+)\b"
_SHORT_BY = (
    r"""resource "(\w+)": request requires '(\d+)[\d.]*' and is short '[\d.]+'\."""
    r""" project has a quota of '(\d+)[\d.]*' with '(\d+)"""
)
_LIMIT = r"Quota '(\w+)' exceeded\. Limit: (\d+)[\d.]* (globally|in region [\w-]+)"
_NOT_DOWNLOADED = (
    r"(?:versions for provider \S+|installing \S+ v\S+): (.{1,300}?)(?=: Get |$)"
)
# Fact to the patterns of it, the best first, and what it is in words.
_FACTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "project": (
        (r"\bprojects?[/=]([a-z0-9][a-z0-9.:-]*[a-z0-9])", r"\1"),
        (r"\bproject [#']?(\d{6,})", r"\1"),
    ),
    "quota": (
        (_SHORT_BY, r"\1 (\2 needed, \4 of \3 free)"),
        (_LIMIT, r"\1 (limit \2 \3)"),
        (r"Quota '(\w+)'", r"\1"),
    ),
    "metric": ((r"quota metric '([^']+)'", r"\1"),),
    "zone": (
        (r"/zones/([a-z0-9-]+)", r"\1"),
        (r"\b([a-z]+-[a-z]+\d+-[a-z])\b", r"\1"),
    ),
    "service": (
        (r"apis/api/([\w.-]+)/", r"\1"),
        (r'"service": ?"([\w.-]+)"', r"\1"),
    ),
    "permission": (
        (r"(?:[Pp]ermission|[Rr]equired|have)\b\W{1,4}" + _PERMISSION, r"\1"),
    ),
    "subject": (
        (r'User "([^"]+)" cannot (\w+) resource "([^"]+)"', r"\1 cannot \2 \3"),
    ),
    "running": ((r"\b(operation-[\w-]+\w)", r"\1"),),
    "host": ((r"https?://([\w.-]+)", r"\1"), (r"lookup ([\w.-]+\w)", r"\1")),
    "used": ((r"'([^']+)' is already being used", r"\1"),),
    "user": ((r"being used by '([^']+)'", r"\1"),),
    "group": ((r"zones/([\w-]+)/networkEndpointGroups/([\w-]+)", r"\2 --zone \1"),),
    "firewall": ((r"/firewalls/([\w-]+)", r"\1"),),
    "there": (
        (r"[Aa]lready exists: (\S+?)[.,]*(?: |$)", r"\1"),
        (r"'([^']+)' already exists", r"\1"),
        (r'([\w.]+ "[^"]+") already exists', r"\1"),
        (r"(Service account \S+) already exists", r"\1"),
    ),
    "id": (
        (r"[Aa]lready exists: (projects/\S+?)[.,]*(?: |$)", r"\1"),
        (r"'(projects/[^']+)' already exists", r"\1"),
        (r'[\w.]+ "([^"]+)" already exists', r"\1"),
    ),
    "lock": ((r"\bID: (\S+)", r"\1"),),
    "who": ((r"\bWho: (.+?) Version: ", r"\1"),),
    "since": ((r"\bCreated: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", r"\1"),),
    "operation": ((r"\bOperation: (?:OperationType)?(\w+)", r"\1"),),
    "bucket": (
        (r"gs://([a-z0-9][\w.-]*)", r"\1"),
        (r"/b/([a-z0-9][\w.-]*)/o", r"\1"),
        (r"access to ([a-z0-9][\w.-]*\w)\.?,", r"\1"),
    ),
    "version": ((r"support ((?:Terraform|OpenTofu) version [\w.-]*\w)", r"\1"),),
    "provider": (
        (r"versions for provider (\S+): ", r"\1"),
        (r"Error while installing (\S+ v\S+): ", r"\1"),
    ),
    "reason": ((_NOT_DOWNLOADED, r"\1"),),
}
_ROLES = {
    "artifactregistry": "roles/artifactregistry.admin",
    "compute": "roles/compute.networkAdmin",
    "container": "roles/container.admin",
    "iam": "roles/iam.serviceAccountAdmin",
    "resourcemanager": "roles/resourcemanager.projectIamAdmin",
    "serviceusage": "roles/serviceusage.serviceUsageAdmin",
}
_MANY = {"firewall", "service"}
_ACT_AS = "roles/iam.serviceAccountUser"


_Facts = Mapping[str, tuple[str, ...]]
_NOTHING: Mapping[str, str] = {}


class _OrItsName(dict[str, str]):
    """Values for a hint; one that is not known is its name in capitals."""

    def __missing__(self, name: str) -> str:
        return name.upper()


def cause(diagnostic: Diagnostic) -> str | None:
    """Return the short name of what a diagnostic comes from, None if not known."""
    rule = _rule(diagnostic)
    return rule.cause if rule else None


def retry_once(diagnostics: Sequence[Diagnostic]) -> bool:
    """Tell whether nothing but APIs that are off failed a command.

    One that was enabled a moment ago is not known everywhere at once.
    """
    causes = {cause(one) for one in _errors(diagnostics)}
    return causes == {"api_disabled"}


def problems(
    diagnostics: Sequence[Diagnostic],
    *,
    again: str,
    known: Mapping[str, str] = _NOTHING,
) -> tuple[Problem, ...]:
    """Return what failed, each cause once, and how `again` gets on.

    `again` is the command that the user is to run again, such as `ray-gke up`; `known`
    are facts for its hints that the errors may not tell.
    """
    groups: dict[Rule | str, list[Diagnostic]] = {}
    for one in _errors(diagnostics):
        groups.setdefault(_rule(one) or one.text, []).append(one)
    return tuple(_problem(what, met, again, known) for what, met in groups.items())


def placed(errors: Sequence[Diagnostic], said: Sequence[Message]) -> list[Diagnostic]:
    """Return errors with the addresses that those of a destroy do not have.

    They can be told from what else Terraform `said` where all have the same cause.
    """
    failed = [one for one in said if isinstance(one, Work) and one.state == "failed"]
    alike = len({cause(one) or one.text for one in errors}) == 1
    if not alike or len(failed) != len(errors) or any(one.address for one in errors):
        return list(errors)
    pairs = zip(errors, failed, strict=True)
    return [replace(error, address=work.address) for error, work in pairs]


def _errors(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [one for one in diagnostics if one.severity == "error"]


def _rule(diagnostic: Diagnostic) -> Rule | None:
    text = diagnostic.text
    found = (one for one in RULES if re.search(one.pattern, text, re.IGNORECASE))
    return next(found, None)


def _problem(
    what: Rule | str, met: Sequence[Diagnostic], again: str, known: Mapping[str, str]
) -> Problem:
    where = _where([one.address for one in met if one.address])
    if isinstance(what, str):
        fix = "put right what it says"
        message = _short(what)
    else:
        facts = _facts(met)
        message = _message(what, {name: _listed(facts[name]) for name in facts})
        fix = what.hint.format_map(_OrItsName({**known, **_in_commands(facts)}))
    hint = f"{fix}; then run {again}: it goes on from where it stopped"
    return Problem(f"{message.rstrip('.,')}{where}", hint=hint)


def _where(addresses: Sequence[str]) -> str:
    """Return in words where it was met: the first address, and how many others."""
    distinct = list(dict.fromkeys(addresses))
    if not distinct:
        return ""
    others = len(distinct) - 1
    more = f" and {others} other{'s' if others > 1 else ''}" if others else ""
    return f", at {distinct[0]}{more}"


def _facts(met: Sequence[Diagnostic]) -> _Facts:
    """Return what is known of a cause, each fact in the order in which it was met."""
    found: dict[str, dict[str, None]] = {}
    for name, patterns in _FACTS.items():
        for one in met:
            found.setdefault(name, {}).update(dict.fromkeys(_fact(one.text, patterns)))
    found["address"] = dict.fromkeys(one.address for one in met if one.address)
    found["said"] = {_short(met[0].text): None}
    found["role"] = dict.fromkeys(map(_role, found["permission"]))
    return {name: tuple(values) for name, values in found.items() if values}


def _fact(text: str, patterns: Sequence[tuple[str, str]]) -> list[str]:
    """Return what the first pattern finds that finds anything."""
    for pattern, words in patterns:
        if found := [one.expand(words) for one in re.finditer(pattern, text)]:
            return found
    return []


def _role(permission: str) -> str:
    if permission == "iam.serviceAccounts.actAs":
        return _ACT_AS
    return _ROLES.get(permission.partition(".")[0], "ROLE")


def _message(rule: Rule, values: Mapping[str, str]) -> str:
    for message in rule.messages:
        try:
            return message.format_map(values)
        except KeyError:
            continue
    return values["said"]


def _listed(values: Sequence[str]) -> str:
    more = len(values) - _MOST_NAMES
    shown = ", ".join(values[:_MOST_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown


def _in_commands(facts: _Facts) -> dict[str, str]:
    """Return the facts as a command takes them: many only where it takes many."""
    return {
        name: " ".join(values) if name in _MANY else values[0]
        for name, values in facts.items()
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
