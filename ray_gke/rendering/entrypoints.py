"""A job's command on its way through KubeRay to the head.

KubeRay pastes the entrypoint into a line of bash, in the arguments of the submitter's
container; there kubelet replaces `$(NAME)` and `$$`, bash makes words of it, and `ray
job submit` joins them with subprocess.list2cmdline; Ray's head gives the result to sh.
Sources: KubeRay controllers/ray/common/job.go, ray dashboard/modules/job/cli.py,
Kubernetes third_party/forked/golang/expansion.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

# list2cmdline puts an argument in double quotes when it is empty or has one of these,
# and puts a backslash before a double quote.
_REWRITTEN = re.compile(r'["\t]|  ')

PLACEHOLDER = "${RAY_GKE_"
BASH_CHARACTERS = {"$": "RAY_GKE_DOLLAR", "`": "RAY_GKE_BACKTICK"}
"""Characters that bash replaces inside double quotes, and variables that hold them."""


def entrypoint(command: str) -> str:
    """Return what KubeRay must be given so that the head's sh runs `command`.

    A command that no step on the way changes is returned as it is.
    """
    words = _survivable(command.strip()).split(" ")
    return for_kubelet(" ".join(shlex.quote(word) for word in words))


def for_kubelet(text: str) -> str:
    """Return `text` so that kubelet, which replaces `$(NAME)`, returns it."""
    return text.replace("$", "$$") if re.search(r"\$[$(]", text) else text


def for_double_quotes(value: Any) -> Any:
    """Return data whose strings survive bash's double quotes.

    KubeRay writes the runtime environment and the metadata of a job into them, with
    backslashes before double quotes and backslashes only.
    """
    if isinstance(value, str):
        return re.sub(r"[$`]", lambda m: f"${{{BASH_CHARACTERS[m[0]]}}}", value)
    if isinstance(value, Mapping):
        return {for_double_quotes(k): for_double_quotes(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [for_double_quotes(part) for part in value]
    return value


def _survivable(command: str) -> str:
    """The same command for sh, without what list2cmdline would rewrite.

    Where needed the command becomes an argument of printf, with escapes, that a second
    sh runs. An assignment keeps its value whole; so does an expansion without field
    splitting (IFS) and file names (-f).
    """
    if not _REWRITTEN.search(command):
        return command
    escaped = re.sub(r"""["'\\\t]| (?= )|(?<= ) """, _octal, command)
    return f"c=$(printf %b '{escaped}'); IFS=; set -f; exec sh -c $c"


def _octal(character: re.Match[str]) -> str:
    return f"\\0{ord(character[0]):03o}"
