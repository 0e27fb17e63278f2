from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

pytestmark = pytest.mark.local


def found(pattern: str, stdout: str) -> str:
    match = re.search(pattern, stdout)
    assert match, stdout
    return match[1]


def loss_of(model: Path) -> float:
    data = load_breast_cancer()
    _, rows, _, truth = train_test_split(
        data.data, data.target, test_size=0.25, random_state=0
    )
    booster = xgboost.Booster(model_file=model)
    inputs = xgboost.DMatrix(rows, feature_names=list(data.feature_names))
    return float(log_loss(truth, booster.predict(inputs)))


def test_goes_on_when_a_worker_is_preempted(ray_gke: Any, tmp_path: Path) -> None:
    options = ["rounds=800", "checkpoint_every=20", f"storage_path={tmp_path}"]
    sets = [word for option in options for word in ("--set", option)]
    job = ray_gke.start("up", "train-xgboost", *sets)
    job.wait_for("round 60:")
    status = json.loads(ray_gke("status", "train-xgboost", "--output", "json").stdout)
    workers = [worker for worker in status["workers"] if worker["group"] == "spot"]
    assert len(workers) == 2
    os.kill(workers[0]["pid"], signal.SIGTERM)

    done = job.result()
    assert done.exit_code == 0, done.stderr
    model = Path(found(r"\nmodel: (.*)", done.stdout))
    resumed_and_trained_all_rounds(model, done.stdout)


def resumed_and_trained_all_rounds(model: Path, stdout: str) -> None:
    assert int(found(r"resumed from round (\d+)", stdout)) >= 60
    assert found(r"\nrounds: (\d+)", stdout) == "800"
    loss = float(found(r"\nlogloss: ([\d.]+)", stdout))
    assert xgboost.Booster(model_file=model).num_boosted_rounds() == 800
    assert loss == pytest.approx(loss_of(model), abs=0.0001)
    # xgboost alone, in one process without Ray, comes to 0.0454.
    assert loss == pytest.approx(0.0454, abs=0.005)


def test_reads_the_users_parquet(ray_gke: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    table = load_breast_cancer(as_frame=True).frame
    table.rename(columns={"target": "benign"}).to_parquet(file)
    options = [f"input={file}", "label=benign", "workers=1", f"storage_path={tmp_path}"]
    sets = [word for option in options for word in ("--set", option)]

    stdout = ray_gke("up", "train-xgboost", *sets).stdout
    assert found(r"\nrounds: (\d+)", stdout) == "200"
    assert "resumed" not in stdout
    model = Path(found(r"\nmodel: (.*)", stdout))
    assert model.is_relative_to(tmp_path)
    assert float(found(r"\nlogloss: ([\d.]+)", stdout)) == pytest.approx(
        loss_of(model), abs=0.0001
    )
