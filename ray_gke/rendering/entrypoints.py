"""A job's command on its way through KubeRay to the head.

KubeRay pastes the entrypoint into a line of bash, in the arguments of the submitter's
container; there kubelet replaces `$(NAME)` and `$$`, and bash makes words of it. `ray
job submit` joins them with shlex.join, which keeps words as they are; older ones with
subprocess.list2cmdline, whose double quotes sh reads. Ray's head gives the result to
sh. What we write comes through both.
Sources: KubeRay controllers/ray/common/job.go, ray dashboard/modules/job/cli.py,
Kubernetes third_party/forked/golang/expansion.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

# What sh reads within double quotes, in which list2cmdline puts words with spaces.
_READ_BY_SH = re.compile(r'["$`\\]')
# The rest is for Python's quotes and for the decoding itself.
_ENCODED = re.compile(r"""["$`\\'%]|[^\S ]""")

PLACEHOLDER = "${RAY_GKE_"
BASH_CHARACTERS = {"$": "RAY_GKE_DOLLAR", "`": "RAY_GKE_BACKTICK"}
"""Characters that bash replaces inside double quotes, and variables that hold them."""


def entrypoint(command: str) -> str:
    """Return what KubeRay must be given so that the head's sh runs `command`.

    A command that no step on the way changes is returned as it is.
    """
    given = command.strip()
    if all(word and shlex.quote(word) == word for word in given.split(" ")):
        return given
    return shlex.join(_survivable(given))


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


def _survivable(command: str) -> list[str]:
    """Return the words of a command that does the same, whoever joins them.

    That takes a word with a space, for the double quotes, and nothing in it that sh
    would read there.
    """
    if not _READ_BY_SH.search(command):
        return ["sh", "-c", f"{command} "]
    encoded = _ENCODED.sub(_percent, command)
    run = f"os.execlp('sh', 'sh', '-c', urllib.parse.unquote('{encoded}'))"
    return ["python", "-c", f"import os, urllib.parse; {run}"]


def _percent(found: re.Match[str]) -> str:
    """Return a character as URLs have it, which urllib.parse.unquote reads."""
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
