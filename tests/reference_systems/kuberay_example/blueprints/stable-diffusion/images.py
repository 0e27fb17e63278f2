"""Text to image: GET /imagine?prompt=… answers with a PNG."""

# No `from __future__ import annotations`: Serve reads the type of `build`'s argument.
from io import BytesIO
from typing import Annotated

# These two are in the image only.
import torch  # type: ignore[import-not-found]
from diffusers import StableDiffusionPipeline as Pipeline  # type: ignore[import-not-found]
from fastapi import FastAPI, Query
from fastapi.responses import Response
from pydantic import BaseModel
from ray import serve
from ray.serve import Application

api = FastAPI(title="Stable Diffusion")


class Settings(BaseModel):
    """The `args` of the Serve config."""

    model: str


@serve.deployment
@serve.ingress(api)
class Images:
    """One replica, on a share of a GPU."""

    def __init__(self, model: str) -> None:
        """Load a model of Hugging Face in half precision, which takes half the room."""
        pipeline = Pipeline.from_pretrained(model, torch_dtype=torch.float16)
        self.pipeline = pipeline.to("cuda")
        self.pipeline.enable_attention_slicing()

    @api.get("/imagine", response_class=Response)
    def imagine(
        self,
        prompt: Annotated[str, Query(min_length=1, max_length=500)],
        img_size: Annotated[int, Query(ge=256, le=768, multiple_of=8)] = 512,
    ) -> Response:
        """Draw what the prompt says."""
        image = self.pipeline(prompt, height=img_size, width=img_size).images[0]
        png = BytesIO()
        image.save(png, "PNG")
        return Response(png.getvalue(), media_type="image/png")


def build(settings: Settings) -> Application:
    """Return the application."""
    return Images.bind(settings.model)  # type: ignore[attr-defined]  # decorated
