"""Write the inputs and outputs into the READMEs of the Terraform modules.

    python tools/write_terraform_docs.py            writes them
    python tools/write_terraform_docs.py --check    exits 1 when one differs

They stand between two comments; the rest of a README is written by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import terraform_docs


def main() -> int:
    """Write the READMEs, or with --check compare; return the exit status."""
    stale = 0
    for folder in terraform_docs.folders():
        readme, wanted = folder / "README.md", terraform_docs.written(folder)
        if readme.read_text("utf-8") == wanted:
            continue
        if "--check" in sys.argv[1:]:
            stale = 1
            sys.stdout.write(f"{readme}: run python {sys.argv[0]}\n")
        else:
            readme.write_text(wanted, "utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
