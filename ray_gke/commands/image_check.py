"""Whether the nodes of a platform can stream its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ray_gke.commands.options import Output, OutputOption, PlatformFile

if TYPE_CHECKING:
    from ray_gke.commands.on_gke import Whole
    from ray_gke.targets.gke.images.answer import Checked
    from ray_gke.targets.gke.images.facts import Asked


def check(*, file: PlatformFile = None, output: OutputOption = Output.text) -> None:
    """Say for each image of a platform whether nodes can stream it, and if not why.

    With its compressed size, and what a full pull would take. Nothing is changed. What
    may not be read is a question mark, not a no.
    """
    from ray_gke import selection
    from ray_gke.commands.on_gke import Whole
    from ray_gke.errors import UsageError
    from ray_gke.reporting import answers, image_rows

    choice = selection.choose(file)
    if choice.site.image_registry is None:
        raise UsageError(
            "which images, and where are the nodes?",
            hint="name a platform file with project and region with --file",
        )
    whole = Whole.of(choice)
    checked = _checked(whole)
    answers.warnings(whole.choice.catalogs.warnings)
    if output is Output.json:
        answers.document(answers.as_data(checked))
        return
    answers.table(checked.images, output, image_rows.images, nothing="no images")
    for line in image_rows.lines(checked):
        typer.echo(line)
    answers.notes([checked.assumption])


def _checked(whole: Whole) -> Checked:
    from ray_gke import planned
    from ray_gke.targets.gke.images import answer

    asked = _asked(whole)
    return answer.checked(
        whole.platform,
        asked.registry,
        whole.capacity,
        asked.streaming(),
        planned.images(whole.selected, whole.choice),
    )


def _asked(whole: Whole) -> Asked:
    from ray_gke import planned
    from ray_gke.targets.gke.credentials import Credentials
    from ray_gke.targets.gke.images.facts import Asked
    from ray_gke.targets.google.client import Google
    from ray_gke.targets.registry.client import Registries
    from ray_gke.targets.registry.connections import LOOKING

    spec, registry = whole.platform.spec, whole.choice.site.image_registry
    assert registry
    credentials = Credentials.default()
    return Asked(
        registry,
        whole.needs().node_account,
        {registry.pulled(one): one for one in planned.images_as_named(whole.choice)},
        spec.network.existing,
        lambda project: Google(credentials, project),
        Registries(credentials.token, patience=LOOKING),
    )
