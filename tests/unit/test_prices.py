"""The price file, ours and the user's, and fresh prices from a fake catalog."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import typer
import yaml
from typer.testing import CliRunner

from ray_gke import price_refresh
from ray_gke.catalog.prices import load, text, written
from ray_gke.commands.prices import prices as command
from ray_gke.errors import FailedError, InvalidError, RefusedError, UsageError
from ray_gke.gke.machines import MACHINE_TYPES
from ray_gke.targets import billing_catalog

TESTS = Path(__file__).parents[1]
FAULTS = TESTS / "faults_prices"
FACTS = yaml.safe_load((TESTS / "facts" / "gke.yaml").read_text(encoding="utf-8"))
PRICES = FACTS["prices_usd_per_hour_us_central1"]


@pytest.mark.parametrize(
    ("folder", "line", "key", "message", "hint"),
    [
        ("negative", 8, "on_demand", "-0.1 is not a price", "3.67"),
        ("zero", 8, "on_demand", "0 is not a price", "leave it out"),
        ("not-a-number", 8, "on_demand", "not a price", "3.67"),
        ("infinite", 8, "on_demand", "not a finite number", ""),
        ("key-misspelt", 8, "on_demmand", "unknown key", "'on_demand'"),
        ("section-misspelt", 7, "machine_type", "unknown key", "'machine_types'"),
        ("spot-without-on-demand", 8, "on_demand", "is missing", "write it"),
        ("date-missing", 3, "metadata.date", "is missing", "write it"),
        ("date-is-no-day", 3, "metadata.date", "2026-02-30 is no day", "2026-06-23"),
        ("wrong-kind", 2, "kind", "'Platform' is not allowed", "Prices"),
        ("region-is-a-zone", 4, "region", "'us-central1-a'", "a region such as"),
    ],
)
def test_one_mistake_is_one_error(
    folder: str, line: int, key: str, message: str, hint: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        load(FAULTS / folder / "prices.yaml")
    (problem,) = caught.value.problems
    assert problem.place
    assert (problem.place.line, str(problem.place.key)[-len(key) :]) == (line, key)
    assert message in problem.message
    assert hint in (problem.hint or "")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="cannot be read"):
        load(tmp_path / "prices.yaml")


def test_our_prices_are_those_of_the_facts() -> None:
    ours = load()
    assert (ours.date, ours.region, ours.currency) == (
        "2026-06-23",
        "us-central1",
        "USD",
    )
    assert ours.cluster_fee == Decimal("0.1")
    t4 = PRICES["gpu_addon_nvidia-tesla-t4"]
    assert ours.accelerators["nvidia-tesla-t4"].on_demand == Decimal(
        str(t4["on_demand"])
    )
    for name, expected in PRICES.items():
        if name in MACHINE_TYPES:
            price = ours.machine_types[name]
            assert str(price.on_demand) == str(expected["on_demand"])
            assert str(price.spot) == str(expected["preemptible_hint"])


def test_our_prices_are_of_machines_that_we_know() -> None:
    ours = load()
    assert set(ours.machine_types) <= set(MACHINE_TYPES)
    # What the table knows of the families that it knows at all, it knows in full.
    for name in MACHINE_TYPES:
        family = name.partition("-")[0]
        assert (name in ours.machine_types) == (
            family in {"a2", "g2", "e2", "n1", "n2"}
        )


def test_machines_that_the_table_does_not_know_have_no_price() -> None:
    assert load().of("a3-highgpu-8g", "nvidia-h100-80gb", 0, spot=False) is None


def test_attached_gpus_are_added() -> None:
    # n1-standard-8 0.38, a T4 0.35; Spot 0.08 and 0.11.
    ours = load()
    assert ours.of("n1-standard-8", "nvidia-tesla-t4", 2, spot=False) == Decimal("1.08")
    assert ours.of("n1-standard-8", "nvidia-tesla-t4", 2, spot=True) == Decimal("0.3")


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    ours, file = load(), tmp_path / "prices.yaml"
    file.write_text(written(ours), encoding="utf-8")
    assert load(file) == ours
    file.write_text(text(), encoding="utf-8")
    assert load(file) == ours


def _sku(description: str, usage: str, price: str, region: str) -> dict[str, Any]:
    units, _, nanos = price.partition(".")
    rate = {
        "startUsageAmount": 0,
        "unitPrice": {"units": units, "nanos": int(nanos.ljust(9, "0"))},
    }
    expression = {"usageUnit": "h", "tieredRates": [rate]}
    return {
        "description": description,
        "category": {"resourceFamily": "Compute", "usageType": usage},
        "serviceRegions": [region],
        "pricingInfo": [{"pricingExpression": expression}],
    }


A2 = [
    _sku("A2 Instance Core running in Americas", "OnDemand", "0.031611", "us-central1"),
    _sku("A2 Instance Ram running in Americas", "OnDemand", "0.004237", "us-central1"),
    _sku("A2 Instance Core running in Tokyo", "OnDemand", "9.9", "asia-northeast1"),
    _sku(
        "Commitment v1: A2 Cpu in Americas for 1 Year",
        "Commit1Yr",
        "0.01",
        "us-central1",
    ),
    _sku("A2 Custom Instance Core running in Americas", "OnDemand", "9", "us-central1"),
]
A100 = [
    _sku(
        "Nvidia Tesla A100 GPU running in Americas",
        "OnDemand",
        "2.933908",
        "us-central1",
    ),
    _sku(
        "Spot Preemptible A2 Instance Core running in Americas",
        "Preemptible",
        "0.01",
        "us-central1",
    ),
    _sku(
        "Spot Preemptible A2 Instance Ram running in Americas",
        "Preemptible",
        "0.002",
        "us-central1",
    ),
    _sku(
        "Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running in Americas",
        "Preemptible",
        "1.5",
        "us-central1",
    ),
    _sku("Nvidia Tesla T4 GPU running in Americas", "OnDemand", "0.35", "us-central1"),
    _sku("Balanced PD Capacity", "OnDemand", "0.1", "us-central1"),
]


@dataclass
class Google:
    """A catalog of two pages; `status` and `body` answer all requests if given."""

    status: int = 200
    body: bytes | None = None
    location: str | None = None
    address: str = ""
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def answer(self, path: str, headers: Mapping[str, str]) -> bytes:
        self.paths.append(path)
        self.headers.append(headers)
        if self.body is not None:
            return self.body
        if parse_qs(urlsplit(path).query).get("pageToken") == ["a+b/c="]:
            return json.dumps({"skus": A100, "nextPageToken": ""}).encode()
        return json.dumps({"skus": A2, "nextPageToken": "a+b/c="}).encode()


@contextmanager
def _serving(google: Google) -> Iterator[Google]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = google.answer(self.path, dict(self.headers))
            self.send_response(google.status)
            if google.location:
                self.send_header("Location", google.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        google.address = f"http://127.0.0.1:{server.server_port}/"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield google
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("GOOGLE_API_KEY", "very-secret")
    return monkeypatch


VARIABLE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBILLING"


def test_a_machine_is_the_sum_of_its_parts(environment: pytest.MonkeyPatch) -> None:
    with _serving(Google()) as google:
        environment.setenv(VARIABLE, google.address)
        fresh, notes = price_refresh.refresh("us-central1", load())
    # 12 * 0.031611 + 85 * 0.004237 + 2.933908, and 12 * 0.01 + 85 * 0.002 + 1.5.
    price = fresh.machine_types["a2-highgpu-1g"]
    assert (price.on_demand, price.spot) == (Decimal("3.673385"), Decimal("1.79"))
    assert fresh.machine_types["a2-megagpu-16g"].on_demand == Decimal("55.739504")
    assert set(fresh.machine_types) == {
        "a2-highgpu-1g",
        "a2-highgpu-2g",
        "a2-highgpu-4g",
        "a2-highgpu-8g",
        "a2-megagpu-16g",
    }
    assert set(fresh.accelerators) == {"nvidia-tesla-t4"}
    assert fresh.disks == {"pd-balanced": Decimal("0.1")}
    assert "cluster_fee is of 2026-06-23" in notes[0]
    assert "g2-standard-4" in notes[1]
    assert "nvidia-tesla-v100" in notes[1]
    assert "a2-highgpu-1g" not in notes[1]


def test_the_key_is_in_a_header_only(environment: pytest.MonkeyPatch) -> None:
    with _serving(Google()) as google:
        environment.setenv(VARIABLE, google.address)
        price_refresh.refresh("us-central1", load())
    assert [urlsplit(path).path for path in google.paths] == [
        "/v1/services/6F81-5844-456A/skus"
    ] * 2
    assert all("pageSize=5000" in path for path in google.paths)
    assert not any("secret" in path for path in google.paths)
    assert {headers["X-Goog-Api-Key"] for headers in google.headers} == {"very-secret"}


def test_a_token_is_as_good_as_a_key() -> None:
    access = billing_catalog.access({"GOOGLE_OAUTH_ACCESS_TOKEN": " ya29.x\n"})
    assert (access.header, access.value) == ("Authorization", "Bearer ya29.x")


@pytest.mark.parametrize(
    ("google", "error", "words"),
    [
        (
            Google(403, b'{"error": {"message": "API key not valid.\\u001b[31m"}}'),
            RefusedError,
            r"403\): API key not valid\. \[31m",
        ),
        (Google(401, b"no json"), RefusedError, r"refuses us \(401\)$"),
        (
            Google(429, b'{"error": {"message": "Slow down"}}'),
            FailedError,
            "answered 429: Slow down",
        ),
        (Google(503, b'{"error": []}'), FailedError, "answered 503$"),
        (
            Google(302, b"", location="https://example.com/"),
            FailedError,
            "answered 302",
        ),
        (Google(200, b"<html>"), FailedError, "not as expected"),
        (Google(200, b"[]"), FailedError, "not as expected"),
        (Google(200, b'{"skus": [{"pricingInfo": [3]}]}'), FailedError, "not as exp"),
        (Google(200, b"{}"), RefusedError, "no machines in us-central1"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Google) else "",
)
def test_answers_that_are_no_prices(
    environment: pytest.MonkeyPatch,
    google: Google,
    error: type[Exception],
    words: str,
) -> None:
    with _serving(google):
        environment.setenv(VARIABLE, google.address)
        with pytest.raises(error, match=words) as caught:
            price_refresh.refresh("us-central1", load())
    assert "secret" not in str(caught.value)


def test_nobody_answers(environment: pytest.MonkeyPatch) -> None:
    with _serving(Google()) as google:
        environment.setenv(VARIABLE, google.address)
    with pytest.raises(FailedError, match="cannot be reached"):
        price_refresh.refresh("us-central1", load())


def test_no_key_no_request(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("GOOGLE_API_KEY")
    with pytest.raises(RefusedError, match="wants an API key") as caught:
        price_refresh.refresh("us-central1", load())
    assert "GOOGLE_API_KEY" in str(caught.value.problems[0].hint)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("GOOGLE_API_KEY", "a\nb", "GOOGLE_API_KEY holds characters"),
        (VARIABLE, "file:///etc/passwd", "is no address"),
        (VARIABLE, "http://127.0.0.1:99999/", "cannot be reached"),
    ],
)
def test_an_environment_that_cannot_be_used(
    environment: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    environment.setenv(VARIABLE, "http://127.0.0.1:9/")
    environment.setenv(variable, value)
    with pytest.raises((RefusedError, FailedError), match=words):
        price_refresh.refresh("us-central1", load())


def test_a_zone_is_no_region(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="is no region"):
        price_refresh.refresh("us-central1-a", load())


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(command)
    return app


def test_the_command_prints_a_file_that_can_be_used(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.chdir(tmp_path)
    with _serving(Google()) as google:
        environment.setenv(VARIABLE, google.address)
        result = CliRunner().invoke(_app(), ["--refresh", "--region", "us-central1"])
    assert result.exit_code == 0, result.output
    assert "left out: " in result.stderr
    file = tmp_path / "fresh.yaml"
    file.write_text(result.stdout, encoding="utf-8")
    fresh = load(file)
    assert fresh.machine_types["a2-highgpu-1g"].on_demand == Decimal("3.673385")
    shown = CliRunner().invoke(_app(), ["--prices", str(file)])
    assert shown.stdout == result.stdout


def test_the_command_prints_ours(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.chdir(tmp_path)
    assert CliRunner().invoke(_app(), []).stdout == text()
    alone = CliRunner().invoke(_app(), ["--region", "us-central1"])
    assert isinstance(alone.exception, UsageError)
