from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

pytestmark = pytest.mark.local

BEST = re.compile(
    r"best trial: logloss (?P<loss>[\d.]+) with "
    r"max_depth (?P<max_depth>\d+), "
    r"eta (?P<eta>[\d.]+), subsample (?P<subsample>[\d.]+)"
)


def test_finds_a_good_trial_and_stops_others(ray_gke: Any) -> None:
    stdout = ray_gke("up", "tune-search").stdout
    counts = re.search(r"trials: 12, of which (\d+) were stopped early", stdout)
    assert counts, stdout
    assert 1 <= int(counts[1]) <= 11

    best = BEST.search(stdout)
    assert best, stdout
    loss = float(best["loss"])
    # Without a search, the defaults of xgboost come to 0.0580 in 32 rounds.
    assert loss < 0.058
    data = load_breast_cancer()
    train, test, target, truth = train_test_split(
        data.data, data.target, test_size=0.25, random_state=0
    )
    alone = xgboost.XGBClassifier(
        n_estimators=32,
        max_depth=int(best["max_depth"]),
        learning_rate=float(best["eta"]),
        subsample=float(best["subsample"]),
    ).fit(train, target)
    assert log_loss(truth, alone.predict_proba(test)) == pytest.approx(loss, abs=0.02)


def test_reads_the_users_csv(ray_gke: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    table = load_breast_cancer(as_frame=True).frame
    table.rename(columns={"target": "benign"}).to_csv(file, index=False)
    options = [f"input={file}", "label=benign", "trials=3", "rounds=8"]
    sets = [word for option in options for word in ("--set", option)]
    assert "trials: 3, of which" in ray_gke("up", "tune-search", *sets).stdout
