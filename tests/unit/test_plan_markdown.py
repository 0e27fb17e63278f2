"""The summary for a pull request, as whoever renders Markdown reads it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from ray_gke.commands.on_gke import Pending
from ray_gke.errors import InvalidError
from ray_gke.planning.capacity import Capacity
from ray_gke.reporting import plan_markdown, plan_schema
from ray_gke.targets.kubernetes.changes import Change, RunChanges
from ray_gke.targets.kubernetes.ray_edits import Edit
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.terraform.changes import Changes, ResourceChange
from tests.page import example

OURS = {"<details>", "</details>", "<summary>", "</summary>"}
NASTY = [
    "a | b",
    "back\\| slash",
    "`code` ``more``",
    "[link](javascript:alert(1)) ![image](https://example.com/x.png)",
    "<img src=x onerror=alert(1)> <!-- hidden",
    "</details> <summary>done</summary>",
    "@everybody see #1 and owner/repo#2",
    "line\n\n# heading\n- item\n```\ncode",
    "**bold** _it_ ~~gone~~ $x^2$ :tada:",
    "&lt;b&gt; &#124; &amp;",
    "https://example.com www.example.com",
    "mi\u202eror\x1b[31m",
]


@dataclass(frozen=True)
class Seen:
    """What a reader sees: headings, tables by their titles, and HTML that is not ours.

    A second table under a title is its notes. `words` are all that stands outside of
    tables.
    """

    words: str
    tables: dict[str, list[list[str]]]
    kinds: set[str]
    html: set[str]

    def notes(self, title: str) -> list[str]:
        """Return the sentences below a table."""
        return [line for (line,) in self.tables[f"{title}, notes"][1:]]

    def row(self, title: str, first: str) -> list[str]:
        (found,) = (row for row in self.tables[title] if row[0] == first)
        return found


def seen(text: str) -> Seen:
    """Read Markdown with a parser that is not ours."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tables: dict[str, list[list[str]]] = {}
    words, kinds, html = [], set(), set()
    title, inside = "", False
    for token in parser.parse(text):
        kinds.add(token.type)
        kinds |= {inner.type for inner in token.children or ()}
        if token.type == "html_block":
            html |= set(re.findall(r"<[^>]*>?", token.content))
            found = re.search(r"<summary>(.*): [\d,]+</summary>", token.content)
            title = found[1] if found else title
        elif token.type in {"table_open", "table_close"}:
            inside = token.type == "table_open"
            if inside and title in tables:
                title += ", notes"
            tables.setdefault(title, [])
        elif token.type == "tr_open":
            tables[title].append([])
        elif token.type == "inline":
            said = "".join(one.content for one in token.children or ())
            if inside:
                tables[title][-1].append(said)
            else:
                words.append(said)
                title = said
    return Seen("\n".join(words), tables, kinds, html)


def resource(action: str, address: str, *attributes: str) -> ResourceChange:
    return ResourceChange(address, "google_x", action, attributes, {})


def run(*changes: Change) -> RunChanges:
    unused: Any = None
    return RunChanges(unused, changes, None, ())


PENDING = Pending(
    Changes(
        (
            resource("create", "module.network.this"),
            resource("create", "module.pool.this"),
            resource("update", "module.cluster.this", "labels", "taint"),
            resource("replace", "module.other.this"),
        )
    ),
    Changes((resource("delete", "kubernetes_namespace.old"),)),
    [
        run(
            Change(
                Ref("RayCluster", "ml", "demo"),
                "replace",
                edit=Edit("made anew", replaces=True),
                ends=True,
            ),
            Change(Ref("ConfigMap", "ml", "files"), "prune"),
            Change(Ref("Service", "ml", "same"), "unchanged"),
            Change(Ref("Secret", "ml", "s"), "change", fields=("data.x",)),
        )
    ],
)


def test_what_changes_is_counted_and_what_ends_is_marked() -> None:
    found = seen(plan_markdown.text(example.rich(), PENDING, None))
    assert "2 to create, 2 to change, 2 to replace, 2 to delete" in found.words
    ends = "⚠️ ends what is there"
    assert found.tables["Ends what is there"][1:] == [
        [ends, "replace", "module.other.this", ""],
        [ends, "delete", "kubernetes_namespace.old", ""],
        [ends, "replace", "RayCluster/demo in namespace ml", "made anew"],
    ]
    changes = found.tables["Changes"][1:]
    assert ["", "update", "module.cluster.this", "labels, taint"] in changes
    assert ["", "change", "Secret/s in namespace ml", "data.x"] in changes
    assert ["", "prune", "ConfigMap/files in namespace ml", ""] in changes
    assert len(changes) == 8
    assert found.html <= OURS


@pytest.mark.parametrize(
    ("pending", "words"),
    [
        (None, "What would change in Google Cloud is not known here."),
        (Pending(Changes(), Changes(), ()), "Nothing would change."),
        (
            Pending(Changes((resource("create", "a.b"),)), Changes(), (), whole=False),
            "1 to create\nThe cluster is new: what runs in it is created too.",
        ),
    ],
)
def test_what_is_not_known_or_new_is_said(pending: Any, words: str) -> None:
    found = seen(plan_markdown.text(example.smallest(), pending, None))
    assert words in found.words


def with_costs(capacity: Capacity, least: str, most: str, **more: Any) -> Capacity:
    amounts: dict[str, Any] = {
        "idle_per_month": Decimal("180.83"),
        "minimum_per_month": Decimal(least),
        "maximum_per_month": Decimal(most),
        **more,
    }
    return replace(capacity, cost=replace(capacity.cost, **amounts))


MONTH = "Cost of a month, an estimate"
# A pool of none at idle, whose nodes have no price.
H100 = {
    "items": (example.item("h100", "0", None, None, "0", None, None),),
    "unpriced": ("h100: a3-highgpu-8g as Spot",),
    "notes": ("not a quote: more comes on top",),
}


def test_the_cost_of_a_month_before_and_after() -> None:
    before = with_costs(example.smallest(), "1000", "5000.50")
    after = with_costs(example.smallest(), "900.25", "7000.50")
    found = seen(plan_markdown.text(after, None, before))
    assert found.tables[MONTH] == [
        ["Cost", "Before", "After", "Difference"],
        ["Idle", "$180.83", "$180.83", "-"],
        ["At minimum", "$1,000.00", "$900.25", "-$99.75"],
        ["At maximum", "$5,000.50", "$7,000.50", "+$2,000.00"],
    ]
    found = seen(plan_markdown.text(after, None, None))
    assert found.tables[MONTH][1:] == [
        ["Idle", "$180.83"],
        ["At minimum", "$900.25"],
        ["At maximum", "$7,000.50"],
    ]


def test_a_sum_without_the_price_of_something_is_the_least() -> None:
    after = with_costs(example.smallest(), "900.25", "7000.50", **H100)
    found = seen(plan_markdown.text(after, None, None))
    assert found.tables[MONTH][1:] == [
        ["Idle", "$180.83"],
        ["At minimum", "at least $900.25"],
        ["At maximum", "at least $7,000.50"],
    ]
    dates, unpriced, *more = found.notes(MONTH)
    assert re.fullmatch(r"Estimate with prices of \d{4}-\d\d-\d\d for .*", dates)
    assert unpriced == (
        "Without a price, and not in the sums: h100: a3-highgpu-8g as Spot."
    )
    assert more == ["Not a quote: more comes on top."]


def test_taking_away_what_has_no_price_saves_nobody_knows_how_much() -> None:
    before = with_costs(example.smallest(), "1000", "5000", **H100)
    after = with_costs(example.smallest(), "990", "5000")
    found = seen(plan_markdown.text(after, None, before))
    assert found.tables[MONTH][1:] == [
        ["Idle", "$180.83", "$180.83", "-"],
        ["At minimum", "at least $1,000.00", "$990.00", "-$10.00 of what has a price"],
        ["At maximum", "at least $5,000.00", "$5,000.00", "not known"],
    ]
    said = "Without a price, and not in the sums: h100: a3-highgpu-8g as Spot."
    assert found.notes(MONTH)[:2] == [
        f"Before: {said}",
        "Before: Not a quote: more comes on top.",
    ]
    # The prices are of the same day.
    assert found.notes(MONTH)[2].startswith("Estimate with prices of ")
    found = seen(plan_markdown.text(before, None, after))
    assert f"After: {said}" in found.notes(MONTH)
    found = seen(plan_markdown.text(before, None, before))
    assert said in found.notes(MONTH)


def test_costs_in_different_currencies_are_not_compared() -> None:
    before = with_costs(example.rich(), "1000", "5000", currency="EUR")
    after = with_costs(example.rich(), "900", "7000")
    found = seen(plan_markdown.text(after, None, before))
    assert "Costs are not compared" in found.words
    assert found.row(MONTH, "At minimum")[1:] == ["at least $900.00"]


def test_fit_quota_and_warnings_are_there() -> None:
    capacity = example.rich()
    found = seen(plan_markdown.text(capacity, None, None))
    assert [line for (line,) in found.tables["Warnings"][1:]] == [
        " ".join(line.split()) for line in capacity.warnings
    ]
    groups = found.tables["Fit: groups"]
    assert groups[0][:4] == ["Group", "Replicas", "Pool", "Slots a node"]
    assert len(groups) - 1 == len(capacity.groups)
    assert {row[0] for row in found.tables["Fit: node pools"][1:]} == {
        pool.name for pool in capacity.pools
    }
    assert len(found.tables["Quota needed"]) - 1 == len(capacity.quotas)


def test_what_is_to_be_known_of_a_group_stands_below() -> None:
    capacity = example.rich()
    one = replace(capacity.groups[0], run="vision", group="a", notes=("look there",))
    two = replace(one, group="b")
    found = seen(plan_markdown.text(replace(capacity, groups=(one, two)), None, None))
    assert found.notes("Fit: groups") == ["vision/a, vision/b: look there"]


@pytest.mark.parametrize("nasty", NASTY)
def test_no_text_of_a_user_is_more_than_text(nasty: str) -> None:
    capacity = example.rich()
    group = replace(
        capacity.groups[0], run=nasty, reason=nasty, pool=nasty, notes=(nasty,)
    )
    capacity = replace(
        capacity, platform=nasty, project=nasty, warnings=(nasty,), groups=(group,)
    )
    pending = Pending(Changes((resource("update", nasty, nasty),)), Changes(), ())
    text = plan_markdown.text(capacity, pending, None)
    found = seen(text)
    printable = "".join(c if c.isprintable() else " " for c in nasty)
    # Between a sign and a name of GitHub's there is something that nobody sees.
    shown = re.sub("([@#])", "\\1\u200b", " ".join(printable.split()))
    assert found.tables["Warnings"] == [["Warning"], [shown]]
    assert found.tables["Changes"][1] == ["update", shown, shown]
    assert found.row("Fit: groups", f"{shown}/{group.group}")[2] == shown
    assert found.notes("Fit: groups") == [f"{shown}/{group.group}: {shown}"]
    assert found.html <= OURS
    innocent = {"html_inline", "link_open", "image", "code_inline", "em_open", "s_open"}
    assert not innocent & found.kinds
    assert not re.search(r"[@#]\w", found.words.replace("# ", ""))
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert len(titles) == 4


def test_a_summary_of_any_plan_fits_into_a_comment() -> None:
    name = "|@#`<&_" * 100
    todo = tuple(resource("delete", f"{n}{name}", name) for n in range(3000))
    huge = example.huge(200)
    warnings = tuple(f"{n} {name}" for n in range(500))
    capacity = replace(
        huge, warnings=warnings, groups=tuple(replace(g, run=name) for g in huge.groups)
    )
    text = plan_markdown.text(capacity, Pending(Changes(todo), Changes(), ()), capacity)
    assert len(text) <= 60_000
    found = seen(text)
    assert found.html <= OURS
    assert "3,000 to delete" in found.words
    assert "and 2,990 more" in found.words
    long = plan_markdown.text(example.huge(20), PENDING, None)
    assert "more" not in seen(long).words


def test_a_long_list_of_changes_is_folded() -> None:
    few = tuple(resource("create", f"a.b{n}") for n in range(10))
    many = (*few, resource("create", "a.c"))
    for todo, folded in ((few, False), (many, True)):
        pending = Pending(Changes(todo), Changes(), ())
        text = plan_markdown.text(example.smallest(), pending, None)
        assert (f"<summary>Changes: {len(todo)}</summary>" in text) is folded
        assert len(seen(text).tables["Changes"]) == len(todo) + 1


def test_what_plan_printed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "base.json"
    capacity = example.rich()
    file.write_text(json.dumps(plan_schema.document(capacity)))
    assert plan_markdown.read(file).cost == capacity.cost


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "Invalid JSON"), ("[]", "object"), ('{"kind": "Plan"}', "platform: ")],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "base.json"
    file.write_text(text)
    with pytest.raises(InvalidError) as caught:
        plan_markdown.read(file)
    (problem,) = caught.value.problems
    assert problem.message.startswith("no plan to compare with: ")
    assert reason in problem.message
    assert problem.place is not None
    assert problem.place.file == str(file)
    assert problem.hint == "ray-gke plan --output json > FILE writes one"
