"""Square numbers in parallel, each as one Ray task."""

from __future__ import annotations

import argparse

import ray


@ray.remote
def square(number: int) -> int:
    """Return the square of `number`; runs on any worker with a free CPU."""
    return number * number


def main() -> None:
    """Print the squares of the first COUNT whole numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4)
    count: int = parser.parse_args().count

    ray.init(logging_level="WARNING")
    print(ray.get([square.remote(number) for number in range(count)]))


if __name__ == "__main__":
    main()
