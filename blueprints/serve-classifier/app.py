"""A classifier behind HTTP: POST /classify, GET /health."""

# No `from __future__ import annotations`: Serve reads the type of `build`'s argument.
from typing import Annotated, Any

import pandas as pd
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from ray.serve import Application
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

api = FastAPI(title="Classifier")

# The model computes with 32 bits, where larger numbers are infinite.
Number = Annotated[float, Field(strict=True, ge=-3e38, le=3e38, allow_inf_nan=False)]


class Settings(BaseModel):
    """The `args` of the Serve config."""

    input: str = ""
    label: str = "target"


class Instances(BaseModel):
    """What to classify: rows of numbers, as many in each as the model has features."""

    model_config = ConfigDict(extra="forbid")

    instances: Annotated[list[list[Number]], Field(min_length=1, max_length=1000)]


class Predictions(BaseModel):
    """The class of each instance, and how sure the model is of it."""

    labels: list[Any]
    probabilities: list[float]


@api.exception_handler(RequestValidationError)
def explain(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Say what is wrong where, without repeating the input: it may not fit in JSON."""
    problems = [
        {"where": ".".join(map(str, e["loc"])), "problem": e["msg"]}
        for e in error.errors()[:10]
    ]
    return JSONResponse({"detail": problems}, status_code=422)


@serve.deployment
@serve.ingress(api)
class Classifier:
    """One replica."""

    def __init__(self, model: RandomForestClassifier) -> None:
        """Serve `model`, which was trained once for all replicas."""
        self.model = model

    @api.post("/classify")
    def classify(self, request: Instances) -> Predictions:
        """Classify rows of numbers."""
        expected = self.model.n_features_in_
        problems = [
            {
                "where": f"body.instances.{index}",
                "problem": f"{expected} numbers are needed, not {len(row)}",
            }
            for index, row in enumerate(request.instances)
            if len(row) != expected
        ]
        if problems:
            raise HTTPException(422, detail=problems[:10])
        sure = self.model.predict_proba(request.instances)
        return Predictions(
            labels=self.model.classes_[sure.argmax(axis=1)].tolist(),
            probabilities=sure.max(axis=1).tolist(),
        )

    @api.get("/health")
    def health(self) -> dict[str, Any]:
        """Say that the replica answers, and what its model takes and gives."""
        return {
            "status": "ok",
            "features": self.model.n_features_in_,
            "classes": self.model.classes_.tolist(),
        }


def read(path: str) -> pd.DataFrame:
    """Return the rows of a CSV or Parquet file; handwritten digits without one."""
    if not path:
        return load_digits(as_frame=True).frame
    return pd.read_csv(path) if path.endswith(".csv") else pd.read_parquet(path)


def train(settings: Settings) -> RandomForestClassifier:
    """Return a classifier of the label from all other numeric columns."""
    rows = read(settings.input)
    if settings.label not in rows:
        msg = f"no column {settings.label!r}; there are {', '.join(rows)}"
        raise ValueError(msg)
    features = rows.drop(columns=settings.label).select_dtypes("number")
    model = RandomForestClassifier(random_state=0)
    return model.fit(features.to_numpy(), rows[settings.label])


def build(settings: Settings) -> Application:
    """Train the model and return the application that serves it."""
    return Classifier.bind(train(settings))  # type: ignore[attr-defined]  # decorated
