"""Google's clients are loaded when they are needed, by whoever needs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.google.apis import GoogleApis

ALL_AT_ONCE = """\
import sys
from concurrent.futures import ThreadPoolExecutor
from ray_gke.targets.gke.credentials import Credentials
from ray_gke.targets.google.answers import Unread
from ray_gke.targets.google.client import Google
from tests.google.questions import QUESTIONS
google = Google(Credentials.default(), "my-project")
loaded = [name for name in sys.modules if name.startswith("google.cloud")]
with ThreadPoolExecutor(len(QUESTIONS)) as pool:
    asked = [pool.submit(ask, google) for _, ask in QUESTIONS.values()]
assert not [one for one in asked if isinstance(one.result(), Unread)], asked
services = "google.cloud.compute_v1.services."
print(loaded, services + "instances" in sys.modules)
"""


def test_all_is_asked_at_once_by_a_new_process(apis: GoogleApis) -> None:
    """Clients are loaded by many threads, when they are needed, and warn of nothing.

    Of Compute Engine's client, what is not needed is never loaded: it takes a second.
    """
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", ALL_AT_ONCE],
        env={**os.environ, **apis.env()},
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "[] False\n"
