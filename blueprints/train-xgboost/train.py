"""Train gradient-boosted trees on several workers, any of which may be preempted."""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import ray
import ray.train
import xgboost
from ray.train.xgboost import XGBoostTrainer
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

MODEL = "model.ubj"


@dataclass(frozen=True)
class Settings:
    """What to train on, for how long, and how often to save."""

    input: str
    label: str
    rounds: int
    checkpoint_every: int


class SaveAndReport(xgboost.callback.TrainingCallback):
    """Reports the loss with a checkpoint of the model, every few rounds."""

    def __init__(self, settings: Settings, start: int) -> None:
        """`start` is the number of rounds that the model had already."""
        self.settings = settings
        self.start = start

    def after_iteration(
        self, model: xgboost.Booster, _epoch: int, evals_log: dict[str, Any]
    ) -> bool:
        """Save and report when it is time; training always goes on."""
        done = model.num_boosted_rounds()
        if done % self.settings.checkpoint_every and done != self.settings.rounds:
            return False
        loss = float(evals_log["test"]["logloss"][-1])
        metrics = {"round": done, "logloss": loss, "start": self.start}
        with TemporaryDirectory() as folder:
            model.save_model(Path(folder, MODEL))
            first = ray.train.get_context().get_world_rank() == 0
            checkpoint = ray.train.Checkpoint(folder) if first else None
            ray.train.report(metrics, checkpoint=checkpoint)
        return False


class Progress(ray.train.UserCallback):
    """Tells of every report; runs beside the driver, so it survives lost workers."""

    def __init__(self) -> None:
        """Begin with a run that was never interrupted."""
        self.start = 0

    def after_report(
        self,
        run_context: object,  # noqa: ARG002 given by Ray
        metrics: list[dict[str, Any]],
        checkpoint: ray.train.Checkpoint | None,  # noqa: ARG002 given by Ray
    ) -> None:
        """Print one line a report, and one when the run came back."""
        report = metrics[0]
        if report["start"] != self.start:
            self.start = report["start"]
            print(f"resumed from round {self.start}")
        loss = f"logloss {report['logloss']:.4f}"
        print(f"round {report['round']}: {loss}, {len(metrics)} workers", flush=True)


def read(settings: Settings) -> pd.DataFrame:
    """Return the rows of a CSV or Parquet file; the breast-cancer set without one."""
    if not settings.input:
        return load_breast_cancer(as_frame=True).frame
    csv = settings.input.endswith(".csv")
    return pd.read_csv(settings.input) if csv else pd.read_parquet(settings.input)


def last_model() -> xgboost.Booster | None:
    """Return the model of the last checkpoint, if this run was interrupted."""
    checkpoint = ray.train.get_checkpoint()
    if checkpoint is None:
        return None
    with checkpoint.as_directory() as folder:
        return xgboost.Booster(model_file=Path(folder, MODEL))


def train_on_worker(config: dict[str, Any]) -> None:
    """Train on this worker's part of the rows, together with the other workers."""
    # Ray tells of every report at this level; `Progress` does it in one line.
    logging.getLogger().setLevel(logging.WARNING)
    settings = Settings(**config)
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    known, unknown = train_test_split(read(settings), test_size=0.25, random_state=0)
    mine = known.iloc[rank::workers]
    train, test = (
        xgboost.DMatrix(rows.drop(columns=settings.label), rows[settings.label])
        for rows in (mine, unknown)
    )

    model = last_model()
    done = model.num_boosted_rounds() if model else 0
    xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "eta": 0.02},
        train,
        num_boost_round=settings.rounds - done,
        evals=[(test, "test")],
        verbose_eval=False,
        xgb_model=model,
        callbacks=[SaveAndReport(settings, done)],
    )


def main() -> None:
    """Train and print the final loss and where the model is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", default="")
    parser.add_argument("--label", default="target")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--checkpoint-every", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--storage-path", default="")
    given = parser.parse_args()
    settings = Settings(given.input, given.label, given.rounds, given.checkpoint_every)

    # Told here once, not by every worker and every retry.
    columns = read(settings).columns
    if settings.label not in columns:
        raise SystemExit(
            f"no column {settings.label!r}; there are {', '.join(columns)}"
        )
    result = XGBoostTrainer(
        train_on_worker,
        train_loop_config=asdict(settings),
        # Elastic: goes on with fewer workers until a lost one is replaced.
        scaling_config=ray.train.ScalingConfig(num_workers=(1, given.workers)),
        run_config=ray.train.RunConfig(
            storage_path=given.storage_path or None,
            callbacks=[Progress()],
            failure_config=ray.train.FailureConfig(
                max_failures=3, max_preemption_failures=-1
            ),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
            logging_config=ray.train.LoggingConfig(log_level="ERROR"),
        ),
    ).fit()
    print(f"rounds: {result.metrics['round']}")
    print(f"logloss: {result.metrics['logloss']:.4f}")
    print(f"model: {result.checkpoint.path}/{MODEL}")


if __name__ == "__main__":
    ray.init(logging_level="WARNING")
    main()
