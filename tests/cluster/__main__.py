"""`python -m tests.cluster up | down | build`: see README.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.cluster import by_hand, monitoring_kinds, parts, ray_image


def main() -> int:
    """Run one command; return the exit status."""
    asked = _parser().parse_args()
    try:
        _run(asked)
    except (parts.PartError, by_hand.ByHandError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(asked: argparse.Namespace) -> None:
    if asked.command == "build":
        for name in asked.parts or parts.PARTS:
            sys.stdout.write(f"{parts.path(name)}\n")
        if not asked.parts:
            monitoring_kinds.definitions()
        if not asked.parts and os.geteuid() == 0:
            # What a real node runs; making it takes root.
            sys.stdout.write(f"{ray_image.archive()}\n")
    elif asked.command == "up":
        sys.stdout.write(f"{by_hand.up(asked.folder, real=asked.node)}\n")
    elif asked.command == "down":
        by_hand.down(asked.folder)
    else:
        by_hand.hold(asked.folder, real=asked.node)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build parts, by default all")
    build.add_argument("parts", nargs="*", metavar="NAME")
    up = commands.add_parser("up", help="start a cluster; print its kubeconfig")
    down = commands.add_parser("down", help="end it and remove its folder")
    hold = commands.add_parser("hold", help="run a cluster until this process ends")
    for command in (up, down, hold):
        command.add_argument("--folder", type=Path, default=by_hand.default_folder())
    for command in (up, hold):
        command.add_argument(
            "--node", action="store_true", help="a real node instead of fake ones"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
