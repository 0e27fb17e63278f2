"""Train a model once, then predict a large table with a pool of actors."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.fs
import ray
from ray.data import ActorPoolStrategy
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

if TYPE_CHECKING:
    import pandas as pd
    from ray.data import Dataset


class Predictor:
    """Holds the model in one actor of the pool, so that it is loaded only once."""

    def __init__(self, model: ray.ObjectRef[RandomForestClassifier]) -> None:
        self.model = ray.get(model)

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        """Return the batch with a column `prediction`."""
        features = batch[list(self.model.feature_names_in_)]
        return batch.assign(prediction=self.model.predict(features))


def read(path: str) -> Dataset:
    """Return the rows of a CSV or Parquet file or folder; digits without a path."""
    if not path:
        return ray.data.from_pandas(load_digits(as_frame=True).frame)
    if path.endswith(".csv"):
        return ray.data.read_csv(path)
    return ray.data.read_parquet(path)


def train(rows: pd.DataFrame, label: str) -> RandomForestClassifier:
    """Return a classifier of `label` from all other numeric columns."""
    if label not in rows:
        msg = f"no column {label!r} in the input; it has {', '.join(rows)}"
        raise SystemExit(msg)
    features = rows.drop(columns=label).select_dtypes("number")
    return RandomForestClassifier(random_state=0).fit(features, rows[label])


def refuse_used(folder: str) -> None:
    """End the job before any work when `folder` holds files already."""
    filesystem, path = pyarrow.fs.FileSystem.from_uri(folder)
    if filesystem.get_file_info(pyarrow.fs.FileSelector(path, allow_not_found=True)):
        msg = f"output {folder} is not empty: choose a new folder"
        raise SystemExit(msg)


def arguments() -> argparse.Namespace:
    """Return the arguments; an empty output becomes a new folder of this run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", default="")
    parser.add_argument("--label", default="target")
    parser.add_argument("--output", default="")
    parser.add_argument("--train-rows", type=int, default=10_000)
    parser.add_argument("--actors", type=int, default=2)
    given = parser.parse_args()
    new = Path.home() / "ray_results" / f"predictions-{time.strftime('%Y%m%d-%H%M%S')}"
    given.output = given.output or str(new)
    return given


def count(batch: pd.DataFrame, label: str) -> dict[str, list[int]]:
    """Return one row: the number of rows in the batch, and of right predictions."""
    right = batch[label] == batch["prediction"]
    return {"rows": [len(right)], "right": [int(right.sum())]}


def main() -> None:
    """Train on one half of the rows, predict the other, write and measure."""
    given = arguments()
    refuse_used(given.output)
    known, unknown = read(given.input).train_test_split(0.5, shuffle=True, seed=0)
    model = train(known.limit(given.train_rows).to_pandas(), given.label)

    predictions = unknown.map_batches(
        Predictor,
        fn_constructor_args=(ray.put(model),),
        compute=ActorPoolStrategy(min_size=1, max_size=given.actors),
        batch_size=256,
        batch_format="pandas",
    ).materialize()
    predictions.write_parquet(given.output)
    counts = predictions.map_batches(
        count, fn_kwargs={"label": given.label}, batch_format="pandas"
    ).take_all()

    rows = sum(part["rows"] for part in counts)
    right = sum(part["right"] for part in counts)
    print(f"rows: {rows}")
    print(f"accuracy: {right / rows:.4f}")
    print(f"output: {given.output}")


if __name__ == "__main__":
    ray.init(logging_level="WARNING")
    main()
