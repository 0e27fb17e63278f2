"""Copy a platform's images to the registry next to its cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ray_gke.commands.options import Output, OutputOption, PlatformFile

if TYPE_CHECKING:
    from ray_gke.gke.image_names import ImageName

# As images name them: Go's GOARCH.
_ARCHITECTURE = re.compile("[a-z0-9]+")


def mirror(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IMAGE",
            help="HOST/PATH:TAG or HOST/PATH@DIGEST; all of the platform without any.",
        ),
    ] = None,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="Repository that gets them, and a path in it; the platform's own "
            "without it.",
        ),
    ] = None,
    architectures: Annotated[
        list[str] | None,
        typer.Option(
            "--architecture",
            metavar="ARCHITECTURE",
            help="What the nodes are; may be repeated; amd64 without it.",
        ),
    ] = None,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Copy images to another registry, by digest; nothing is copied twice.

    Logins are those of docker login, and Google's for its own registries. Run it again
    after a failure: it goes on where it was.
    """
    from ray_gke.gke import image_names
    from ray_gke.reporting import answers
    from ray_gke.targets.registry import mirror as mirroring
    from ray_gke.targets.registry.client import Registries

    platforms = [_platform(one) for one in architectures or ["amd64"]]
    sources = (
        list(dict.fromkeys(image_names.parse(one) for one in images))
        if images
        else _of_platform(file)
    )
    prefix = _beside_cluster(file) if to is None else to
    pairs = [(one, _copy(one, prefix)) for one in sources]
    # What is told goes to stderr, whatever the form of the answer.
    with answers.telling("text") as emit:
        copies = mirroring.mirror(
            Registries(_google_token()),
            [(source, target) for source, target in pairs if source != target],
            emit,
            platforms,
        )
    if output is Output.json:
        answers.document([answers.as_data(one) for one in copies])
    else:
        for one in copies:
            typer.echo(f"{one.source} → {one.target}@{one.digest}")


def _of_platform(file: Path | None) -> Sequence[ImageName]:
    from ray_gke import planned, selection
    from ray_gke.errors import UsageError

    choice = selection.choose(file)
    if choice.platform is None:
        hint = "name some, or a platform file with --file"
        raise UsageError("which IMAGE?", hint=hint)
    return planned.images_to_copy(choice.on_gke())


def _beside_cluster(file: Path | None) -> str:
    """Return the repository for copies that Terraform makes beside the cluster."""
    from ray_gke import selection
    from ray_gke.errors import UsageError

    registry = selection.choose(file).site.image_registry
    if registry is None:
        raise UsageError(
            "where should the images go?",
            hint="name a repository with --to, or a platform file with project and "
            "region with --file",
        )
    return registry.images


def _copy(name: ImageName, prefix: str) -> ImageName:
    """Return the name of an image's copy. Raises UsageError where it cannot be one."""
    from ray_gke.errors import InvalidError, UsageError
    from ray_gke.gke import image_names

    copy = image_names.mirrored(name, prefix)
    try:
        image_names.parse(str(copy))
    except InvalidError:
        raise UsageError(
            f"--to {prefix!r} is no repository that can have a copy of {name}",
            hint="write HOST/PATH in lower case, without http:// and without a tag; "
            "PATH and that of the image have at most 255 characters",
        ) from None
    return copy


def _platform(architecture: str) -> str:
    from ray_gke.errors import UsageError

    if not _ARCHITECTURE.fullmatch(architecture):
        raise UsageError(
            f"--architecture {architecture!r} is no architecture",
            hint="write amd64 or arm64; for both, name the option twice",
        )
    return f"linux/{architecture}"


def _google_token() -> Callable[[], str]:
    """Return what asks Google for an access token, once some registry wants it."""
    from functools import cache

    from ray_gke.targets.gke.credentials import Credentials

    found = cache(Credentials.default)
    return lambda: found().token()
