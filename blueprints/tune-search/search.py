"""Search for good settings of gradient-boosted trees; stop hopeless trials early."""

from __future__ import annotations

import argparse
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import ray
import xgboost
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import BasicVariantGenerator
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

SPACE = {
    "max_depth": tune.randint(1, 9),
    "eta": tune.loguniform(0.001, 0.5),
    "subsample": tune.uniform(0.3, 1.0),
}


class Report(xgboost.callback.TrainingCallback):
    """Reports every round to Tune, which may end the trial there."""

    def after_iteration(
        self, _model: xgboost.Booster, _epoch: int, evals_log: dict[str, Any]
    ) -> bool:
        """Report the loss on rows that the model has not seen."""
        tune.report({"logloss": float(evals_log["test"]["logloss"][-1])})
        return False


def trial(config: dict[str, Any], rows: pd.DataFrame, label: str, rounds: int) -> None:
    """Train one model with the settings in `config`."""
    train, test = (
        xgboost.DMatrix(part.drop(columns=label), part[label])
        for part in train_test_split(rows, test_size=0.25, random_state=0)
    )
    xgboost.train(
        {"objective": "binary:logistic", "nthread": 1, **config},
        train,
        num_boost_round=rounds,
        evals=[(test, "test")],
        verbose_eval=False,
        callbacks=[Report()],
    )


def read(path: str) -> pd.DataFrame:
    """Return the rows of a CSV or Parquet file; the breast-cancer set without one."""
    if not path:
        return load_breast_cancer(as_frame=True).frame
    return pd.read_csv(path) if path.endswith(".csv") else pd.read_parquet(path)


def search(given: argparse.Namespace, folder: str) -> tune.ResultGrid:
    """Try `given.trials` settings and return how each did."""
    rows = read(given.input)
    if given.label not in rows:
        raise SystemExit(f"no column {given.label!r}; there are {', '.join(rows)}")
    return tune.Tuner(
        # Every trial gets the rows from the object store: read once, sent once a node.
        tune.with_parameters(trial, rows=rows, label=given.label, rounds=given.rounds),
        param_space=SPACE,
        tune_config=tune.TuneConfig(
            metric="logloss",
            mode="min",
            num_samples=given.trials,
            search_alg=BasicVariantGenerator(random_state=0),
            scheduler=ASHAScheduler(max_t=given.rounds, grace_period=2),
        ),
        run_config=tune.RunConfig(
            storage_path=folder,
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=3),
        ),
    ).fit()


def main() -> None:
    """Search, then print how many trials were stopped early, and the best one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", default="")
    parser.add_argument("--label", default="target")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=32)
    given = parser.parse_args()

    print(f"trying {given.trials} settings", flush=True)
    # Trials keep no checkpoints, so what Tune writes need not outlive the search.
    with TemporaryDirectory() as folder:
        results = search(given, folder)
    if results.num_errors:
        raise SystemExit(f"{results.num_errors} trials failed: {results.errors[0]}")
    early = [r for r in results if r.metrics["training_iteration"] < given.rounds]
    best = results.get_best_result()
    settings = ", ".join(f"{name} {best.config[name]:.4g}" for name in SPACE)
    print(f"trials: {len(results)}, of which {len(early)} were stopped early")
    print(f"best trial: logloss {best.metrics['logloss']:.4f} with {settings}")


if __name__ == "__main__":
    ray.init(logging_level="ERROR", log_to_driver=False)
    main()
