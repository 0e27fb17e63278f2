"""The commands: one line per stage. What a stage does stands in its own room."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

# Rich's help takes three times as long to start and wraps badly on narrow terminals.
app = typer.Typer(
    name="ray-gke",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
blueprints_app = typer.Typer(
    help="The catalog: what can be brought up.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(blueprints_app, name="blueprints")


class Target(enum.StrEnum):
    """Where a blueprint runs."""

    local = "local"


class Output(enum.StrEnum):
    """How an answer is written."""

    text = "text"
    json = "json"


class ValidateFormat(enum.StrEnum):
    """How the findings of `validate` are written."""

    text = "text"
    json = "json"
    github = "github"


class Document(enum.StrEnum):
    """What `schema` describes."""

    blueprint = "blueprint"
    platform = "platform"


class Workload(enum.StrEnum):
    """What a new blueprint runs."""

    cluster = "cluster"
    job = "job"
    service = "service"


Blueprint = Annotated[
    str, typer.Argument(metavar="BLUEPRINT", help="Name in a catalog, or a folder.")
]
AnyBlueprint = Annotated[
    str | None,
    typer.Argument(
        metavar="BLUEPRINT",
        help="Name in a catalog, or a folder; everything on the platform without it.",
    ),
]
Run = Annotated[str, typer.Argument(metavar="NAME", help="Name of what is up.")]
AnyRun = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Name of what is up.")
]
PlatformFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="Platform file; ray-gke.yaml if it is here.",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Set a parameter; may be repeated."
    ),
]
RunName = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="Name of the run; the blueprint's by default."
    ),
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="For people, or for programs.")
]


def _version(wanted: bool) -> None:  # noqa: FBT001 typer calls it so
    if wanted:
        from ray_gke import __version__

        typer.echo(f"ray-gke {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say it."),
    ] = False,
) -> None:
    """Ray on Kubernetes from one blueprint: on this machine, on any cluster, on GKE."""


@app.command()
def up(
    blueprint: AnyBlueprint = None,
    *,
    on: Annotated[Target, typer.Option("--on", help="Where it runs.")] = Target.local,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Do not wait for a job to end.")
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """Bring a blueprint up and wait until it is ready, or its job is done."""
    from ray_gke import selection
    from ray_gke.reporting import answers
    from ray_gke.targets import local

    choice = selection.choose(file)
    selected = selection.select(choice, blueprint, assignments or (), name)
    selection.rendered(selected, choice)
    with answers.telling(output) as emit:
        for one in selected:
            match on:
                case Target.local:
                    local.up(one.plan, emit, detach=detach)


@app.command()
def down(
    name: AnyRun = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that is up on this machine.")
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """End what is up, drain it, and leave nothing behind."""
    from ray_gke import selection
    from ray_gke.reporting import answers
    from ray_gke.targets import local

    names = selection.runs_to_end(
        name, [run.name for run in local.runs()], everything=everything
    )
    with answers.telling(output) as emit:
        for one in names:
            local.down(one, emit)


@app.command()
def status(name: AnyRun = None, *, output: OutputOption = Output.text) -> None:
    """Show what is up, and how the last jobs ended."""
    from ray_gke.reporting import answers, rows
    from ray_gke.targets import local

    runs = [local.run(name)] if name else local.runs()
    answers.table(runs, output, rows.runs, nothing="nothing is up")


@app.command()
def logs(
    name: Run,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until it ends, or Ctrl-C.")
    ] = False,
    output: OutputOption = Output.text,
) -> None:
    """Show what a workload wrote."""
    from ray_gke.reporting import answers, rows
    from ray_gke.targets import local

    with answers.telling(output) as emit:
        for line in local.logs(name, follow=follow):
            emit(line)


@app.command()
def dashboard(name: Run, *, output: OutputOption = Output.text) -> None:
    """Print the address of Ray's dashboard, with the token for this user."""
    from ray_gke.reporting import answers, rows
    from ray_gke.targets import local

    answers.mapping(local.dashboard(name), output)


@app.command()
def render(
    blueprint: Blueprint,
    *,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            metavar="DIR",
            help="One file per object; stdout without it.",
        ),
    ] = None,
    file: PlatformFile = None,
    assignments: Assignments = None,
    name: RunName = None,
    namespace: Annotated[
        str | None, typer.Option(metavar="NAMESPACE", help="Namespace of every object.")
    ] = None,
    kuberay_version: Annotated[
        str | None, typer.Option(metavar="X.Y.Z", help="The cluster's KubeRay.")
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="YAML for people, or JSON.")
    ] = Output.text,
) -> None:
    """Write a blueprint's Kubernetes manifests, checked, without a cluster."""
    from ray_gke import selection
    from ray_gke.rendering import documents
    from ray_gke.reporting import answers
    from ray_gke.targets import folder

    choice = selection.choose(file, kuberay_version)
    selected = selection.select(choice, blueprint, assignments or (), name)
    manifests = selection.rendered(selected, choice, namespace)
    if output_dir:
        for path in folder.write(output_dir, documents.files(manifests)):
            typer.echo(path)
    elif output is Output.json:
        answers.document(manifests)
    else:
        typer.echo(documents.stream(manifests), nl=False)


@app.command()
def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Blueprints, platform files, or folders of them; this folder without.",
        ),
    ] = None,
    *,
    output: Annotated[
        ValidateFormat,
        typer.Option("--format", help="github: annotations for a pull request."),
    ] = ValidateFormat.text,
) -> None:
    """Check blueprints and platform files, to the line, without running anything."""
    from ray_gke import selection
    from ray_gke.reporting import answers, rows

    answers.findings(validation.validate(paths or [Path()]), output)


@blueprints_app.command("list")
def list_(*, file: PlatformFile = None, output: OutputOption = Output.text) -> None:
    """List the blueprints of all catalogs."""
    from ray_gke import selection
    from ray_gke.reporting import answers, rows

    entries = selection.choose(file).catalogs.entries()
    answers.table(entries, output, rows.entries, nothing="no blueprints")


@blueprints_app.command()
def show(
    blueprint: Blueprint,
    *,
    file: PlatformFile = None,
    output: OutputOption = Output.text,
) -> None:
    """Show a blueprint's parameters and what it brings up."""
    from ray_gke import selection
    from ray_gke.reporting import answers, rows

    answers.blueprint(selection.described(selection.choose(file), blueprint), output)


@blueprints_app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the blueprint.")],
    *,
    kind: Annotated[Workload, typer.Option(help="What it runs.")] = Workload.job,
    into: Annotated[
        Path, typer.Option(metavar="DIR", help="Catalog folder to put it in.")
    ] = Path(),
) -> None:
    """Write a small blueprint that works, to start from."""
    from ray_gke.catalog import scaffold

    for path in scaffold.new(into, name, kind.value):
        typer.echo(path)


@blueprints_app.command()
def test(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Blueprints to test; all without."),
    ] = None,
    *,
    file: PlatformFile = None,
) -> None:
    """Run blueprints for real on this machine, by their own tests."""
    from ray_gke import selection
    from ray_gke.targets import blueprint_tests

    blueprint_tests.run(selection.folders(selection.choose(file), names or []))


@app.command()
def schema(
    document: Annotated[Document, typer.Argument(help="Which document.")],
) -> None:
    """Print the JSON Schema of a document, for editors."""
    from ray_gke.catalog import schema as schemas

    answers: dict[Document, Any] = {
        Document.blueprint: schemas.blueprint,
        Document.platform: schemas.platform,
    }
    answers.document(answers[document]())
