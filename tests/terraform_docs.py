"""The tables of inputs and outputs in the READMEs of the Terraform modules.

They are written from `variables.tf` and `outputs.tf` as `terraform fmt` leaves them,
by `tools/write_terraform_docs.py`; tests compare.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "terraform"
BEGIN = "<!-- Written by tools/write_terraform_docs.py from the .tf files. -->"
END = "<!-- End of what is written. -->"
_HEREDOC = re.compile(r"<<-?(\w+)\n(.*?)\n\s*\1\n", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A `variable` or `output`; `arguments` are as they are written in HCL."""

    name: str
    arguments: dict[str, str]

    @property
    def description(self) -> str:
        """The description on one line."""
        text = self.arguments.get("description", "")
        heredoc = _HEREDOC.fullmatch(f"{text}\n")
        plain = heredoc[2] if heredoc else text[1:-1].replace('\\"', '"')
        return " ".join(plain.split()).replace("|", "\\|")


def folders() -> list[Path]:
    """Return the folders of all modules and stacks."""
    return sorted(path.parent for path in ROOT.rglob("versions.tf"))


def written(folder: Path) -> str:
    """Return the README of a module as it has to be."""
    text = (folder / "README.md").read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{folder / 'README.md'} has no place for inputs and outputs")
    return f"{before}{BEGIN}\n\n{_tables(folder)}\n{END}{after}"


def blocks(path: Path, kind: str) -> Iterator[Block]:
    """Yield the blocks of a kind in a file, in its order."""
    pattern = re.compile(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}\n', re.DOTALL | re.MULTILINE)
    for name, body in pattern.findall(path.read_text("utf-8")):
        yield Block(name, dict(_arguments(body)))


def _arguments(body: str) -> Iterator[tuple[str, str]]:
    """Yield what stands at the first level of a block, without nested blocks."""
    lines = iter(textwrap.dedent(body).splitlines())
    for line in lines:
        found = re.match(r"(\w+) += (.*)", line)
        if found is None:
            continue
        value = [found[2]]
        while not _complete("\n".join(value)):
            value.append(next(lines))
        yield found[1], "\n".join(value)


def _complete(value: str) -> bool:
    if value.startswith("<<"):
        return bool(_HEREDOC.fullmatch(f"{value}\n"))
    bare = re.sub(r'"(\\.|[^"\\])*"', "", value)
    return all(bare.count(a) == bare.count(b) for a, b in ("()", "{}", "[]"))


def _tables(folder: Path) -> str:
    variables = list(blocks(folder / "variables.tf", "variable"))
    outputs = list(blocks(folder / "outputs.tf", "output"))
    parts = [
        "| input | type | default | what it is |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{one.name}` | `{_short(one.arguments['type'])}` | "
            f"{_default(one)} | {one.description} |"
            for one in variables
        ),
        "",
        *(text for one in variables for text in _type(one)),
        "| output | what it is |",
        "| --- | --- |",
        *(f"| `{one.name}` | {one.description} |" for one in outputs),
        "",
    ]
    return "\n".join(parts)


def _short(kind: str) -> str:
    """Return an object without its attributes, which stand below the table."""
    return re.sub(r"object\(\{.*\}\)", "object", kind, flags=re.DOTALL)


def _default(one: Block) -> str:
    if "default" not in one.arguments:
        return "required"
    value = one.arguments["default"]
    return "none" if value == "null" else f"`{' '.join(value.split())}`"


def _type(one: Block) -> Iterator[str]:
    kind = one.arguments["type"]
    if "\n" in kind:
        yield f"Attributes of `{one.name}`, with their defaults:\n"
        yield f"```hcl\n{kind}\n```\n"
