from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer, load_digits

pytestmark = pytest.mark.local


@dataclass(frozen=True)
class Endpoint:
    url: str

    def get(self, path: str) -> tuple[int, Any]:
        return self._ask(urllib.request.Request(self.url + path))

    def classify(self, body: bytes) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.url}/classify", data=body, headers=headers
        )
        return self._ask(request)

    def instances(self, rows: object) -> tuple[int, Any]:
        return self.classify(json.dumps({"instances": rows}).encode())

    def _ask(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


def up(ray_gke: Any, *options: str) -> Endpoint:
    sets = [word for option in options for word in ("--set", option)]
    ray_gke("up", "serve-classifier", "--detach", *sets)
    status = ray_gke("status", "serve-classifier", "--output", "json").stdout
    return Endpoint(json.loads(status)["urls"]["service"])


def test_classifies_digits_and_explains_bad_requests(ray_gke: Any) -> None:
    classifies_digits_and_explains_bad_requests(up(ray_gke))


def classifies_digits_and_explains_bad_requests(endpoint: Endpoint) -> None:
    digits = load_digits()

    code, health = endpoint.get("/health")
    assert (code, health["status"], health["features"]) == (200, "ok", 64)
    assert health["classes"] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

    code, answer = endpoint.instances(digits.data[:100].tolist())
    assert code == 200
    # A forest knows nearly all of the rows that it learned from.
    right = sum(a == b for a, b in zip(answer["labels"], digits.target, strict=False))
    assert len(answer["labels"]) == 100
    assert right >= 98
    assert all(0.1 <= sure <= 1 for sure in answer["probabilities"])

    image = digits.data[0].tolist()
    for rows, where, problem in [
        ([image, image[:-1]], "body.instances.1", "64 numbers are needed, not 63"),
        ([[*image[:-1], "8"]], "body.instances.0.63", "valid number"),
        ([[*image[:-1], True]], "body.instances.0.63", "valid number"),
        ([[*image[:-1], 1e300]], "body.instances.0.63", "less than or equal"),
        ([], "body.instances", "at least 1 item"),
        ("image", "body.instances", "valid list"),
    ]:
        code, answer = endpoint.instances(rows)
        assert code == 422, rows
        assert answer["detail"][0]["where"] == where
        assert problem in answer["detail"][0]["problem"]
    for body in (b"", b"{", b"[]", b"{}", b'{"instances": [[NaN]]}'):
        code, answer = endpoint.classify(body)
        assert code == 422, body
        assert re.match("body", answer["detail"][0]["where"])
    assert endpoint.classify(b"\xff")[0] == 400
    assert endpoint.get("/classify")[0] == 405
    assert endpoint.get("/nothing")[0] == 404


def test_learns_from_the_users_parquet(ray_gke: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    table = load_breast_cancer(as_frame=True).frame
    names = table["target"].map({0: "malignant", 1: "benign"})
    table.drop(columns="target").assign(diagnosis=names).to_parquet(file)

    endpoint = up(ray_gke, f"input={file}", "label=diagnosis", "max_replicas=1")
    assert endpoint.get("/health")[1]["classes"] == ["benign", "malignant"]
    rows = table.drop(columns="target").iloc[:50].to_numpy().tolist()
    labels = endpoint.instances(rows)[1]["labels"]
    assert sum(a == b for a, b in zip(labels, names[:50], strict=True)) >= 49
