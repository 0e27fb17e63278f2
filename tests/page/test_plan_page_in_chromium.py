"""The page of the plan as a browser shows it: nothing cut, all readable, no requests.

Pages are measured in frames of three widths at once, since a start of Chromium takes
seconds. The copies that are measured have no policy, which would forbid the script.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ray_gke.reporting.plan_page import page
from tests.page import example

pytestmark = pytest.mark.browser

WIDTHS = (360, 768, 840, 1280)
"""A phone, a tablet, the least with tables side by side, a desk."""
SCHEMES = {"dark": 0, "light": 1}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
PAGES = {
    "rich": example.rich(),
    "smallest": example.smallest(),
    "huge": example.huge(10),
}


@pytest.fixture(scope="module")
def chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found and os.environ.get("CI_REQUIRES_PACKAGES") == "1":
        pytest.fail("no chromium on PATH, and CHROMIUM is not set")
    if not found:
        pytest.skip("needs chromium on PATH, or its path in CHROMIUM")
    return found


@pytest.fixture(scope="module", params=SCHEMES)
def measured(
    request: pytest.FixtureRequest, chromium: str, tmp_path_factory: Any
) -> list[dict[str, Any]]:
    """Return what the script found in each page at each width."""
    folder = tmp_path_factory.mktemp("measured")
    file = folder / "measured.html"
    file.write_text(_frames(), "utf-8")
    scheme = f"--blink-settings=preferredColorScheme={SCHEMES[request.param]}"
    done = _run(chromium, folder, scheme, "--window-size=1400,900", file)
    (told,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    found: list[dict[str, Any]] = json.loads(html.unescape(told))
    assert len(found) == len(PAGES) * len(WIDTHS)
    assert {one["scheme"] for one in found} == {request.param}
    return found


def test_no_page_is_wider_than_its_window(measured: list[dict[str, Any]]) -> None:
    assert [(one["page"], one["width"], one["wide"]) for one in measured] == [
        (name, width, []) for name in PAGES for width in WIDTHS
    ]


def test_all_text_stands_out_from_its_ground(measured: list[dict[str, Any]]) -> None:
    assert all(one["texts"] > 30 for one in measured)
    assert [one["pale"] for one in measured if one["pale"]] == []


def test_no_text_is_tiny(measured: list[dict[str, Any]]) -> None:
    assert min(one["smallest"] for one in measured) >= 10


def test_texts_of_pictures_do_not_touch(measured: list[dict[str, Any]]) -> None:
    assert [one["touching"] for one in measured if one["touching"]] == []


def test_pictures_have_a_size_and_hold_their_blocks(
    measured: list[dict[str, Any]],
) -> None:
    assert all(one["pictures"] > 0 for one in measured)
    assert [one["outside"] for one in measured if one["outside"]] == []


def test_slices_of_a_picture_are_equal(measured: list[dict[str, Any]]) -> None:
    assert [one["unequal"] for one in measured if one["unequal"]] == []


def test_the_page_itself_loads_without_complaints_and_asks_for_nothing(
    chromium: str, tmp_path: Path
) -> None:
    complaints, hosts = _loaded(chromium, tmp_path, page(example.rich()))
    assert complaints == []
    assert hosts == set()


def test_complaints_and_requests_of_a_page_would_be_seen(
    chromium: str, tmp_path: Path
) -> None:
    changed = page(example.smallest()).replace("</style>", " </style>")
    complaints, _ = _loaded(chromium, tmp_path, changed)
    assert "Content Security Policy" in complaints[0]
    asking = '<img src="http://elsewhere.invalid/x.png">'
    _, hosts = _loaded(chromium, tmp_path, asking)
    assert hosts == {"elsewhere.invalid"}


def _loaded(chromium: str, folder: Path, text: str) -> tuple[list[str], set[str]]:
    """Return what the console said of a page, and which hosts it asked for."""
    file = folder / "plan.html"
    file.write_text(text, "utf-8")
    log = folder / "net.json"
    done = _run(
        chromium, folder, "--enable-logging=stderr", f"--log-net-log={log}", file
    )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    urls = re.findall(r'"url":"https?://([^/"]*)', log.read_text("utf-8"))
    # Chromium asks its maker for updates and the time, whatever is opened.
    own = re.compile(r".*\.(google|googleapis|gstatic)\.com")
    return complaints, {host for host in urls if not own.fullmatch(host)}


def _frames() -> str:
    """Return a page that opens every page at every width, and measures it."""
    without = {
        name: re.sub(r"<meta http-equiv[^>]*>", "", page(capacity))
        for name, capacity in PAGES.items()
    }
    data = json.dumps(without).replace("</", "<\\/")
    return (
        "<!doctype html><style>html { color-scheme: light dark }</style>"
        f"<script>const pages = {data}; const widths = {list(WIDTHS)};\n"
        f"{MEASURE}</script><body></body>"
    )


def _run(
    chromium: str, folder: Path, *arguments: object
) -> subprocess.CompletedProcess[str]:
    *flags, file = arguments
    assert isinstance(file, Path)
    profile = f"--user-data-dir={folder / 'profile'}"
    words = [chromium, *FLAGS, *map(str, flags), profile, "--dump-dom", file.as_uri()]
    return subprocess.run(
        words, check=True, capture_output=True, text=True, timeout=100
    )
