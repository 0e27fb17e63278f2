"""Events and tables for people.

Progress and notes go to stderr, what a workload says to stdout, so that
`ray-gke up squares > result.txt` holds the result alone.
"""

from __future__ import annotations

import sys
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ray_gke.events import (
    Event,
    Finished,
    LogLine,
    Note,
    Progress,
    Ready,
    StepFinished,
    StepStarted,
)
from ray_gke.reporting.rows import duration

_BESIDE_TEXT = len("⠋   0:00:00 ")
"""The spinner and the time, with spaces between them."""

_WORTH_TELLING = 10.0

_WRAPPED_COLUMN = 24
"""The least width at which a column of sentences still reads well."""


class Terminal:
    """Tells events as they happen: a spinner on a terminal, plain lines elsewhere."""

    def __init__(self, stdout: TextIO | None = None, *, then: str = "") -> None:
        """Write what workloads say to `stdout`, the rest to stderr.

        `then` is added to commands that are told to come next.
        """
        self._stdout = stdout or sys.stdout
        self._then = then
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._spinner: Bar | None = None
        self._step = ""

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        match event:
            case StepStarted():
                self._started(event)
            case StepFinished():
                self._finished_step(event)
            case Progress():
                self._progress(event)
            case Note():
                self._line(
                    "! " if event.warning else "  ", event.text, warn=event.warning
                )
            case LogLine():
                self._log(event)
            case Ready():
                self._ready(event)
            case Finished():
                self._finished(event)

    def close(self) -> None:
        """Take the spinner away, so that what follows starts on a clean line."""
        if self._spinner:
            self._spinner.stop()
            self._spinner = None

    def _started(self, event: StepStarted) -> None:
        self.close()
        self._step = event.title
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            then = f", then {event.then}" if event.then else ""
            self._spinner = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                TimeElapsedColumn(),
                TextColumn("{task.fields[after]}", style="dim", markup=False),
                console=self._console,
                transient=True,
            )
            self._spinner.add_task(event.title, total=None, after=then)
            self._spinner.start()
        else:
            self._console.print(Text(f"{event.name}: {event.title} …"))

    def _finished_step(self, event: StepFinished) -> None:
        self.close()
        line = Text.assemble(
            ("✓ ", "green"),
            f"{self._step:<24}",
            (f"{duration(event.seconds):>8}", "cyan"),
            f"  {event.detail}",
        )
        line.rstrip()
        self._console.print(line)

    def _progress(self, event: Progress) -> None:
        """Tell it beside the spinner, or line by line what is done."""
        if self._spinner:
            task = self._spinner.task_ids[0]
            text = f"{self._step} {event.done}/{event.total}"
            room = max(self._console.width - len(text) - _BESIDE_TEXT, 0)
            after = _outlook(event)[:room]
            self._spinner.update(task, description=text, after=after)
        elif event.finished:
            self._console.print(
                Text(f"  {event.finished} ({event.done} of {event.total})")
            )

    def _log(self, event: LogLine) -> None:
        # The lines themselves show that something happens; a spinner would tear them.
        self.close()
        self._stdout.write(event.text + "\n")
        self._stdout.flush()

    def _ready(self, event: Ready) -> None:
        self.close()
        self._console.print(Text(f"{event.name} is up", style="bold green"))
        width = max(map(len, event.urls), default=0)
        for purpose, url in event.urls.items():
            self._console.print(Text(f"  {purpose:<{width}}  {url}"))
        self._next(event.name, "logs", "dashboard", "down")

    def _finished(self, event: Finished) -> None:
        self.close()
        good = event.status in {"SUCCEEDED", "RUNNING", "APPLIED", "DOWN"}
        text = f"{event.name}: {event.status} in {duration(event.seconds)}"
        self._console.print(Text(text, style="bold green" if good else "bold red"))
        if event.message and (event.status == "APPLIED" or not good):
            self._console.print(Text(f"  {event.message}"))
        if event.status == "RUNNING":
            self._next(event.name, "logs --follow", "status", "down")
        if event.status == "APPLIED":
            self._next(event.name, "status", "explain", "down")

    def _next(self, name: str, *commands: str) -> None:
        words = (
            (c.partition(" ")[0], name, c.partition(" ")[2], self._then)
            for c in commands
        )
        told = ", ".join(f"ray-gke {' '.join(filter(None, w))}" for w in words)
        self._console.print(Text(f"  next: {told}", style="dim"))

    def _line(self, mark: str, text: str, *, warn: bool) -> None:
        self.close()
        self._console.print(Text(mark + text, style="yellow" if warn else ""))


def _outlook(event: Progress) -> str:
    """Return in words what is done now, and how long it may take."""
    left = event.seconds_left or 0.0
    when = f"about {duration(left)} left" if left >= _WORTH_TELLING else ""
    return ", ".join(filter(None, [when, *event.doing[:1]]))


def print_table(rows: list[dict[str, str]]) -> None:
    """Print rows with the keys of the first as headings; wraps on narrow terminals."""
    console = Console(highlight=False)
    if not console.is_terminal:
        # In a pipe every row is one line, whatever its length.
        console = Console(highlight=False, width=10_000)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for heading in rows[0]:
        # A name that is broken cannot be copied.
        first = not table.columns
        table.add_column(heading, overflow="fold", no_wrap=first)
    for row in rows:
        table.add_row(*(Text(value) for value in row.values()))
    for line in _without_padding(console, table):
        console.print(line, soft_wrap=True)


def print_rows(rows: list[dict[str, str]]) -> None:
    """Print a table, or where the terminal is too narrow for it each row as a block.

    The last column may wrap, so it holds the longest text.
    """
    console = Console(highlight=False)
    if not console.is_terminal or _table_width(rows) <= console.width:
        print_table(rows)
        return
    for row in rows:
        (_, first), *others = row.items()
        console.print(Text(first, style="bold"), soft_wrap=True)
        grid = Table(box=None, pad_edge=False, show_edge=False, show_header=False)
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for heading, value in others:
            if value:
                grid.add_row(f"  {heading.lower()}", Text(value))
        for line in _without_padding(console, grid):
            console.print(line, soft_wrap=True)


def print_lines(title: str, lines: list[str]) -> None:
    """Print lines under a title, wrapped at words on a terminal; no title if empty."""
    console = Console(highlight=False)
    if title:
        console.print(Text(title, style="bold"))
    for line in lines:
        if console.is_terminal:
            for part in Text(line).wrap(console, console.width):
                part.rstrip()
                console.print(part, soft_wrap=True)
        else:
            console.print(Text(line), soft_wrap=True)


def _table_width(rows: list[dict[str, str]]) -> int:
    *widths, last = (
        max(cell_len(text) for text in (heading, *(row[heading] for row in rows)))
        for heading in rows[0]
    )
    return sum(widths) + 2 * len(widths) + min(last, _WRAPPED_COLUMN)


def _without_padding(console: Console, table: Table) -> list[Text]:
    with console.capture() as capture:
        console.print(table)
    lines = [Text.from_ansi(line) for line in capture.get().splitlines()]
    for line in lines:
        # Not in the string: spaces of a heading stand before the end of its style.
        line.rstrip()
    return lines
